"""Power over spatial frequency, of part of a slice.

The power is a density per area: it does not depend on the pixel size, so that LR, SR and HR of one field
lie on one curve as far as they agree.

Source: Welch 1967 (IEEE Trans. Audio Electroacoust. 15, 70) for the window's normalisation; one Hann window here.

What it can and cannot tell: whether SR holds as much detail of each size as HR does. Not whether it is the same
detail: noise of the right strength has the right spectrum.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from napari_sem_sr.errors import InputError
from napari_sem_sr.metrics.rings import frequency, ring_numbers, ring_totals
from napari_sem_sr.stack import SemStack

Values = npt.NDArray[np.float64]
Box = tuple[tuple[float, float], tuple[float, float]]
SMALLEST = 16


@dataclass(frozen=True, eq=False)
class Spectrum:
    """Radially averaged power.

    Parameters
    ----------
    frequency
        Cycles per unit of the world (per nm where it is known), up to `nyquist`, zero left out.
    power
        Grey levels² × area of the world.
    nyquist
        Half a cycle per pixel, of the coarser of y and x.
    """

    frequency: Values
    power: Values
    nyquist: float


def radial_power(stack: SemStack, z: float, box: Box | None = None) -> Spectrum:
    """Power spectrum of the slice nearest to ``z``.

    Parameters
    ----------
    stack
        Of which one slice is read.
    z
        In the stack's world.
    box
        ((y0, y1), (x0, x1)) in the stack's world; whole slices by default. NaN is taken as the mean.

    Raises
    ------
    InputError
        If the part is smaller than 16 × 16 pixels, all NaN, or ``z`` lies outside of the stack.
    """
    world = stack.world
    index = round((z - world.translate[0]) / world.scale[0])
    if not 0 <= index < stack.shape[0]:
        raise InputError(f"'{stack.name}' has no slice there.")
    steps = world.scale[1:]
    bounds = [(0, n) for n in stack.shape[1:]]
    if box is not None:
        # pixels whose centres lie in the box
        bounds = [
            (max(0, int(np.ceil((a - t) / s))), min(n, int(np.floor((b - t) / s)) + 1))
            for (a, b), t, s, n in zip(
                box, world.translate[1:], steps, stack.shape[1:], strict=True
            )
        ]
    if any(b - a < SMALLEST for a, b in bounds):
        raise InputError(
            f"Too few pixels of '{stack.name}' for a spectrum; show at least {SMALLEST} × {SMALLEST} of them."
        )
    image = stack.slice(index)[tuple(slice(a, b) for a, b in bounds)].astype(np.float64)
    density = _density(image, steps, stack.name)
    radius = frequency(image.shape, steps)
    nyquist = 0.5 / max(steps)
    # rings no thinner than the transform's own step
    rings = int(nyquist * min(n * s for n, s in zip(image.shape, steps, strict=True)))
    ring = ring_numbers(radius, nyquist, rings)
    count, power, found = (
        ring_totals(values, ring, rings) for values in (np.ones_like(radius), density, radius)
    )
    kept = np.flatnonzero(count > 0)[1:]
    return Spectrum(found[kept] / count[kept], power[kept] / count[kept], nyquist)


def _density(image: Values, steps: Any, name: str) -> Values:
    valid = np.isfinite(image)
    if not valid.any():
        raise InputError(f"The part of '{name}' on screen is all NaN; pan to where there is data.")
    image = np.where(valid, image, image[valid].mean())
    window = np.outer(*(np.hanning(n + 2)[1:-1] for n in image.shape))
    centred = image - np.average(image, weights=window)
    transform = np.fft.fft2(window * centred)
    density: Values = np.abs(transform) ** 2 * steps[0] * steps[1] / (window**2).sum()
    return density
