"""Place an HR picture over the LR picture of the same field, to a fraction of an SR pixel.

HR, moved and averaged over LR pixels, is compared with LR; what is sought is the place where gain × HR + offset
comes nearest to LR: a search by normalised cross-correlation of the band-passed pictures (scale and rotation, only
when asked, by phase correlation of log-polar spectra), then Gauss-Newton on the grey values themselves. Each quarter of
the field is registered once more on its own, by phase correlation: where the quarters want different places, a shift is
not what separates the pictures, and it is refused.

Sources: those of `search` for the first guess; Guizar-Sicairos et al. 2008 (Opt. Lett. 33, 156) for the quarters, as in
scikit-image; Lucas and Kanade 1981 for the refinement.

What it can and cannot tell: charging, drift within a frame and tilt bend a picture; what is left after the best placement
is in ``local_shift_px``. Blur of LR beyond the averaging does not move the result, being symmetric, but changes the gain.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from skimage.registration import phase_cross_correlation

from napari_sem_sr.errors import InputError
from napari_sem_sr.metrics.resample import area_average
from napari_sem_sr.teachers.registration.placement import (
    Float,
    Image,
    Picture,
    Placement,
    banded,
    blurred,
    fit_line,
    inner_box,
)
from napari_sem_sr.teachers.registration.search import search, turned

SMALLEST_LR_PX = 32
# SR pixels along a side that the refinement looks at.
WINDOW_PX = 1536
LEAST_CORRELATION = 0.2
# Quarters that correlate less with LR have no say.
QUARTER_CORRELATION = 0.3
# Blur of both pictures, LR pixels: first for a wide valley, then for the bottom of it.
BLURS = (2.0, 0.0)
ITERATIONS = 30
STEP_PX = 0.25
CONVERGED_PX = 1e-3


@dataclass(frozen=True)
class Registration:
    """Where HR lies over LR.

    What LR shows at the SR pixel (y, x), on LR's grid divided by ``factor``, HR shows at (y, x) + ``shift_px``, times
    ``pixel_ratio``: positive values mean that HR's picture lies further down and right. Turning and stretching are about
    the middle of LR.

    Parameters
    ----------
    shift_px
        (dy, dx) in SR pixels.
    rotation_deg, scale
        Of HR against LR, on top of what the pixel sizes say; 0 and 1 unless they were asked for.
    gain, offset
        LR = gain × averaged HR + offset, in grey levels.
    residual_rms
        What that fit leaves, in grey levels of LR; LR's noise is part of it.
    correlation
        Of LR and the averaged, moved HR.
    local_shift_px
        (dy, dx) in SR pixels by which each quarter of the field (top left, top right, bottom left, bottom right) would
        still like to move; None where it shows too little.
    factor
        SR pixels per LR pixel.
    pixel_ratio
        HR pixels per SR pixel.
    """

    shift_px: tuple[float, float]
    rotation_deg: float
    scale: float
    gain: float
    offset: float
    residual_rms: float
    correlation: float
    local_shift_px: tuple[tuple[float, float] | None, ...]
    factor: int
    pixel_ratio: float = 1.0

    @property
    def placement(self) -> Placement:
        """Where HR's pixels lie."""
        return Placement(self.pixel_ratio, self.shift_px, self.rotation_deg, self.scale)

    @property
    def bend_px(self) -> float:
        """Largest of the quarters' own shifts, in SR pixels."""
        return max((float(np.hypot(*s)) for s in self.local_shift_px if s is not None), default=0.0)

    def describe(self) -> dict[str, Any]:
        """As plain values for people and programs."""
        shown = {k: list(v) if isinstance(v, tuple) else v for k, v in vars(self).items()}
        shown["local_shift_px"] = [None if s is None else list(s) for s in self.local_shift_px]
        return shown | {"bend_px": self.bend_px}


def register(
    lr: Image,
    hr: Image,
    factor: int,
    *,
    pixel_ratio: float = 1.0,
    scale_and_rotation: bool = False,
) -> Registration:
    """Find where ``hr`` lies over ``lr``.

    Parameters
    ----------
    lr, hr
        (y, x) in any real dtype; NaN is left out. HR may show part of LR's field, or more than it.
    factor
        SR pixels per LR pixel.
    pixel_ratio
        HR pixels per SR pixel, from their pixel sizes.
    scale_and_rotation
        Also find how HR is stretched and turned, and not only shifted.

    Raises
    ------
    InputError
        If no place fits, or several do equally well, or a shift is not enough; the sentence says which.
    """
    small = [int(n / pixel_ratio) // factor for n in hr.shape]
    if min(*lr.shape, *small) < SMALLEST_LR_PX:
        raise InputError(
            f"LR of {lr.shape[1]} × {lr.shape[0]} pixels and HR of {small[1]} × {small[0]} LR pixels are too small to be "
            f"registered; give at least {SMALLEST_LR_PX} × {SMALLEST_LR_PX}."
        )
    picture = Picture.of(hr, pixel_ratio)
    trials = [Placement(pixel_ratio)]
    if scale_and_rotation:
        trials += turned(lr, picture, factor, pixel_ratio)
    places = [search(lr, picture, factor, trial) for trial in trials]
    best = max(places, key=lambda place: place.correlation)
    if best.doubt:
        raise InputError(f"HR cannot be registered with LR: {best.doubt}.")
    placement = best.placement
    for blur in BLURS:
        placement = _refined(lr, picture, factor, placement, blur, 4 if scale_and_rotation else 2)
    return _judged(lr, picture, factor, placement, asked=scale_and_rotation)


def _refined(
    lr: Image, picture: Picture, factor: int, start: Placement, blur: float, free: int
) -> Placement:
    """Gauss-Newton on dy, dx and (``free`` = 4) turn and stretch, in SR pixels that the corner moves."""
    shape = (factor * lr.shape[0], factor * lr.shape[1])
    reach = float(np.hypot(*shape)) / 2
    box = _window(picture, factor, start, lr.shape)
    target = blurred(lr.astype(np.float64)[box], blur)
    corner = factor * np.array([side.start for side in box])
    part = tuple(factor * (side.stop - side.start) for side in box)

    def moved(by: Float) -> Placement:
        return Placement(
            start.ratio,
            (start.shift[0] + by[0], start.shift[1] + by[1]),
            start.turn + float(np.degrees(by[2] / reach)),
            start.stretch * float(np.exp(by[3] / reach)),
        )

    def rest(by: Float) -> Float:
        place = moved(by)
        first = place.offset(shape) + place.matrix @ corner
        seen = picture.at(place.matrix, first, (part[0], part[1]))
        model = blurred(area_average(seen, factor), blur)
        line = fit_line(model, target)
        return target - line.gain * model - line.offset

    here = np.zeros(4)
    left = rest(here)
    for _ in range(ITERATIONS):
        sides = [(rest(here + s), rest(here - s)) for s in np.eye(4)[:free] * STEP_PX]
        slope = np.stack([(a - b) / (2 * STEP_PX) for a, b in sides], axis=-1)
        valid = np.isfinite(left) & np.isfinite(slope).all(axis=-1)
        step = np.zeros(4)
        step[:free] = -np.linalg.lstsq(slope[valid], left[valid], rcond=None)[0]
        step *= min(1.0, 2 * factor / max(float(np.abs(step).max()), CONVERGED_PX))
        there = rest(here + step)
        while np.nanmean(there**2) > np.nanmean(left**2) and np.abs(step).max() > CONVERGED_PX:
            step /= 2
            there = rest(here + step)
        if np.nanmean(there**2) > np.nanmean(left**2):
            break
        here, left = here + step, there
        if np.abs(step).max() <= CONVERGED_PX:
            break
    return moved(here)


def _window(
    picture: Picture, factor: int, place: Placement, lr_shape: tuple[int, ...]
) -> tuple[slice, slice]:
    """Part of LR around the middle of what HR covers, small enough to be looked at again and again."""
    shape = (factor * lr_shape[0], factor * lr_shape[1])
    height, width = picture.shape
    corners = np.array([(y, x) for y in (0, height - 1) for x in (0, width - 1)])
    there = np.linalg.solve(place.matrix, (corners - place.offset(shape)).T) / factor
    box = []
    for where, size in zip(there, lr_shape, strict=True):
        first, end = max(0.0, float(where.min())), min(float(size), float(where.max()) + 1)
        side = min(size, WINDOW_PX // factor, max(1, int(end - first)))
        start = min(max(0, int((first + end - side) / 2)), size - side)
        box.append(slice(start, start + side))
    return box[0], box[1]


def _judged(
    lr: Image, picture: Picture, factor: int, placement: Placement, *, asked: bool
) -> Registration:
    """Give the registration, or say why there is none."""
    model = area_average(
        picture.placed(placement, (factor * lr.shape[0], factor * lr.shape[1])), factor
    )
    line = fit_line(model, lr.astype(np.float64))
    if line.correlation < LEAST_CORRELATION:
        raise InputError(
            f"HR cannot be registered with LR: where they fit best their correlation is only {line.correlation:.2f}; give two "
            "pictures of one field with the same kind of contrast."
        )
    found = Registration(
        shift_px=placement.shift,
        rotation_deg=placement.turn,
        scale=placement.stretch,
        gain=line.gain,
        offset=line.offset,
        residual_rms=line.rms,
        correlation=line.correlation,
        local_shift_px=_quarters(lr, line.gain * model + line.offset, factor),
        factor=factor,
        pixel_ratio=placement.ratio,
    )
    if found.bend_px > factor:
        advice = (
            "they are bent against each other (drift, charging), which is not undone here"
            if asked
            else "ask for scale and rotation too"
        )
        raise InputError(
            f"HR cannot be registered with LR by {'one placement' if asked else 'a shift alone'}: a quarter of the field lies "
            f"{found.bend_px:.1f} SR pixels from where the rest places it; {advice}."
        )
    return found


def _quarters(lr: Image, model: Float, factor: int) -> tuple[tuple[float, float] | None, ...]:
    box = inner_box(np.isfinite(model) & np.isfinite(lr))
    if box is None:
        return (None,) * 4
    a, b = banded(lr[box]), banded(model[box])
    h, w = a.shape[0] // 2, a.shape[1] // 2
    found: list[tuple[float, float] | None] = []
    for part in (np.s_[:h, :w], np.s_[:h, w:], np.s_[h:, :w], np.s_[h:, w:]):
        p, q = a[part], b[part]
        if min(p.shape) < SMALLEST_LR_PX // 2 or np.ptp(p) == 0 or np.ptp(q) == 0:
            found.append(None)
            continue
        shift, _, _ = phase_cross_correlation(  # type: ignore[no-untyped-call]
            q, p, upsample_factor=50, normalization=None
        )
        rolled = np.roll(p, [round(float(v)) for v in shift], (0, 1))
        seen = np.corrcoef(rolled.ravel(), q.ravel())[0, 1] >= QUARTER_CORRELATION
        found.append((float(shift[0]) * factor, float(shift[1]) * factor) if seen else None)
    return tuple(found)
