"""A first guess of where HR lies over LR, on the grid of LR: to be refined.

Normalised cross-correlation of the band-passed pictures (Lewis 1995, Fast normalized cross-correlation); how HR may be
turned and stretched by phase correlation of log-polar spectra (Reddy and Chatterji 1996, IEEE Trans. Image
Process. 5, 1266); both as in scikit-image.
"""

from dataclasses import dataclass

import numpy as np
from scipy.ndimage import label
from skimage.feature import match_template
from skimage.registration import phase_cross_correlation
from skimage.transform import warp_polar

from napari_sem_sr.metrics.resample import area_average
from napari_sem_sr.teachers.registration.placement import Float, Image, Picture, Placement, banded

# A second place that fits nearly as well means that the first is chance, or one of many periods.
SECOND_BEST = 0.8
# Share of the searched range, along y or x, over which the best place may be smeared.
ALONG_A_LINE = 0.9
ANGLES = 720


@dataclass(frozen=True)
class BestPlacement:
    """The best place for one way to turn and stretch HR; ``doubt`` says why not to believe it, "" where there is none.

    Parameters
    ----------
    placement
        Shift, scale and rotation.
    correlation
        Of LR and HR there, -1 to 1.
    """

    placement: Placement
    correlation: float
    doubt: str = ""


def search(lr: Image, picture: Picture, factor: int, trial: Placement) -> BestPlacement:
    """Best shift on LR's grid for HR turned and stretched as in ``trial``, and why not to believe it.

    Parameters
    ----------
    lr
        ``(y, x)``.
    picture
        HR, to be looked at anywhere.
    factor
        SR pixels per LR pixel.
    """
    small = _small(picture, factor, trial)
    a, b = banded(lr), banded(small)
    # the middle of the smaller one is sought in the larger one
    swapped = b.size > a.size
    ground, other = (b, a) if swapped else (a, b)
    sides = [
        min(m // 2 if m > 0.75 * n else 3 * m // 4, n - 8)
        for m, n in zip(other.shape, ground.shape, strict=True)
    ]
    corner = [(m - side) // 2 for m, side in zip(other.shape, sides, strict=True)]
    template = other[tuple(np.s_[c : c + s] for c, s in zip(corner, sides, strict=True))]
    if np.ptp(template) == 0 or np.ptp(ground) == 0:
        return BestPlacement(trial, 0.0, "one of them shows nothing but a flat grey")
    surface = match_template(ground, template)  # type: ignore[no-untyped-call]
    peak = np.unravel_index(int(surface.argmax()), surface.shape)
    best = float(surface[peak])
    lobes, _ = label(surface > best / 2)
    lobe = lobes == lobes[peak]
    second = float(surface[~lobe].max(initial=0.0))

    origin = (np.array(corner) - peak) if swapped else (np.array(peak) - corner)
    middle = factor * (origin + np.array(small.shape) / 2) - 0.5
    shape = np.array(lr.shape) * factor
    # that SR pixel shows the middle of HR
    wanted = (np.array(picture.shape) - 1) / 2
    there = trial.matrix @ middle + trial.offset((int(shape[0]), int(shape[1])))
    dy, dx = (float(v) for v in (wanted - there) / trial.ratio)
    doubt = ""
    if best <= 0 or second > SECOND_BEST * best:
        doubt = (
            f"two places fit about equally well (correlations {best:.2f} and {second:.2f}); make sure that both show one field, "
            "and ask for scale and rotation if they may differ"
        )
    elif any(i in (0, n - 1) for i, n in zip(peak, surface.shape, strict=True)):
        doubt = "the best place lies at the edge of what was searched, so their fields overlap too little"
    elif max(lobe.any(axis=1).mean(), lobe.any(axis=0).mean()) > ALONG_A_LINE:
        doubt = "they fit at any place along a line, as there is structure along one direction only"
    placement = Placement(trial.ratio, (dy, dx), trial.turn, trial.stretch)
    return BestPlacement(placement, best, doubt)


def _small(picture: Picture, factor: int, trial: Placement) -> Float:
    """All of HR on a grid of LR pixels, turned and stretched back about its own middle."""
    y, x = (int(n / trial.ratio) // factor * factor for n in picture.shape)
    middle = (np.array(picture.shape) - 1) / 2
    offset = middle - trial.matrix @ ((np.array((y, x)) - 1) / 2)
    return area_average(picture.at(trial.matrix, offset, (y, x)), factor)


def turned(lr: Image, picture: Picture, factor: int, ratio: float) -> list[Placement]:
    """How HR may be turned and stretched, from the spectra, which do not care where the pictures lie.

    Parameters
    ----------
    lr
        ``(y, x)``.
    picture
        HR, to be looked at anywhere.
    factor
        SR pixels per LR pixel.
    ratio
        HR pixels per SR pixel, as pixel sizes say.
    """
    small = _small(picture, factor, Placement(ratio))
    side = min(*lr.shape, *small.shape)
    radius = side // 2
    window = np.outer(np.hanning(side), np.hanning(side))
    polar = []
    for image in (banded(lr), banded(small)):
        top, left = ((n - side) // 2 for n in image.shape)
        middle = image[top : top + side, left : left + side] * window
        spectrum = np.log1p(np.abs(np.fft.fftshift(np.fft.fft2(middle))))
        # half of a spectrum is the other half upside down
        half = warp_polar(
            spectrum, radius=radius, scaling="log", output_shape=(2 * ANGLES, radius)
        )[:ANGLES]
        polar.append(half - half.mean(axis=0))
    (angle, stretch), _, _ = phase_cross_correlation(  # type: ignore[no-untyped-call]
        polar[0], polar[1], upsample_factor=20, normalization=None
    )
    turn = float(angle) * 180 / ANGLES
    scale = float(np.exp(float(stretch) * np.log(radius) / radius))
    return [
        Placement(ratio, turn=sign * (turn + half), stretch=s)
        for sign in (1, -1)
        for half in (0.0, 180.0)
        for s in (scale, 1 / scale)
    ]
