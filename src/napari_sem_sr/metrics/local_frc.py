"""Fourier ring correlation of SR and HR in small patches: where SR stops following HR too early.

Every patch gets the frequency at which its own ring correlation first falls below 0.5. What counts as too early is not
chosen by hand: bicubic interpolation cannot invent anything, so the frequency under which 5 % of *its* patches fall is
the limit, and 5 % the false-alarm rate. A patch of SR below that limit is further from HR than interpolation
of LR hardly ever is: something was drawn there that is not there.

Source: the idea of scanning by local FRC from sFRC (Kc et al., FDA, github.com/DIDSR/sfrc), where the limit is set
from fakes that experts marked; the limit from bicubic is ours. Hann window; patches overlap by half.

What it can and cannot tell: it needs HR of the same field, laid over SR. Patches without structure beyond HR's noise
are left out, as noise correlates with nothing. A fake much smaller than a patch hardly moves its correlation.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from numpy.lib.stride_tricks import sliding_window_view

from napari_sem_sr.metrics.frc import THRESHOLD
from napari_sem_sr.metrics.noise import noise_sigma
from napari_sem_sr.metrics.rings import frequency, ring_numbers, ring_totals

Float = npt.NDArray[np.float32]

# LR pixels along a patch: enough rings below LR's Nyquist frequency.
PATCH_LR_PX = 16
RINGS = 16
FALSE_ALARMS = 0.05
# Standard deviation of a patch of HR, in that of its noise, from which on it shows something.
STRUCTURE = 2.0
# Classes of the crossing frequency, 0 to half a cycle per SR pixel.
CLASSES = 64


def patch_px(factor: int) -> int:
    """Side of a patch in SR pixels; even.

    Parameters
    ----------
    factor
        SR pixels per LR pixel.
    """
    return PATCH_LR_PX * factor


def local_crossings(
    image: npt.NDArray[Any], hr: npt.NDArray[Any], factor: int
) -> npt.NDArray[np.float64] | None:
    """Crossing frequency of every patch, (rows, columns), in cycles per SR pixel; 0.5 where it does not cross.

    NaN for patches with NaN pixels or without structure; None where the image is smaller than a patch.

    Parameters
    ----------
    image
        SR, twin or bicubic, ``(y, x)`` on the grid of SR.
    hr
        Of the same shape.
    factor
        SR pixels per LR pixel.
    """
    side = patch_px(factor)
    if min(hr.shape) < side:
        return None
    step = side // 2
    a, b = (
        sliding_window_view(i.astype(np.float64), (side, side))[::step, ::step] for i in (image, hr)
    )
    seen = b.std(axis=(2, 3)) >= STRUCTURE * max(noise_sigma(hr), 1e-9)
    seen &= np.isfinite(a.sum(axis=(2, 3)) + b.sum(axis=(2, 3)))
    window = np.outer(np.hanning(side), np.hanning(side))
    ring = _rings(side)
    found = np.full(seen.shape, np.nan)
    for row in range(seen.shape[0]):
        columns = np.flatnonzero(seen[row])
        if columns.size == 0:
            continue
        fa, fb = (_spectra(patches[row, columns], window) for patches in (a, b))
        cross, pa, pb = (
            np.stack([ring_totals(v, ring, RINGS) for v in values])
            for values in ((fa * fb.conj()).real, np.abs(fa) ** 2, np.abs(fb) ** 2)
        )  # fmt: skip
        correlation = cross / np.maximum(np.sqrt(pa * pb), np.finfo(np.float64).tiny)
        found[row, columns] = _crossing(correlation)
    return found


def spread(crossings: npt.NDArray[np.float64], lr_shape: tuple[int, int]) -> Float:
    """Patches' values on the grid of LR: each pixel gets the patch whose middle is nearest.

    Parameters
    ----------
    crossings
        ``(rows, columns)`` as of `local_crossings`.
    lr_shape
        (y, x) of LR.
    """
    step = PATCH_LR_PX // 2
    index = [
        np.clip((np.arange(n) - step // 2) // step, 0, m - 1)
        for n, m in zip(lr_shape, crossings.shape, strict=True)
    ]
    return crossings[np.ix_(*index)].astype(np.float32)


def histogram(crossings: npt.NDArray[np.float64] | None) -> list[int]:
    """How many patches cross in each class of frequency.

    Parameters
    ----------
    crossings
        ``(rows, columns)`` as of `local_crossings`; NaN and None count nothing.
    """
    values = np.zeros(0) if crossings is None else crossings[np.isfinite(crossings)]
    return [int(v) for v in np.histogram(values, CLASSES, (0, 0.5))[0]]


def summarise_local(
    sr: Sequence[Sequence[int]],
    bicubic: Sequence[Sequence[int]],
    twin: Sequence[Sequence[int]] | None,
    factor: int,
    pixel_nm: float | None,
) -> dict[str, Any] | None:
    """Share of patches that stop following HR too early, of histograms of all slices; None without any patch.

    ``limit_cycles_per_lr_px`` is 0.5 at LR's Nyquist frequency. ``false_alarm_rate`` is bicubic's share at that limit:
    at most 5 %, less where classes of frequency do not divide finer.

    Parameters
    ----------
    sr
        `histogram` of SR, slice by slice.
    bicubic
        `histogram` of bicubic interpolation, slice by slice, which sets the limit.
    twin
        `histogram` of the twin; None without one.
    factor
        SR pixels per LR pixel.
    pixel_nm
        Side of an SR pixel in nm; None where unknown.
    """
    counts = np.sum(bicubic, axis=0)
    n = int(counts.sum())
    if n == 0:
        return None
    # the most classes that hold no more than that share of bicubic's patches
    below = np.concatenate([[0], np.cumsum(counts)])
    limit = int(np.flatnonzero(below <= FALSE_ALARMS * n)[-1])

    def share(of: Sequence[Sequence[int]]) -> float:
        total = np.sum(of, axis=0)
        return float(total[:limit].sum() / max(1, total.sum()))

    frequency = limit * 0.5 / CLASSES
    return {
        "patch_px": patch_px(factor),
        "patches": n,
        "threshold": THRESHOLD,
        "limit_cycles_per_lr_px": frequency * factor,
        "limit_nm": pixel_nm / frequency if pixel_nm and frequency else None,
        "false_alarm_rate": float(below[limit] / n),
        "wrong_fraction": share(sr),
        "twin_wrong_fraction": None if twin is None else share(twin),
    }


def _rings(side: int) -> npt.NDArray[np.intp]:
    return ring_numbers(frequency((side, side), half=True), 0.5, RINGS)


def _spectra(
    patches: npt.NDArray[np.float64], window: npt.NDArray[np.float64]
) -> npt.NDArray[np.complex128]:
    centred = patches - patches.mean(axis=(1, 2), keepdims=True)
    return np.asarray(np.fft.rfft2(centred * window))


def _crossing(correlation: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """First frequency below the threshold, between the middles of rings, of (patches, rings)."""
    width = 0.5 / RINGS
    below = correlation < THRESHOLD
    first = np.where(below.any(axis=1), below.argmax(axis=1), RINGS)
    found = np.full(len(correlation), 0.5)
    for number, ring in enumerate(first):
        if ring == RINGS:
            continue
        # before the first ring everything agrees, as means are equal
        before = correlation[number, ring - 1] if ring else 1.0
        here = correlation[number, ring]
        part = (before - THRESHOLD) / (before - here)
        found[number] = min(0.5, max(0.0, (ring - 0.5 + part) * width))
    return found
