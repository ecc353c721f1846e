"""Find the degradation that makes teachers look like the LR stack a model is for.

Three things are fitted, in turn until they agree: the beam's blur, from how power falls with frequency; the noise, from
how what varies between neighbouring pixels depends on the grey; and the tone curve, from the distribution of
greys. Noise is fitted by trying it out: the degraded teachers are measured just as LR is, so what the
measurement mistakes for noise cancels (indirect inference, Gouriéroux, Monfort, Renault 1993).

What it can and cannot tell: blur is that of LR *beyond* the teacher's own. Teachers must show the same
kind of structure; where they do not, the difference is taken for blur. Noise is taken as independent from pixel to
pixel; where it is smeared along scan lines, that is said. Jitter, streaks and curtains are not fitted.
"""

from collections.abc import Generator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.interpolate import CubicSpline
from scipy.optimize import least_squares, minimize_scalar, nnls

from napari_sem_sr.errors import InputError
from napari_sem_sr.events import Event, Notice, Progress
from napari_sem_sr.intensity import range_of, stack_range
from napari_sem_sr.pairing.appearance import (
    SPECTRUM_TILE,
    Rings,
    anisotropy,
    grey_edges,
    noise_by_grey,
    rings_of,
    tile_features,
)
from napari_sem_sr.pairing.degradation import AREA_AVERAGE, Degradation, clean_range, degrade
from napari_sem_sr.pairing.separation import Separation, separation
from napari_sem_sr.pairing.steps import AreaAverage, BeamBlur, ContrastChange, Dose, ReadNoise
from napari_sem_sr.pairing.teachers import Teacher
from napari_sem_sr.stack import SemStack

Values = npt.NDArray[np.float64]
Field = npt.NDArray[np.float32]

# Enough fields to know what LR looks like, few enough to look at each again and again.
FIELDS = 8
FIELD_LR_PX = 256
# Blurs at which the spectrum of the teachers is computed, LR pixels; between them it is smooth.
BLURS = (0.0, 0.2, 0.4, 0.6, 0.8, 1.0, 1.3, 1.6, 2.0)
# Frequencies below this, cycles per LR pixel, show what a field contains rather than how it was recorded.
LOWEST = 0.06
GREY_BINS = 8
ROUNDS = 2
NOISE_TRIALS = 4
# A tone curve is changed only where this part of the difference between the greys goes away by it.
WORTH_A_GAMMA = 0.5
# Nearer to 1 than this (or its inverse) it is what other places of one specimen make, which hold other greys.
LEAST_GAMMA = 1.15
GAMMAS = (0.4, 2.5)
GAMMA_FIELDS = 4
QUANTILES = np.linspace(0.005, 0.995, 199)
# Less blur (LR pixels), and less noise (of black to white), is none.
NO_BLUR, NO_NOISE = 0.08, 1e-3
# Finest power along y over that along x beyond which noise is said to be smeared.
SMEARED = 1.6
# Part of LR at its very darkest or brightest value beyond which it is said.
MUCH_CUT_OFF = 0.01


@dataclass(frozen=True, eq=False)
class Look:
    """What a set of LR images looks like, on the network's scale: for pictures, and for whom it may concern."""

    rings: Rings
    grey: Values
    variance: Values
    quantiles: Values
    example: Field


@dataclass(frozen=True, eq=False)
class Match:
    """A fitted degradation, and how well it does.

    Parameters
    ----------
    degradation
        For training.
    factor
        Upscale factor it holds for.
    fitted
        What the fit found; ``degradation`` is plain area averaging where LR and teachers can be told apart as little by it.
    apart, apart_before
        How well LR and the degraded teachers can be told apart: by ``degradation``, and by area averaging alone. None
        where there are too few images.
    apart_teachers
        The same between the first half of the teachers' specimens and the others, degraded alike: what the
        content of images alone makes of it. None for fewer than four specimens.
    measured, made, averaged
        What LR, the degraded teachers and the averaged teachers look like.
    """

    degradation: Degradation
    fitted: Degradation
    factor: int
    apart: Separation | None
    apart_before: Separation | None
    apart_teachers: Separation | None
    measured: Look
    made: Look
    averaged: Look

    def describe(self) -> dict[str, Any]:
        """For people and programs."""
        return {
            "factor": self.factor,
            "degradation": self.degradation.model_dump(mode="json"),
            "fitted": self.fitted.model_dump(mode="json"),
            "told_apart": _numbers(self.apart),
            "told_apart_by_averaging_alone": _numbers(self.apart_before),
            "teachers_told_apart_from_teachers": _numbers(self.apart_teachers),
        }

    def summary(self) -> str:
        """One or two sentences."""
        text = f"Degradation for ×{self.factor}: {self.degradation.describe()}."
        if self.apart is None or self.apart_before is None:
            return (
                f"{text} Too few images to say how well LR and degraded teachers can be told apart."
            )
        text += (
            f" A simple classifier tells LR from degraded teachers with AUROC {self.apart.auroc:.2f} "
            f"(0.5 is chance; {self.apart_before.auroc:.2f} by averaging alone"
        )
        if self.apart_teachers is not None:
            text += f"; {self.apart_teachers.auroc:.2f} between the teachers' own specimens"
        return text + ")."


def _numbers(found: Separation | None) -> dict[str, Any] | None:
    return None if found is None else dict(vars(found))


@dataclass(frozen=True)
class _Fit:
    """Parameters on the way: blur in LR pixels, variance = ``per_grey`` × grey + ``constant`` on the clean scale."""

    gamma: float = 1.0
    blur: float = 0.0
    per_grey: float = 0.0
    constant: float = 0.0

    def degradation(self, lr_pixel_nm: float | None) -> Degradation:
        unit: Any = "LR pixel" if lr_pixel_nm is None else "nm"
        steps: list[Any] = []
        if self.gamma != 1.0:
            steps.append(ContrastChange(gamma=round(self.gamma, 3)))
        if self.blur >= NO_BLUR:
            steps.append(BeamBlur(sigma=float(f"{self.blur * (lr_pixel_nm or 1):.4g}"), unit=unit))
        steps.append(AreaAverage())
        if self.per_grey > NO_NOISE**2:
            steps.append(Dose(electrons=float(f"{1 / self.per_grey:.4g}")))
        if self.constant > NO_NOISE**2:
            steps.append(ReadNoise(sigma=float(f"{self.constant**0.5:.4g}")))
        return Degradation(steps=tuple(steps), lr_pixel_nm=lr_pixel_nm)


def iter_match(
    teachers: Sequence[Teacher], lr: SemStack, factor: int
) -> Generator[Event, None, Match]:
    """Fit blur, noise and tone curve of teachers to an LR stack.

    Parameters
    ----------
    teachers
        At LR pixel / ``factor`` (see `iter_prepare`).
    lr
        Measured.

    Raises
    ------
    InputError
        If LR, or all teachers, are smaller than a tile of 64 LR pixels.
    """
    fields = _lr_fields(lr)
    hr, groups = _hr_fields(teachers, factor)
    if anisotropy(fields) > SMEARED:
        yield Notice(
            f"The noise of '{lr.name}' is smeared along x; it is matched as if it were not, as far as that goes."
        )
    cut_off = _cut_off(lr)
    if cut_off > MUCH_CUT_OFF:
        yield Notice(
            f"{cut_off:.0%} of '{lr.name}' is plain black or white: noise is cut off there, so that noise and tone curve "
            "are matched less well. Record with less contrast if you can."
        )
    trial = _Trial(fields, hr, factor)
    fit = _Fit()
    for number in range(ROUNDS):
        yield Progress("matching blur", number, ROUNDS, "rounds")
        yield from trial.iter_spectra(fit)
        fit = replace(fit, blur=trial.fit_blur(fit))
        for _ in range(NOISE_TRIALS):
            yield Progress("matching noise", number, ROUNDS, "rounds")
            fit = trial.fit_noise(fit)
        yield Progress("matching contrast", number, ROUNDS, "rounds")
        fit = replace(fit, gamma=trial.fit_gamma(fit))
    fitted = trial.fit_noise(fit).degradation(lr.voxel_nm[2])
    measured = [tile_features(f) for f in fields]
    found: dict[Degradation, tuple[list[Field], list[Values], Separation | None]] = {}
    for number, how in enumerate((AREA_AVERAGE, fitted)):
        yield Progress("telling apart", number, 2, "degradations")
        made = trial.degraded(how)
        features = [tile_features(f) for f in made]
        found[how] = (made, features, separation(features, measured))
    before, after = (found[how][2] for how in (AREA_AVERAGE, fitted))
    useless = before is not None and after is not None and before.auroc <= after.auroc
    degradation = AREA_AVERAGE if useless else fitted
    if useless and not fitted.is_area_average:
        yield Notice(
            f"What was fitted ({fitted.describe()}) makes teachers no more like '{lr.name}' than averaging alone, so "
            "averaging alone is kept."
        )
    made, features, apart = found[degradation]
    return Match(
        degradation=degradation,
        fitted=fitted,
        factor=factor,
        apart=apart,
        apart_before=before,
        apart_teachers=_between_specimens(features, groups),
        measured=trial.look(fields),
        made=trial.look(made),
        averaged=trial.look(found[AREA_AVERAGE][0]),
    )


def _between_specimens(features: Sequence[Values], groups: Sequence[str]) -> Separation | None:
    names = sorted(set(groups))
    if len(names) < 4:
        return None
    first = set(names[: len(names) // 2])
    sides = [
        [f for f, g in zip(features, groups, strict=True) if (g in first) is s]
        for s in (True, False)
    ]
    return separation(sides[0], sides[1])


def _lr_fields(lr: SemStack) -> list[Field]:
    if min(lr.shape[1:]) < SPECTRUM_TILE:
        raise InputError(
            f"'{lr.name}' is {lr.shape[2]} × {lr.shape[1]} pixels; matching needs {SPECTRUM_TILE} × {SPECTRUM_TILE}."
        )
    intensity = stack_range(lr)
    picks = np.unique(np.linspace(0, lr.shape[0] - 1, FIELDS).round().astype(int))
    fields = [_centre(intensity.normalise(lr.slice(int(z))), FIELD_LR_PX) for z in picks]
    valid = [f for f in fields if np.isfinite(f).all()]
    if not valid:
        raise InputError(f"The middle of '{lr.name}' holds NaN; crop it to its valid part.")
    return valid


def _cut_off(lr: SemStack) -> float:
    """Part of LR at its darkest or brightest value, as far as a few slices tell."""
    picks = np.unique(np.linspace(0, lr.shape[0] - 1, FIELDS).round().astype(int))
    slices = np.stack([lr.slice(int(z)) for z in picks])
    return float(np.mean((slices == np.nanmin(slices)) | (slices == np.nanmax(slices))))


def _hr_fields(
    teachers: Sequence[Teacher], factor: int
) -> tuple[list[npt.NDArray[Any]], list[str]]:
    """Middle parts of up to ``FIELDS`` teachers, of as many specimens as there are, and their specimens."""
    side = SPECTRUM_TILE * factor
    large = [t for t in teachers if min(t.image.shape) >= side]
    if not large:
        raise InputError(
            f"No teacher is {side} × {side} pixels or larger, which matching for ×{factor} needs."
        )
    seen: dict[str, int] = {}
    ranked = []
    for teacher in large:
        seen[teacher.group] = seen.get(teacher.group, 0) + 1
        ranked.append((seen[teacher.group], teacher))
    ranked.sort(key=lambda entry: entry[0])
    chosen = [teacher for _, teacher in ranked[:FIELDS]]
    parts = [_centre(t.image, FIELD_LR_PX * factor) for t in chosen]
    trimmed = [p[: p.shape[0] // factor * factor, : p.shape[1] // factor * factor] for p in parts]
    return trimmed, [t.group for t in chosen]


def _centre(image: npt.NDArray[Any], side: int) -> npt.NDArray[Any]:
    top, left = (max(0, (n - side) // 2) for n in image.shape)
    return image[top : top + side, left : left + side]


class _Trial:
    """Tries degradations on teachers and compares what comes out with LR."""

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
        """Teachers (or the ``first`` few) as LR, each on its own network scale as LR is on its."""
        found = []
        for number, image in enumerate(self.hr[:first]):
            grey, _ = degrade(image, self.factor, degradation, seed=number)
            found.append(range_of(grey).normalise(grey))
        return found

    def iter_spectra(self, fit: _Fit) -> Generator[Event, None, None]:
        """Compute power by frequency and blur, free of noise, on the clean scale."""
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

    def fit_blur(self, fit: _Fit) -> float:
        """Blur at which the falling of power agrees, with a free scale and a free floor of noise."""
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

    def fit_noise(self, fit: _Fit) -> _Fit:
        """One step nearer to the noise at which degraded teachers vary between pixels as LR does."""
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

    def fit_gamma(self, fit: _Fit) -> float:
        """Tone curve that brings the greys together, 1 where that is no great gain."""

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

    def look(self, fields: Sequence[Field]) -> Look:
        """Describe a set of LR images."""
        grey, variance = noise_by_grey(fields, self.edges)
        return Look(rings_of(fields), grey, variance, _quantiles(fields), fields[0])


def _quantiles(fields: Sequence[Field]) -> Values:
    return np.asarray(np.mean([np.quantile(f, QUANTILES) for f in fields], axis=0))
