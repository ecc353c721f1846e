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
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from napari_sem_sr.degradation.degrade import AREA_AVERAGE, Degradation
from napari_sem_sr.degradation.image_statistics import SPECTRUM_TILE, anisotropy, tile_features
from napari_sem_sr.degradation.noise_measurement import measure_noise
from napari_sem_sr.degradation.trial import (
    NO_CORRELATION,
    Field,
    Fit,
    PictureStatistics,
    Trial,
    Values,
)
from napari_sem_sr.degradation.two_sample_test import TwoSampleTest, two_sample_test
from napari_sem_sr.errors import InputError
from napari_sem_sr.events import Event, Notice, Progress
from napari_sem_sr.intensity import stack_range
from napari_sem_sr.sampling import evenly_spaced
from napari_sem_sr.stack import SemStack


class HrImage(Protocol):
    """What matching needs of a teacher: pixels (y, x), and the specimen they show."""

    @property
    def image(self) -> npt.NDArray[Any]: ...  # noqa: D102

    @property
    def group(self) -> str: ...  # noqa: D102


# Enough fields to know what LR looks like, few enough to look at each again and again.
FIELDS = 8
FIELD_LR_PX = 256
ROUNDS = 2
NOISE_TRIALS = 4
# Finest power along y over that along x beyond which noise is said to be smeared.
SMEARED = 1.6
# Part of LR at its very darkest or brightest value beyond which it is said.
MUCH_CUT_OFF = 0.01


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
    apart: TwoSampleTest | None
    apart_before: TwoSampleTest | None
    apart_teachers: TwoSampleTest | None
    measured: PictureStatistics
    made: PictureStatistics
    averaged: PictureStatistics

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


def _numbers(found: TwoSampleTest | None) -> dict[str, Any] | None:
    return None if found is None else dict(vars(found))


def iter_match(
    teachers: Sequence[HrImage], lr: SemStack, factor: int
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
    noise = measure_noise(fields, 0.0, 1.0)
    correlation = 0.0 if noise is None else noise.line_correlation
    if anisotropy(fields) > SMEARED and correlation < NO_CORRELATION:
        yield Notice(
            f"The noise of '{lr.name}' is smeared far along x; it is matched as if it were not, as far as that goes."
        )
    cut_off = _cut_off(lr)
    if cut_off > MUCH_CUT_OFF:
        yield Notice(
            f"{cut_off:.0%} of '{lr.name}' is plain black or white: noise is cut off there, so that noise and tone curve "
            "are matched less well. Record with less contrast if you can."
        )
    trial = Trial(fields, hr, factor)
    fit = Fit(correlation=correlation)
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
    found: dict[Degradation, tuple[list[Field], list[Values], TwoSampleTest | None]] = {}
    for number, how in enumerate((AREA_AVERAGE, fitted)):
        yield Progress("telling apart", number, 2, "degradations")
        made = trial.degraded(how)
        features = [tile_features(f) for f in made]
        found[how] = (made, features, two_sample_test(features, measured))
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


def _between_specimens(features: Sequence[Values], groups: Sequence[str]) -> TwoSampleTest | None:
    names = sorted(set(groups))
    if len(names) < 4:
        return None
    first = set(names[: len(names) // 2])
    sides = [
        [f for f, g in zip(features, groups, strict=True) if (g in first) is s]
        for s in (True, False)
    ]
    return two_sample_test(sides[0], sides[1])


def _lr_fields(lr: SemStack) -> list[Field]:
    if min(lr.shape[1:]) < SPECTRUM_TILE:
        raise InputError(
            f"'{lr.name}' is {lr.shape[2]} × {lr.shape[1]} pixels; matching needs {SPECTRUM_TILE} × {SPECTRUM_TILE}."
        )
    intensity = stack_range(lr)
    picks = evenly_spaced(lr.shape[0], FIELDS)
    fields = [_centre(intensity.normalise(lr.slice(z)), FIELD_LR_PX) for z in picks]
    valid = [f for f in fields if np.isfinite(f).all()]
    if not valid:
        raise InputError(f"The middle of '{lr.name}' holds NaN; crop it to its valid part.")
    return valid


def _cut_off(lr: SemStack) -> float:
    """Part of LR at its darkest or brightest value, as far as a few slices tell."""
    slices = np.stack([lr.slice(z) for z in evenly_spaced(lr.shape[0], FIELDS)])
    return float(np.mean((slices == np.nanmin(slices)) | (slices == np.nanmax(slices))))


def _hr_fields(
    teachers: Sequence[HrImage], factor: int
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
