"""Noise and blur of an LR stack, from the stack alone."""

from dataclasses import dataclass
from math import sqrt
from typing import Any

import numpy as np
import numpy.typing as npt

from napari_sem_sr.degradation.blur_measurement import measure_blur
from napari_sem_sr.degradation.conditions import CLEAN, Conditions
from napari_sem_sr.degradation.noise_measurement import Noise, measure_noise
from napari_sem_sr.intensity import IntensityRange, stack_range
from napari_sem_sr.sampling import evenly_spaced
from napari_sem_sr.stack import SemStack

# Enough slices to know the noise of a stack and whether it changes along it.
SLICES = 8
# Side of the central part of a slice that is looked at.
PART = 512
# Ratio of noise between slices beyond which a person is told.
VARIES = 1.5
# Part of pixels at the limits of the dtype beyond which noise cannot be seen there.
SATURATED = 0.2
# Jumps across the borders of 8 × 8 blocks over those elsewhere: what JPEG at low quality leaves.
BLOCKY = 1.25
# Calm places whose spectrum falls so steeply were filtered, if their noise is more than rounding leaves.
FILTERED = 0.15
_ROUNDING_VARIANCE = 1 / 12


@dataclass(frozen=True)
class MeasuredConditions:
    """Conditions of a stack as measured, and what a person should know about how far to trust them.

    Parameters
    ----------
    conditions
        For networks.
    intensity
        Range that they are parts of.
    notices
        Sentences: noise that could not be measured and what was assumed, slices that differ.
    """

    conditions: Conditions
    intensity: IntensityRange
    notices: tuple[str, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """Conditions as parts of the range, noise in grey values at mid range, and notices."""
        return {
            **self.conditions.to_json(),
            "noise_grey": self.conditions.noise_grey(self.intensity),
            "notices": list(self.notices),
        }

    def sentence(self) -> str:
        """For a person, in grey values and LR pixels."""
        return self.conditions.sentence(self.intensity)


def measure_conditions(
    stack: SemStack,
    intensity: IntensityRange | None = None,
    region: tuple[tuple[int, int], tuple[int, int]] | None = None,
) -> MeasuredConditions:
    """Measure noise and blur of ``stack`` from up to ``SLICES`` evenly spaced slices.

    Noise is always measured; blur only where the evidence is strong, and else taken as none.

    Parameters
    ----------
    intensity
        Range that networks see the stack in; measured where None.
    region
        ((y0, y1), (x0, x1)) in LR pixels of the part that is used; None for all of each slice.

    Raises
    ------
    InputError
        If no slice can be read, or all are NaN.
    """
    within = intensity or stack_range(stack, region)
    parts = {z: _part(stack, z, region) for z in evenly_spaced(stack.shape[0], SLICES)}
    images = {
        z: image
        for z, image in parts.items()
        if image is not None and np.nanmax(image) > np.nanmin(image)
    }
    if not images:
        return _assumed(within, f"The noise of '{stack.name}' cannot be measured: it is constant.")
    usable = list(images.values())
    limits = _limits(usable)
    share = _saturated(usable, limits)
    if share > SATURATED:
        return _assumed(
            within,
            f"{share:.0%} of the pixels of '{stack.name}' are saturated, so its noise cannot be measured.",
        )
    noise = measure_noise(usable, within.low, within.high, limits)
    if noise is None:
        return _assumed(
            within, f"'{stack.name}' is too small or too saturated for its noise to be measured."
        )
    notices = [*_doubts(stack, usable, noise), *_varying(stack, images, within, limits)]
    whole = [image for image in usable if np.isfinite(image).all()]
    mean_variance = (noise.black_variance + noise.white_variance) / 2
    blur = measure_blur(whole, mean_variance, noise.line_correlation) if whole else 0.0
    width = within.high - within.low
    conditions = Conditions(
        sqrt(noise.black_variance) / width,
        sqrt(noise.white_variance) / width,
        noise.line_correlation,
        blur,
    )
    return MeasuredConditions(conditions, within, tuple(notices))


def _assumed(intensity: IntensityRange, why: str) -> MeasuredConditions:
    return MeasuredConditions(
        CLEAN, intensity, (f"{why} It was assumed to have none; type it in if that is wrong.",)
    )


def _part(
    stack: SemStack, z: int, region: tuple[tuple[int, int], tuple[int, int]] | None
) -> npt.NDArray[Any] | None:
    """Central part of a slice, without its databar; None where it cannot be read or holds nothing."""
    try:
        image = stack.slice(z)
    except Exception:  # readers of many formats fail in many ways; the run itself names the slice
        return None
    (y0, y1), (x0, x1) = region or ((0, image.shape[0]), (0, image.shape[1]))
    if stack.image_rows is not None and max(y0, stack.image_rows[0]) < min(y1, stack.image_rows[1]):
        y0, y1 = max(y0, stack.image_rows[0]), min(y1, stack.image_rows[1])
    top, left = max(y0, (y0 + y1 - PART) // 2), max(x0, (x0 + x1 - PART) // 2)
    part = image[top : min(y1, top + PART), left : min(x1, left + PART)]
    if part.dtype.kind == "f" and not np.isfinite(part).any():
        return None
    return part


def _limits(images: list[npt.NDArray[Any]]) -> tuple[float, float] | None:
    dtype = images[0].dtype
    if dtype.kind == "f":
        return None
    return float(np.iinfo(dtype).min), float(np.iinfo(dtype).max)


def _saturated(images: list[npt.NDArray[Any]], limits: tuple[float, float] | None) -> float:
    if limits is None:
        return 0.0
    low, high = limits
    return float(np.mean([((image <= low) | (image >= high)).mean() for image in images]))


def _doubts(stack: SemStack, images: list[npt.NDArray[Any]], noise: Noise) -> list[str]:
    variance = (noise.black_variance + noise.white_variance) / 2
    whole = [image for image in images if np.isfinite(image).all()]
    if max(map(_blockiness, whole), default=1.0) > BLOCKY:
        return [
            f"'{stack.name}' shows the 8 × 8 blocks of JPEG compression, which hides noise and leaves edges that are "
            "none; use the file as the microscope wrote it."
        ]
    integer = images[0].dtype.kind != "f"
    if noise.whiteness < FILTERED and variance > 4 * _ROUNDING_VARIANCE * integer:
        return [
            f"The noise of '{stack.name}' is not white across scan lines: it was filtered, denoised or resampled, or "
            "is hidden by fine texture; what was measured is a guess."
        ]
    return []


def _blockiness(image: npt.NDArray[Any]) -> float:
    """Second differences across the borders of 8 × 8 blocks over those elsewhere, the less of both directions."""
    found = []
    for lines in (image, image.T):
        if len(lines) < 32:
            return 1.0
        wide = lines.astype(np.float64)
        bend = np.abs(wide[:-3] - 3 * wide[1:-2] + 3 * wide[2:-1] - wide[3:]).mean(axis=1)
        phases = np.array([bend[phase::8].mean() for phase in range(8)])
        found.append(float(phases.max() / max(float(np.median(phases)), 1e-12)))
    return min(found)


def _varying(
    stack: SemStack,
    images: dict[int, npt.NDArray[Any]],
    within: IntensityRange,
    limits: tuple[float, float] | None,
) -> list[str]:
    """Say which slices are noisier than others."""
    levels = {}
    for z, image in images.items():
        found = measure_noise([image], within.low, within.high, limits)
        if found is not None:
            levels[z] = sqrt((found.black_variance + found.white_variance) / 2)
    if len(levels) < 2:
        return []
    low, high = min(levels, key=levels.__getitem__), max(levels, key=levels.__getitem__)
    if levels[high] <= VARIES * max(levels[low], sqrt(_ROUNDING_VARIANCE)):
        return []
    return [
        f"Noise varies along '{stack.name}', from {levels[low]:.3g} grey levels (slice {low}) to {levels[high]:.3g} "
        f"(slice {high}); one mean is used for all. Upscale parts with their own noise if that is not wanted."
    ]
