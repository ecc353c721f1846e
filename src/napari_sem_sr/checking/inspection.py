"""Everything that is found out about one slice; no slice needs another one's result."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from napari_sem_sr.checking.alignment import Field
from napari_sem_sr.checking.baseline import upscale_bicubic
from napari_sem_sr.checking.difference import difference, split_bands
from napari_sem_sr.checking.scores import data_range_of, squared_error, ssim
from napari_sem_sr.inference.engine import Engine
from napari_sem_sr.intensity import IntensityRange
from napari_sem_sr.model.bundle import Model
from napari_sem_sr.pairing.degradation import area_average

Image = npt.NDArray[Any]
Float = npt.NDArray[np.float32]

# The maps of maps.zarr: grid ("SR" or "LR") and meaning.
MAPS = {
    "difference": ("SR", "SR − HR, grey levels"),
    "difference_low": (
        "LR",
        "SR − HR below the Nyquist frequency of LR: contradicts LR, grey levels",
    ),
    "difference_high": (
        "LR",
        "SR − HR above the Nyquist frequency of LR, root mean square, grey levels",
    ),
}
MAPS_WITH_HR = ("difference", "difference_low", "difference_high")


@dataclass(frozen=True, eq=False)
class Findings:
    """What was found on one slice.

    Parameters
    ----------
    numbers
        By name; plain floats and lists of floats, so that they can be kept as JSON.
    maps
        By name as in ``MAPS``; float32, NaN where nothing can be said.
    """

    numbers: Mapping[str, Any]
    maps: Mapping[str, Float]


class Inspector:
    """Looks at one slice of a field after the other, always with the same yardsticks.

    Parameters
    ----------
    field
        LR, SR and HR, placed over each other.
    model
        The model that made SR, if it is at hand.
    intensity
        Range that its networks see as [0, 1], that of the upscaling.
    data_range
        Peak of PSNR and SSIM.
    """

    def __init__(
        self, field: Field, model: Model | None, intensity: IntensityRange, data_range: float
    ) -> None:
        self.field = field
        self.intensity = intensity
        self.data_range = data_range
        self._twin = None if model is None else Engine(model.network("twin"))

    @property
    def maps(self) -> tuple[str, ...]:
        """Names of the maps that every slice gets."""
        return MAPS_WITH_HR if self.field.hr is not None else ()

    def look(self, index: int) -> Findings:
        """Find out what there is to know about slice ``index`` of the field."""
        sr = self.field.sr.slice(index)
        numbers: dict[str, Any] = {}
        maps: dict[str, Float] = {}
        if self.field.hr is not None:
            self._compare(index, sr, self.field.hr.slice(index), numbers, maps)
        return Findings(numbers, maps)

    def bicubic(self, index: int) -> Image:
        """Bicubic picture of the field's slice ``index``, in the dtype of LR."""
        lr = self.field.lr.slice(self.field.slices[0] + index)
        return upscale_bicubic(lr, self.field.factor)[self._fine_region]

    def twin(self, index: int) -> Image | None:
        """What the model's twin makes of slice ``index``, in the dtype of LR; None without a model."""
        if self._twin is None:
            return None
        lr = self.field.lr.slice(self.field.slices[0] + index)
        return self._twin.upscale_slice(
            lr, self.intensity, lr.dtype, self.field.region, index
        ).image

    @property
    def _fine_region(self) -> tuple[slice, slice]:
        (y0, y1), (x0, x1) = self.field.region
        f = self.field.factor
        return slice(f * y0, f * y1), slice(f * x0, f * x1)

    def _compare(
        self, index: int, sr: Image, hr: Image, numbers: dict[str, Any], maps: dict[str, Float]
    ) -> None:
        pictures = {"": sr, "bicubic_": self.bicubic(index)}
        twin = self.twin(index)
        if twin is not None:
            pictures["twin_"] = twin
        for prefix, picture in pictures.items():
            total, count = squared_error(picture, hr)
            numbers[f"{prefix}squared_error"] = total
            numbers[f"{prefix}pixels"] = count
            numbers[f"{prefix}ssim"] = ssim(picture, hr, self.data_range)
        whole = difference(sr, hr)
        low, high = split_bands(whole, self.field.factor)
        numbers["sum"] = float(np.nansum(whole, dtype=np.float64))
        numbers["low_squared"] = float(np.nansum(low.astype(np.float64) ** 2))
        numbers["high_squared"] = float(np.nansum(high.astype(np.float64) ** 2))
        maps["difference"] = whole
        maps["difference_low"] = area_average(low, self.field.factor).astype(np.float32)
        maps["difference_high"] = np.sqrt(area_average(high**2, self.field.factor)).astype(
            np.float32
        )


def common_data_range(field: Field) -> float | None:
    """Peak for PSNR and SSIM: of the dtype of HR, or None where HR is float and has to be looked through."""
    return data_range_of((field.hr or field.sr).dtype)
