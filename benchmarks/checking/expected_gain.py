"""The gain over bicubic that is foreseen from LR alone, beside the true one.

Held-out images under noise and blur, each foreseen by a calibration that has not seen its specimen; and simulated materials that
nothing was calibrated with, foreseen by all. The verdict is the colour of this light and of the domain alarm together.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from common import interval, keep, row, simulated
from held_out import few, recorded
from recalibrate import split_on_card

from napari_sem_sr.checking.evidence.domain import Domain
from napari_sem_sr.checking.evidence.expected_gain import (
    ExpectedGain,
    Gain,
    HeldOutErrors,
    fit_gain,
)
from napari_sem_sr.checking.evidence.image_features import domain_features
from napari_sem_sr.degradation.degrade import Degradation
from napari_sem_sr.degradation.measure_conditions import measure_conditions
from napari_sem_sr.inference.engine.engine import Engine
from napari_sem_sr.model.bundle import Model
from napari_sem_sr.stack import SemStack
from napari_sem_sr.teachers.teacher import Teacher
from napari_sem_sr.training.finish.check_calibration import gain_example
from napari_sem_sr.training.validation.evaluation import pair_of

SIDE_PX = 512
# Of one material so many images are enough.
MOST_OF_A_KIND = 6
# Grey levels of 255, LR pixels.
NOISE, BLUR = (0, 5, 10), (0.0, 0.5)
SIMULATED = ("tin", "cathode")


@dataclass(frozen=True, eq=False)
class Case:
    """One image under one noise and blur."""

    specimen: str
    known: bool
    how: str
    example: HeldOutErrors
    alarm: bool


def ways() -> dict[str, Degradation]:
    """Noise and blur by name."""
    return {
        f"noise {noise}, blur {blur:g}": recorded(noise / 255, blur=blur)
        for noise in NOISE
        for blur in BLUR
    }


def cases(model: Model, domain: Domain, teachers: Iterable[Teacher], known: bool) -> Iterator[Case]:
    """Every teacher in every way, through the default output as a person gets it."""
    for teacher in teachers:
        for how, degradation in ways().items():
            pair = pair_of(teacher, model.card.factor, degradation)
            lr = SemStack.from_array(pair.lr, pair.name)
            adapted = model.under(measure_conditions(lr, pair.intensity).conditions)
            sr, twin = (
                Engine(network, device="cpu", precision="fp32")
                .upscale_slice(pair.lr, pair.intensity, pair.lr.dtype)
                .image
                for network in (
                    adapted.blended(adapted.default_sharpness),
                    adapted.network("twin"),
                )
            )
            example = gain_example(pair, sr, twin, model.card.factor)
            features = domain_features(pair.intensity.normalise(pair.lr))
            yield Case(teacher.group, known, how, example, bool(domain.unlike(features)))
        print("expected gain:", teacher.name, flush=True)


def foreseen(found: list[Case]) -> list[tuple[Case, Gain]]:
    """Each by what was calibrated with the other specimens; unknown materials by all known ones."""
    known = [c for c in found if c.known]
    by_specimen: dict[str, ExpectedGain] = {}
    pairs = []
    for case in found:
        if case.specimen not in by_specimen:
            others = [c for c in known if c.specimen != case.specimen]
            arrays = fit_gain([c.example for c in others], [c.specimen for c in others])
            expected = ExpectedGain.of(arrays)
            assert expected is not None
            by_specimen[case.specimen] = expected
        pairs.append((case, by_specimen[case.specimen].predict([case.example.distances])))
    return pairs


def run(model: Model, data: Path, out: Path, quick: bool) -> None:
    """Measure and keep the figures."""
    split = split_on_card(model, data)
    most = 1 if quick else MOST_OF_A_KIND
    domain = Domain.of(model.calibration)
    assert domain is not None
    held = few((*split.calibration, *split.test), most, SIDE_PX)
    others = [
        Teacher(hr, name, f"simulated {kind}/{specimen}")
        for kind in SIMULATED
        for specimen, name, hr in simulated(kind, 2 if quick else 10, SIDE_PX)
    ]
    found = [*cases(model, domain, held, True), *cases(model, domain, others, False)]
    pairs = foreseen(found)
    rows, details = [], []
    for case, gain in pairs:
        details.append({
            "specimen": case.specimen,
            "how": case.how,
            "true_db": case.example.gain,
            **gain.to_json(),
            "colour": gain.colour,
            "alarm": case.alarm,
            "distances": vars(case.example.distances),
            "errors": {
                "bicubic": case.example.bicubic_error,
                "sr": case.example.sr_error,
                "twin": case.example.twin_error,
            },
        })  # fmt: skip
    for what, chosen in (
        ("held-out specimens of known materials", [p for p in pairs if p[0].known]),
        ("simulated, unknown materials", [p for p in pairs if not p[0].known]),
    ):
        true = np.array([case.example.gain for case, _ in chosen])
        warned = np.array([case.alarm or gain.colour != "green" for case, gain in chosen])
        inside = np.array([gain.low <= case.example.gain <= gain.high for case, gain in chosen])
        for name, target, which, picked in (
            ("default output worse than bicubic: warned", ">= 95 %", true < 0, warned),
            ("better than bicubic: warned", "<= 10 %", true >= 0, warned),
            ("the 90 % interval of the foreseen gain holds the true one", ">= 85 %", true > -99, inside),
        ):  # fmt: skip
            hits, total = int(picked[which].sum()), int(which.sum())
            low, high = interval(hits, total)
            share = f"{hits / total:.0%} ({low:.0%} to {high:.0%})" if total else "none is"
            rows.append(row(f"{what}: {name}", target, share, str(total)))
    keep(out, "expected_gain", rows, details)
