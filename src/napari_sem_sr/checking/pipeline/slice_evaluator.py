"""Everything that is found out about one slice; no slice needs another one's result."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
import numpy.typing as npt

from napari_sem_sr.checking.evidence import against_hr, consistency, persistence, stability
from napari_sem_sr.checking.evidence.expected_error import ExpectedError, evidence_of
from napari_sem_sr.checking.evidence.image_features import domain_features
from napari_sem_sr.checking.evidence.invention import (
    Invention,
    added,
    detail,
    doubt,
    filled,
    invention,
)
from napari_sem_sr.checking.evidence.reference import Reference
from napari_sem_sr.checking.evidence.trust import Mask, Trust, error_score
from napari_sem_sr.checking.field import Field
from napari_sem_sr.checking.suspects import missing
from napari_sem_sr.checking.suspects.background_model import KIND_OF, Slice, Yardsticks, measure
from napari_sem_sr.checking.suspects.extreme_values import tails_of
from napari_sem_sr.checking.suspects.regions import suspect_regions
from napari_sem_sr.degradation.degrade import AREA_AVERAGE, expected
from napari_sem_sr.errors import InputError
from napari_sem_sr.inference.engine.engine import Engine
from napari_sem_sr.intensity import IntensityRange
from napari_sem_sr.metrics.psnr_ssim import data_range_of
from napari_sem_sr.metrics.resample import area_average
from napari_sem_sr.model.bicubic import upscale_bicubic
from napari_sem_sr.model.bundle import Model

Image = npt.NDArray[Any]
Float = npt.NDArray[np.float32]

MEASURED_SLICES = 4
TRUST_MAPS: Mapping[Mask, str] = {"detail": "trust", "error": "trust_error"}
MAPS_WITH_MODEL = ("invention", "agreement", "doubt", "stability")
# Where SR's detail is under the noise of LR, a low agreement says nothing.
DISAGREES = 0.5


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
    sharpness
        Of SR, if known: where it is 0, SR is the twin itself and the model's GAN is compared with it instead.
    reference
        Teachers whose statistics are held beside the stack's, if any.
    """

    def __init__(
        self,
        field: Field,
        model: Model | None,
        intensity: IntensityRange,
        data_range: float,
        sharpness: float | None = None,
        reference: Reference | None = None,
    ) -> None:
        self.field = field
        self.intensity = intensity
        self.data_range = data_range
        self.sr_is_twin = sharpness == 0
        self.reference = reference
        self.degradation = AREA_AVERAGE if model is None else model.card.degradation
        calibration = {} if model is None else model.calibration
        self.trust_thresholds = {m: Trust.of(calibration, m).threshold() for m in TRUST_MAPS}
        self._twin = None if model is None else Engine(model.network("twin"))
        self._gan = Engine(model.network("gan")) if model is not None and self.sr_is_twin else None
        self.expected_error = ExpectedError.of(calibration)
        self._stable = (
            None
            if model is None
            else Engine(model.blended(1.0 if sharpness is None else sharpness))
        )
        self.no_persistence = persistence.inapplicable(field.sr, field.factor)
        if len(field.kept) < 2 and self.no_persistence is None:
            self.no_persistence = "all slices but one are left out or empty"
        # a slice is looked at together with its neighbours
        self._detail = lru_cache(maxsize=3)(self._detail_of)
        self.sigma = consistency.lr_sigma(field.lr_part, field.factor)
        self._yardsticks = self._measure()
        self._usual_persistence = self._measure_persistence()
        self._tails = tails_of(calibration)

    @property
    def maps(self) -> tuple[str, ...]:
        """Names of the maps that every slice gets."""
        names: tuple[str, ...] = ("consistency",)
        if self._twin is not None:
            names += MAPS_WITH_MODEL
            names += ("expected_error",) if self.expected_error is not None else ()
        names += tuple(n for m, n in TRUST_MAPS.items() if self.trust_thresholds[m] is not None)
        if self.no_persistence is None:
            names += ("persistence",)
        return names + (against_hr.MAPS if self.field.hr is not None else ())

    def look(self, index: int) -> Findings:
        """Find out what there is to know about slice ``index`` of the field."""
        f = self.field.factor
        sr, lr = self.field.sr.slice(index), self.field.lr_part.slice(index)
        twin = self.twin(index)
        degraded = expected(sr, f, self.degradation)
        numbers: dict[str, Any] = {
            "consistency": consistency.residual_numbers(degraded, lr, self.sigma),
            "domain": self._domain_features(lr),
        }
        residual = consistency.left_over(degraded, lr)
        hole = missing.holes(lr, residual)
        numbers["holes"] = missing.hole_numbers(lr, hole)
        maps: dict[str, Float] = {"consistency": residual / np.float32(self.sigma)}
        found = None
        if twin is not None:
            generated = self._generated(index, sr)
            found = invention(generated, twin, f)
            self._note_invention(found, numbers, maps)
            self._note_trust(generated, found, numbers, maps)
            self._note_error(index, lr, generated, found, numbers, maps)
        heights = self._yardsticks.heights(self._slice(lr, residual, found))
        if self.no_persistence is None:
            heights[persistence.ABSENT] = self._note_persistence(index, numbers, maps)
        z, y, x = self.field.sr_start
        suspicion = self._suspicion(heights, lr.size)
        start = (z + index, y, x)
        regions = [*missing.hole_regions(hole, f, start), *suspect_regions(suspicion, f, start)]
        numbers["regions"] = [r.describe() for r in regions]
        if self.reference is not None:
            numbers["reference"] = self.reference.look(index, self.bicubic(index))
        if self.field.hr is not None:
            self._compare(index, sr, self.field.hr.slice(index), twin, numbers, maps)
        return Findings(numbers, maps)

    def bicubic(self, index: int) -> Image:
        """Bicubic picture of the field's slice ``index``, in the dtype of LR."""
        return upscale_bicubic(self._whole_lr(index), self.field.factor)[self._fine_region]

    def twin(self, index: int) -> Image | None:
        """What the model's twin makes of slice ``index``, in the dtype of LR; None without a model."""
        return None if self._twin is None else self._upscale(self._twin, index)

    def _domain_features(self, lr: Image) -> list[float] | None:
        try:
            return [float(v) for v in domain_features(self.intensity.normalise(lr))]
        except InputError:
            return None  # hardly anything but a masked border: this slice has no say

    def _picks(self) -> list[int]:
        """Slices on which is measured what is usual."""
        kept = self.field.kept
        picks = np.unique(np.linspace(0, len(kept) - 1, MEASURED_SLICES).round().astype(int))
        return [kept[pick] for pick in picks]

    def _measure(self) -> Yardsticks:
        slices = []
        for index in self._picks():
            sr, lr = self.field.sr.slice(index), self.field.lr_part.slice(index)
            twin = self.twin(index)
            found = None
            if twin is not None:
                found = invention(self._generated(index, sr), twin, self.field.factor)
            residual = consistency.residual(sr, lr, self.field.factor, self.degradation)
            slices.append(self._slice(lr, residual, found))
        # SR's rounding, averaged; LR's own a generator follows
        rounding = consistency.ROUNDING**0.5 / self.field.factor
        least = rounding / self._unit if self.field.sr.dtype.kind in "ui" else 0.0
        return measure(slices, least)

    @property
    def _unit(self) -> float:
        """Grey levels of this stack in one of 8 bits."""
        return (self.intensity.high - self.intensity.low) / 255

    def _slice(self, lr: Image, residual: Image, found: Invention | None) -> Slice:
        amounts = () if found is None or self.sr_is_twin else added(found, self.field.factor)
        return Slice(lr / self._unit, residual / self._unit, [a / self._unit for a in amounts])

    def _suspicion(self, heights: Mapping[str, Float], places: int) -> dict[str, Float]:
        """Scores by reason, comparable over all kinds of evidence."""
        pixels = self.field.sr.shape[0] * places
        return {r: self._tails[KIND_OF[r]].score(h, pixels) for r, h in heights.items()}

    def _generated(self, index: int, sr: Image) -> Image:
        return sr if self._gan is None else self._upscale(self._gan, index)

    def _upscale(self, engine: Engine, index: int) -> Image:
        lr = self._whole_lr(index)
        return engine.upscale_slice(lr, self.intensity, lr.dtype, self.field.region, index).image

    def _whole_lr(self, index: int) -> Image:
        return self.field.lr.slice(self.field.slices[0] + index)

    @property
    def _fine_region(self) -> tuple[slice, slice]:
        (y0, y1), (x0, x1) = self.field.region
        f = self.field.factor
        return slice(f * y0, f * y1), slice(f * x0, f * x1)

    def _coarse(self, image: Image) -> Float:
        return area_average(image, self.field.factor).astype(np.float32)

    def _note_invention(
        self, found: Invention, numbers: dict[str, Any], maps: dict[str, Float]
    ) -> None:
        agreement, energy = self._coarse(found.agreement), self._coarse(found.energy**2) ** 0.5
        maps["invention"] = self._coarse(found.amount**2) ** 0.5
        maps["agreement"] = agreement
        maps["doubt"] = doubt(agreement, energy, self.sigma)
        visible = energy > self.sigma
        numbers["invention"] = {
            "n": int(np.count_nonzero(np.isfinite(agreement))),
            "amount_squared": float(np.nansum(maps["invention"].astype(np.float64) ** 2)),
            "energy_squared": float(np.nansum(energy.astype(np.float64) ** 2)),
            "agreement": float(np.nansum(agreement, dtype=np.float64)),
            "visible": int(np.count_nonzero(visible)),
            "disagreeing": int(np.count_nonzero(visible & (agreement < DISAGREES))),
        }

    def _note_trust(
        self, sr: Image, found: Invention, numbers: dict[str, Any], maps: dict[str, Float]
    ) -> None:
        width = self.intensity.high - self.intensity.low
        for mask, name in TRUST_MAPS.items():
            threshold = self.trust_thresholds[mask]
            if threshold is None:
                continue
            score = maps["doubt"]
            if mask == "error":
                score = error_score(sr, found, self.field.factor, width)
            trusted = score <= threshold
            maps[name] = np.where(np.isfinite(score), trusted, np.nan).astype(np.float32)
            numbers[f"trusted_{mask}"] = int(np.count_nonzero(trusted))

    def _note_error(
        self,
        index: int,
        lr: Image,
        generated: Image,
        found: Invention,
        numbers: dict[str, Any],
        maps: dict[str, Float],
    ) -> None:
        """Where SR depends on how LR lies, and how far from HR it may be."""
        width = self.intensity.high - self.intensity.low
        maps["stability"] = np.full(lr.shape, np.nan, np.float32)
        if index in stability.sampled(self.field.sr.shape[0]):
            maps["stability"] = stability.instability(self._again, lr, self.field.factor)
            numbers["stability"] = stability.sums(maps["stability"])
        if self.expected_error is not None:
            evidence = evidence_of(generated, found, self.field.factor, width)
            maps["expected_error"] = self.expected_error.map(evidence, lr.shape, width)
            numbers["expected_error"] = stability.sums(maps["expected_error"])

    def _again(self, lr: Image) -> Image:
        assert self._stable is not None, "only with a model"
        grey = lr.astype(np.float32)
        return self._stable.upscale_slice(grey, self.intensity, grey.dtype).image

    def _detail_of(self, index: int) -> npt.NDArray[np.float64]:
        sr = self.field.sr.slice(index)
        return detail(filled(sr, ~np.isfinite(sr)), self.field.factor)

    def _note_persistence(
        self, index: int, numbers: dict[str, Any], maps: dict[str, Float]
    ) -> Float:
        """Note it, and return how far less than usual persists, by place."""
        found, energy = self._persistence(index)
        there = np.where(np.isfinite(maps["consistency"]), found, np.nan)
        maps["persistence"] = there
        numbers["persistence"] = persistence.persistence_numbers(found, energy, self.sigma)
        if index + 1 in self.field.kept:
            here, after = self._detail(index), self._detail(index + 1)
            numbers["flicker"] = persistence.flicker_sums(here, after)
        return self._usual_persistence.heights(there, energy, self.sigma)

    def _persistence(self, index: int) -> tuple[Float, Float]:
        """Persistence and energy of the detail of a slice, on the LR grid."""
        here, kept = self._detail(index), self.field.kept
        place = kept.index(index)
        beside = [self._detail(z) for z in (*kept[:place][-1:], *kept[place + 1 :][:1])]
        found = self._coarse(persistence.persistence(here, beside, self.field.factor))
        return found, self._coarse(here**2) ** 0.5

    def _measure_persistence(self) -> persistence.UsualPersistence:
        picks = () if self.no_persistence is not None else self._picks()
        return persistence.UsualPersistence.of([self._persistence(i) for i in picks], self.sigma)

    def _compare(
        self,
        index: int,
        sr: Image,
        hr: Image,
        twin: Image | None,
        numbers: dict[str, Any],
        maps: dict[str, Float],
    ) -> None:
        pictures = {"": sr, "bicubic_": self.bicubic(index)}
        if twin is not None:
            pictures["twin_"] = twin
        compared = against_hr.compare(pictures, hr, self.field.factor, self.data_range)
        numbers |= compared.numbers
        maps |= compared.maps


def common_data_range(field: Field) -> float | None:
    """Peak for PSNR and SSIM: of the dtype of HR, or None where HR is float and has to be looked through."""
    return data_range_of((field.hr or field.sr).dtype)
