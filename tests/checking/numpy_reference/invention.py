"""What the adversarial stage drew, and where GAN and twin disagree about it.

The twin is the generator before the adversarial stage. Above the Nyquist frequency of LR their difference is
what the adversarial stage invented. Where both draw the same detail it follows from LR; where they do not, LR
leaves it open.

Source: our own comparison on held-out specimens of several materials. H is a band-pass, a Gaussian of 0.7
minus one of 2.5 SR pixels at x4; A is the local correlation of H(GAN) and H(twin) in a Gaussian window of 5
SR pixels; e the local root mean square of H(SR). Ranks of -A and -e together found detail that is locally
uncorrelated with HR with an AUROC of 0.93 to 0.97, -e alone with 0.91 to 0.94, the mere amount of invention far less.

What it can and cannot tell: agreement of GAN and twin says that detail is *determined* by LR as far as this
model has learnt, not that it is true: on a material it was not taught on, both can be wrong together. A low e
says that there is too little detail to be right about, not that something was made up.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.ndimage import gaussian_filter
from scipy.stats import rankdata

from napari_sem_sr.metrics.resample import area_average

Float = npt.NDArray[np.float32]

# In SR pixels at factor 4, where they were measured; they scale with the factor, as the LR pixel does.
FINE, COARSE, WINDOW, BLUR = 0.7, 2.5, 5.0, 1.5
MEASURED_AT = 4
# Below this share of a grey level there is nothing to correlate.
TINY = 1e-3


@dataclass(frozen=True, eq=False)
class Invention:
    """Maps on the SR grid, NaN where SR is.

    Parameters
    ----------
    amount
        Local root mean square of GAN − twin, in grey levels.
    agreement
        Local correlation A of their detail, -1 to 1.
    energy
        Local root mean square e of SR's detail, in grey levels.
    """

    amount: Float
    agreement: Float
    energy: Float


def invention(gan: npt.NDArray[Any], twin: npt.NDArray[Any], factor: int) -> Invention:
    """Compare GAN and twin, ``(y, x)`` each, in grey levels."""
    masked = ~(np.isfinite(gan) & np.isfinite(twin))
    a, b = (filled(image, masked) for image in (gan, twin))
    scale = factor / MEASURED_AT
    ha, hb = detail(a, factor), detail(b, factor)
    amount = np.sqrt(np.maximum(gaussian_filter((a - b) ** 2, BLUR * scale), 0))
    energy = np.sqrt(np.maximum(gaussian_filter(ha**2, WINDOW * scale), 0))
    agreement = local_correlation(ha, hb, WINDOW * scale)
    return Invention(*(_masked(image, masked) for image in (amount, agreement, energy)))


def added(found: Invention, factor: int) -> tuple[Float, Float]:
    """What was added to the twin, on the LR grid in grey levels, measured in two ways.

    Its amount, and the detail that no multiple of the twin's detail explains: a texture shows in the first, a
    structure in the second.
    """
    explained = np.maximum(found.agreement, 0) ** 2
    unexplained = area_average(found.energy**2 * (1 - explained), factor)
    amount = area_average(found.amount**2, factor)
    return np.sqrt(amount).astype(np.float32), np.sqrt(unexplained).astype(np.float32)


def detail(image: npt.NDArray[Any], factor: int) -> npt.NDArray[np.float64]:
    """Band-pass H of an image without NaN."""
    scale = factor / MEASURED_AT
    values = image.astype(np.float64)
    return np.asarray(
        gaussian_filter(values, FINE * scale) - gaussian_filter(values, COARSE * scale)
    )


def local_correlation(
    a: npt.NDArray[np.float64], b: npt.NDArray[np.float64], window: float
) -> npt.NDArray[np.float64]:
    """Normalised cross-correlation in a Gaussian window of ``window`` pixels; 0 where either is flat."""
    ma, mb = gaussian_filter(a, window), gaussian_filter(b, window)
    va = np.maximum(gaussian_filter(a * a, window) - ma**2, 0)
    vb = np.maximum(gaussian_filter(b * b, window) - mb**2, 0)
    covariance = gaussian_filter(a * b, window) - ma * mb
    norm = np.sqrt(va * vb)
    enough = norm > TINY**2
    ratio = np.divide(covariance, norm, out=np.zeros_like(norm), where=enough)
    return np.asarray(np.clip(ratio, -1, 1))


def wrong_detail(agreement: npt.NDArray[Any], energy: npt.NDArray[Any]) -> Float:
    """Mean rank of -A and -e among all given places, 0 (least) to 1 (most suspect); NaN stays NaN."""
    valid = np.isfinite(agreement) & np.isfinite(energy)
    ranks = np.full(agreement.shape, np.nan, np.float32)
    if not valid.any():
        return ranks
    both = rankdata(-agreement[valid]) + rankdata(-energy[valid])
    ranks[valid] = (both / 2 - 1) / max(1, int(valid.sum()) - 1)
    return ranks


def doubt(agreement: npt.NDArray[Any], energy: npt.NDArray[Any], sigma: float) -> Float:
    """Score of wrong detail that compares across slices: -A - 0.3 ln(e / sigma), ``sigma`` the noise of LR."""
    ratio = np.maximum(energy / max(sigma, TINY), TINY)
    return (-agreement - 0.3 * np.log(ratio)).astype(np.float32)


def filled(image: npt.NDArray[Any], masked: npt.NDArray[np.bool_]) -> npt.NDArray[np.float64]:
    """``image`` in float with its mean where it is ``masked``."""
    values = image.astype(np.float64)
    if masked.any():
        values[masked] = values[~masked].mean() if not masked.all() else 0.0
    return values


def _masked(image: npt.NDArray[np.float64], masked: npt.NDArray[np.bool_]) -> Float:
    found = image.astype(np.float32)
    found[masked] = np.nan
    return found
