"""SR degraded back to LR, against the LR that was measured.

Whatever a generator draws, degrading it has to give LR again, up to LR's noise. The degradation is that of the model's
card without anything random: averaging over LR pixels, after the beam blur of a model that was matched to its
microscope. The residual is given in standard deviations of that noise, which is estimated from LR itself.

Sources: chi-square of the residual as in any fit to data; resolution-scaled error (RSE) and Pearson
coefficient (RSP) after Culley et al. 2018 (SQUIRREL, Nat. Methods 15, 263), with the model's own degradation in
place of a fitted blur: gain and offset are fitted, then RSE is the root mean square of what remains, in grey
levels, and RSP the correlation.

What it can and cannot tell: it finds faults and additions that change the LR image (a particle drawn where
none was measured, a shift, a wrong grey level). It is blind to detail whose average over each LR pixel is zero,
and that is most of what a generator invents: a consistent picture is not a true one. A generator that is
taught on noise-free LR copies LR's noise, so natural residuals are smaller than the noise.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Self

import dask.array as da
import numpy as np
import numpy.typing as npt

from napari_sem_sr.checking.protocol import Evidence, Found, MapKind, Shown, SoFar, summed
from napari_sem_sr.degradation.degrade import AREA_AVERAGE, Degradation, expected, spread
from napari_sem_sr.metrics.noise import noise_sigma
from napari_sem_sr.sampling import evenly_spaced
from napari_sem_sr.stack import SemStack

if TYPE_CHECKING:
    from napari_sem_sr.checking.view.seen import Seen
    from napari_sem_sr.checking.view.setup import Setup

Float = npt.NDArray[np.float32]

SAMPLED_SLICES = 8
# Variance of rounding to whole numbers.
ROUNDING = 1 / 12
# Steps of conjugate gradients, and the share of the residual at which there is nothing left to take off.
STEPS, LEFT = 10, 0.02


def lr_sigma(lr: SemStack, factor: int) -> float:
    """Noise of LR in grey levels, with the rounding of LR and of SR where they are integers.

    The median over up to ``SAMPLED_SLICES`` slices of :func:`~napari_sem_sr.metrics.noise.noise_sigma`.

    Parameters
    ----------
    lr
        Of which a few slices are read.
    factor
        SR pixels per LR pixel.
    """
    picks = evenly_spaced(lr.shape[0], SAMPLED_SLICES)
    sigma = float(np.nanmedian([noise_sigma(lr.slice(z)) for z in picks]))
    rounding = ROUNDING * (1 + 1 / factor**2) if lr.dtype.kind in "ui" else 0.0
    # flat and free of noise: any positive unit will do
    return float(np.sqrt(sigma**2 + rounding)) or 1.0


def residual(
    sr: npt.NDArray[Any],
    lr: npt.NDArray[Any],
    factor: int,
    degradation: Degradation = AREA_AVERAGE,
) -> Float:
    """SR degraded − LR, ``(y, x)`` of LR in grey levels; NaN where either is.

    Parameters
    ----------
    sr
        ``(f y, f x)`` in grey levels.
    lr
        ``(y, x)`` in grey levels.
    factor
        SR pixels per LR pixel.
    degradation
        That SR is taken to LR with.
    """
    return left_over(expected(sr, factor, degradation), lr)


def left_over(degraded: npt.NDArray[Any], lr: npt.NDArray[Any]) -> Float:
    """`residual` of SR that is degraded already.

    Parameters
    ----------
    degraded
        ``(y, x)`` in grey levels.
    lr
        ``(y, x)`` in grey levels.
    """
    return np.asarray(degraded - lr, np.float32)


def residual_stack(sr: SemStack, lr: SemStack, factor: int) -> SemStack:
    """Lazy `residual` of two stacks of one field, in place of ``lr``.

    Parameters
    ----------
    sr
        Covers the field of LR.
    factor
        SR pixels per LR pixel.
    """

    def block(a: npt.NDArray[Any], b: npt.NDArray[Any]) -> Float:
        if a.size == 0:  # dask asks for the dtype with an empty array
            return np.empty(b.shape, np.float32)
        return residual(a[0], b[0], factor)[np.newaxis]

    whole = (1, -1, -1)
    coarse = lr.data.rechunk(whole)
    data = da.map_blocks(
        block,
        sr.data.rechunk(whole),
        coarse,
        chunks=coarse.chunks,
        dtype=np.float32,
        meta=np.empty((0, 0, 0), np.float32),
    )
    return replace(lr, data=data, name=f"{sr.name} averaged − {lr.name}", paths=(), provenance=None)


@dataclass(frozen=True)
class ConsistencyRecord:
    """Sums over one slice: pixels, z², pixels beyond 3 sigma; of SR degraded (a) and LR (b) values, squares and products.

    Parameters
    ----------
    n
        Pixels that were compared.
    chi2
        Sum of z².
    beyond
        Pixels beyond 3 sigma.
    a, b, aa, bb, ab
        Sums of values, squares and products.
    """

    n: float
    chi2: float
    beyond: float
    a: float
    b: float
    aa: float
    bb: float
    ab: float


@dataclass(frozen=True)
class ConsistencySection:
    """How far SR, degraded, is LR.

    ``chi2`` is a mean, 1 where the residual is LR's noise; ``rse``, ``residual_rms``, ``lr_contrast`` (standard deviation
    of LR) and ``noise_sigma`` are in grey levels.

    Parameters
    ----------
    rsp
        Correlation of LR and SR degraded (resolution-scaled Pearson); None where either is flat.
    fraction_beyond_3_sigma
        Share of pixels; 0.0027 where the residual is LR's noise.
    degradation
        In words.
    """

    rse: float | None
    rsp: float | None
    chi2: float | None
    fraction_beyond_3_sigma: float | None
    residual_rms: float | None
    lr_contrast: float | None
    noise_sigma: float
    degradation: str


def residual_sums(
    degraded: npt.NDArray[Any], lr: npt.NDArray[Any], sigma: float
) -> ConsistencyRecord:
    """Sums over one slice of degraded SR from which `consistency_of` makes the numbers of a stack.

    Parameters
    ----------
    degraded
        ``(y, x)`` in grey levels.
    lr
        ``(y, x)`` in grey levels.
    sigma
        Standard deviation of LR's noise in grey levels.
    """
    a, b = degraded.astype(np.float64), lr.astype(np.float64)
    valid = np.isfinite(a) & np.isfinite(b)
    a, b = a[valid], b[valid]
    z = (a - b) / sigma
    return ConsistencyRecord(
        n=float(a.size),
        chi2=float((z * z).sum()),
        beyond=float(np.count_nonzero(np.abs(z) > 3)),
        a=float(a.sum()),
        b=float(b.sum()),
        aa=float((a * a).sum()),
        bb=float((b * b).sum()),
        ab=float((a * b).sum()),
    )


def consistency_of(
    slices: Sequence[ConsistencyRecord], sigma: float, degradation: Degradation = AREA_AVERAGE
) -> ConsistencySection:
    """Numbers of a stack from the sums of its slices.

    Parameters
    ----------
    slices
        As of `residual_sums`.
    sigma
        Standard deviation of LR's noise in grey levels.
    degradation
        That SR was taken to LR with.
    """
    t = summed(slices)
    n = t["n"]
    if n == 0:
        return ConsistencySection(None, None, None, None, None, None, sigma, degradation.describe())
    var_a, var_b = (t["aa"] - t["a"] ** 2 / n) / n, (t["bb"] - t["b"] ** 2 / n) / n
    covariance = (t["ab"] - t["a"] * t["b"] / n) / n
    flat = var_a <= 0 or var_b <= 0
    return ConsistencySection(
        rse=None if flat else float(np.sqrt(max(0.0, var_b - covariance**2 / var_a))),
        rsp=None if flat else float(covariance / np.sqrt(var_a * var_b)),
        chi2=t["chi2"] / n,
        fraction_beyond_3_sigma=t["beyond"] / n,
        residual_rms=float(np.sqrt(t["chi2"] / n)) * sigma,
        lr_contrast=float(np.sqrt(max(0.0, var_b))),
        noise_sigma=sigma,
        degradation=degradation.describe(),
    )


class ConsistencyEvidence(Evidence[ConsistencyRecord]):
    """SR degraded back to LR."""

    name = "consistency"
    section = "consistency"
    record = ConsistencyRecord
    draws = (
        MapKind(
            "consistency",
            "SR averaged over LR pixels − LR, in standard deviations of LR's noise",
            shown=Shown(
                "Consistency with LR", -4, 4, "σ", "red: SR brighter than LR measured", signed=True
            ),
        ),
    )
    cannot = "Detail whose mean over every LR pixel is zero cannot be checked against LR; consistency with LR is no proof of it."

    @classmethod
    def prepare(cls, setup: "Setup") -> Self:
        """LR's noise belongs to the setup."""
        return cls()

    def look(self, seen: "Seen") -> Found[ConsistencyRecord]:
        """Sums, and the residual in standard deviations of LR's noise."""
        sigma = seen.setup.sigma
        record = residual_sums(seen.degraded, seen.lr, sigma)
        return Found(record, {"consistency": seen.residual / np.float32(sigma)})

    def combine(
        self, records: Sequence[ConsistencyRecord], setup: "Setup", so_far: SoFar
    ) -> ConsistencySection:
        """Numbers of the whole field."""
        so_far.limits.append(self.cannot)
        return consistency_of(records, setup.sigma, setup.degradation)


def project(
    sr: npt.NDArray[Any],
    lr: npt.NDArray[Any],
    factor: int,
    degradation: Degradation = AREA_AVERAGE,
) -> Float:
    """Change SR (y, x) as little as possible so that, degraded, it is LR.

    The orthogonal projection onto all pictures consistent with LR (Bahat and Michaeli 2020, Explorable Super
    Resolution). For area averaging every LR pixel's residual is subtracted from the SR pixels it covers; for any
    other degradation it is found by conjugate gradients for least squares (Hestenes and Stiefel 1952), stopped
    before they amplify what a blur has all but wiped out, so that part of LR's noise is left. NaN stays NaN.

    Parameters
    ----------
    sr
        ``(f y, f x)`` in grey levels.
    lr
        ``(y, x)`` in grey levels.
    factor
        SR pixels per LR pixel.
    degradation
        After which SR is to be LR.
    """
    rest = residual(sr, lr, factor, degradation)
    if degradation.averages_on_average:
        return sr.astype(np.float32) - rest.repeat(factor, 0).repeat(factor, 1)
    left = np.nan_to_num(rest).astype(np.float64)
    enough = LEFT**2 * float((left**2).sum())
    correction = np.zeros(sr.shape)
    downhill = spread(left, factor, degradation)
    ahead, slope = downhill, float((downhill**2).sum())
    for _ in range(STEPS):
        if float((left**2).sum()) <= enough or slope == 0:
            break
        degraded = expected(ahead, factor, degradation)
        length = slope / float((degraded**2).sum())
        correction += length * ahead
        left = left - length * degraded
        downhill = spread(left, factor, degradation)
        slope, before = float((downhill**2).sum()), slope
        ahead = downhill + slope / before * ahead
    return np.asarray(sr - correction, np.float32)
