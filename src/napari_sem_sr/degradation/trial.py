"""Degradations tried on teachers, and what comes out compared with LR, one parameter at a time."""

from collections.abc import Generator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.interpolate import CubicSpline
from scipy.optimize import least_squares, minimize_scalar, nnls

from napari_sem_sr.degradation.degrade import Degradation, clean_range, degrade
from napari_sem_sr.degradation.image_statistics import Rings, grey_edges, noise_by_grey, rings_of
from napari_sem_sr.degradation.noise_steps import DetectorNoise, Dose, ReadNoise
from napari_sem_sr.degradation.steps import AreaAverage, BeamBlur, ContrastChange
from napari_sem_sr.events import Event, Progress
from napari_sem_sr.intensity import range_of

Values = npt.NDArray[np.float64]
Field = npt.NDArray[np.float32]

# Blurs at which the spectrum of the teachers is computed, LR pixels; between them it is smooth.
BLURS = (0.0, 0.2, 0.4, 0.6, 0.8, 1.0, 1.3, 1.6, 2.0)
# Frequencies below this, cycles per LR pixel, show what a field contains rather than how it was recorded.
LOWEST = 0.06
GREY_BINS = 8
# A tone curve is changed only where this part of the difference between the greys goes away by it.
WORTH_A_GAMMA = 0.5
# Nearer to 1 than this (or its inverse) it is what other places of one specimen make, which hold other greys.
LEAST_GAMMA = 1.15
GAMMAS = (0.4, 2.5)
GAMMA_FIELDS = 4
QUANTILES = np.linspace(0.005, 0.995, 199)
# Less blur (LR pixels), and less noise (of black to white), is none.
NO_BLUR, NO_NOISE = 0.08, 1e-3
# Less correlation along the line is what white noise and texture look like, too.
NO_CORRELATION = 0.05


@dataclass(frozen=True, eq=False)
class PictureStatistics:
    """What a set of LR images looks like, on the network's scale: for pictures, and for whom it may concern.

    Parameters
    ----------
    rings
        Mean power by spatial frequency.
    grey
        Mean grey of each bin of local grey, ``(bins,)``.
    variance
        Of what varies from pixel to pixel, in the same bins, ``(bins,)``.
    quantiles
        Of the greys, ``(quantiles,)``.
    example
        One of the images, ``(y, x)``.
    """

    rings: Rings
    grey: Values
    variance: Values
    quantiles: Values
    example: Field


@dataclass(frozen=True)
class Fit:
    """Parameters on the way: blur in LR pixels, variance = ``per_grey`` × grey + ``constant`` on the clean scale.

    ``correlation`` is that of the noise between neighbours of a scan line.

    Parameters
    ----------
    gamma
        Exponent of the tone curve; 1 where there is no great gain.
    blur
        Standard deviation of the beam's blur, in LR pixels.
    """

    gamma: float = 1.0
    blur: float = 0.0
    per_grey: float = 0.0
    constant: float = 0.0
    correlation: float = 0.0

    def degradation(self, lr_pixel_nm: float | None) -> Degradation:
        """As steps; blur in nm where the size of an LR pixel is known.

        Parameters
        ----------
        lr_pixel_nm
            Side of an LR pixel in nm; None leaves blur in LR pixels.
        """
        unit: Any = "LR pixel" if lr_pixel_nm is None else "nm"
        steps: list[Any] = []
        if self.gamma != 1.0:
            steps.append(ContrastChange(gamma=round(self.gamma, 3)))
        if self.blur >= NO_BLUR:
            steps.append(BeamBlur(sigma=float(f"{self.blur * (lr_pixel_nm or 1):.4g}"), unit=unit))
        steps.append(AreaAverage())
        if self.correlation >= NO_CORRELATION and self.per_grey + self.constant > NO_NOISE**2:
            black, white = (v**0.5 for v in (self.constant, self.constant + self.per_grey))
            noise = DetectorNoise(
                black=float(f"{black:.4g}"),
                white=float(f"{white:.4g}"),
                correlation=round(self.correlation, 3),
            )
            return Degradation(steps=(*steps, noise), lr_pixel_nm=lr_pixel_nm)
        if self.per_grey > NO_NOISE**2:
            steps.append(Dose(electrons=float(f"{1 / self.per_grey:.4g}")))
        if self.constant > NO_NOISE**2:
            steps.append(ReadNoise(sigma=float(f"{self.constant**0.5:.4g}")))
        return Degradation(steps=tuple(steps), lr_pixel_nm=lr_pixel_nm)


class Trial:
    """Tries degradations on teachers and compares what comes out with LR.

    Parameters
    ----------
    lr
        Measured fields ``(y, x)`` on the network's scale.
    hr
        Teachers ``(f y, f x)`` in their own dtype, whole multiples of ``factor`` large.
    """

    def __init__(self, lr: Sequence[Field], hr: Sequence[npt.NDArray[Any]], factor: int) -> None:
        self.lr = lr
        self.hr = hr
        self.factor = factor
        self.rings = rings_of(lr)
        self.edges = grey_edges(lr, GREY_BINS)
        self.grey, self.variance = noise_by_grey(lr, self.edges)
        self.quantiles = _quantiles(lr)
        self._spectra: Any = None
        self._spectra_gamma = 0.0

    def degraded(self, degradation: Degradation, first: int | None = None) -> list[Field]:
        """Teachers (or the ``first`` few) as LR, each on its own network scale as LR is on its.

        Parameters
        ----------
        degradation
            What is applied to the teachers.
        """
        found = []
        for number, image in enumerate(self.hr[:first]):
            grey, _ = degrade(image, self.factor, degradation, seed=number)
            found.append(range_of(grey).normalise(grey))
        return found

    def iter_spectra(self, fit: Fit) -> Generator[Event, None, None]:
        """Compute power by frequency and blur, free of noise, on the clean scale.

        Parameters
        ----------
        fit
            Where the other parameters stand.
        """
        if self._spectra_gamma == fit.gamma:
            return
        self._spectra_gamma = fit.gamma
        powers = []
        for number, blur in enumerate(BLURS):
            yield Progress("matching blur", number, len(BLURS), "spectra")
            plain = replace(fit, blur=blur, per_grey=0.0, constant=0.0).degradation(None)
            fields = [
                clean_range(image, self.factor).normalise(degrade(image, self.factor, plain)[0])
                for image in self.hr
            ]
            powers.append(rings_of(fields).power)
        self._spectra = CubicSpline(np.square(BLURS), np.log(np.array(powers) + 1e-12))

    def fit_blur(self, fit: Fit) -> float:
        """Blur at which the falling of power agrees, with a free scale and a free floor of noise.

        Parameters
        ----------
        fit
            Where the other parameters stand.
        """
        used = self.rings.frequency > LOWEST
        target = np.log(self.rings.power[used] + 1e-12)
        weight = np.sqrt(self.rings.count[used] / self.rings.count[used].mean())

        def residual(p: Values) -> Values:
            clean = np.exp(p[0] + self._spectra(p[1] ** 2)[used])
            return np.asarray((np.log(clean + np.exp(p[2])) - target) * weight)

        floor = np.log(max(1e-8, float(self.rings.power[-8:].min())))
        bounds = ([-6.0, 0.0, -25.0], [6.0, BLURS[-1], floor + 1.0])
        tries = [
            least_squares(
                residual, [0.0, blur, floor + down], bounds=bounds, loss="soft_l1", f_scale=0.2
            )
            for blur in (0.1, 0.6, 1.2)
            for down in (-0.1, -3.0)
        ]
        return float(min(tries, key=lambda t: t.cost).x[1])

    def fit_noise(self, fit: Fit) -> Fit:
        """One step nearer to the noise at which degraded teachers vary between pixels as LR does.

        Parameters
        ----------
        fit
            Where the parameters stand, noise included.
        """
        made = [
            (degrade(image, self.factor, fit.degradation(None), seed=number)[0], image)
            for number, image in enumerate(self.hr)
        ]
        # how clean and noisy scales relate: noisy = (clean - low) / width
        ends = []
        for grey, image in made:
            clean, noisy = clean_range(image, self.factor), range_of(grey)
            span = clean.high - clean.low
            ends.append(((noisy.low - clean.low) / span, (noisy.high - noisy.low) / span))
        low, width = (float(np.median(e)) for e in zip(*ends, strict=True))
        _, variance = noise_by_grey([range_of(g).normalise(g) for g, _ in made], self.edges)
        known = np.isfinite(variance) & np.isfinite(self.variance)
        if known.sum() < 2:
            return fit
        grey = np.maximum(0.0, low + width * self.grey[known])
        now = fit.per_grey * grey + fit.constant
        wanted = now + width**2 * (self.variance[known] - variance[known])
        scale = 1 / np.maximum(self.variance[known], NO_NOISE**2)
        basis = np.stack([grey, np.ones_like(grey)], axis=1)
        (per_grey, constant), _ = nnls(basis * scale[:, None], np.maximum(wanted, 0) * scale)
        return replace(fit, per_grey=float(per_grey), constant=float(constant))

    def fit_gamma(self, fit: Fit) -> float:
        """Tone curve that brings the greys together, 1 where that is no great gain.

        Parameters
        ----------
        fit
            Where the other parameters stand.
        """

        def distance(log_gamma: float) -> float:
            tried = replace(fit, gamma=float(np.exp(log_gamma))).degradation(None)
            made = _quantiles(self.degraded(tried, GAMMA_FIELDS))
            return float(np.abs(made - self.quantiles).mean())

        found = minimize_scalar(
            distance,
            bounds=tuple(np.log(GAMMAS)),
            method="bounded",
            options={"xatol": 0.02, "maxiter": 12},
        )
        worth = found.fun < (1 - WORTH_A_GAMMA) * distance(0.0)
        return float(np.exp(found.x)) if worth and abs(found.x) >= np.log(LEAST_GAMMA) else 1.0

    def look(self, fields: Sequence[Field]) -> PictureStatistics:
        """Describe a set of LR images.

        Parameters
        ----------
        fields
            ``(y, x)`` each, on the network's scale.
        """
        grey, variance = noise_by_grey(fields, self.edges)
        return PictureStatistics(rings_of(fields), grey, variance, _quantiles(fields), fields[0])


def _quantiles(fields: Sequence[Field]) -> Values:
    return np.asarray(np.mean([np.quantile(f, QUANTILES) for f in fields], axis=0))
