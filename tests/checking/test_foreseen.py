"""The gain over bicubic is foreseen from small pieces, before a stack is upscaled."""

from dataclasses import replace

import numpy as np
import pytest

from napari_sem_sr.checking import foreseen
from napari_sem_sr.checking.evidence.expected_gain import (
    KEYS,
    Distances,
    Gain,
)
from napari_sem_sr.checking.foreseen import iter_foreseen
from napari_sem_sr.checking.outlook import Foreseen, Outlook, with_gain
from napari_sem_sr.degradation.measure_conditions import measure_conditions
from napari_sem_sr.errors import InputError
from napari_sem_sr.events import Progress, drain
from napari_sem_sr.inference.engine.engine import Engine
from napari_sem_sr.inference.settings import UpscaleSettings
from napari_sem_sr.intensity import stack_range
from napari_sem_sr.model.bundle import Model
from napari_sem_sr.stack import SemStack

# The twin is off by half of what bicubic is from it; the interval is half a dB to either side.
GAIN = {KEYS[0]: np.array([1.0, 0, 0, 0, np.log(0.5)]), KEYS[1]: np.linspace(-0.5, 0.5, 21)}


@pytest.fixture
def calibrated(model: Model) -> Model:
    return replace(model, calibration={**model.calibration, **GAIN})


@pytest.fixture
def lr(truth) -> SemStack:
    return truth.lr


def asked(stack: SemStack, model: Model, **how: object) -> Foreseen | None:
    settings = UpscaleSettings(**{"precision": "fp32", "device": "cpu", **how})
    return drain(iter_foreseen(stack, model, settings, stack_range(stack)))


def test_it_is_what_the_twin_and_sr_of_the_pieces_say(lr: SemStack, calibrated: Model) -> None:
    found = asked(lr, calibrated, sharpness=1.0)
    assert found is not None and found.sharpness == 1.0
    intensity = stack_range(lr)
    noise = measure_conditions(lr, intensity).conditions.noise_grey(intensity) ** 2
    gains = []
    for z in range(lr.shape[0]):
        # slices smaller than a piece are looked at whole
        twin, sr = (
            drain(
                Engine(calibrated.network(which), device="cpu", precision="fp32").iter_slice(
                    lr.slice(z), intensity, lr.dtype
                )
            ).image
            for which in ("twin", "gan")
        )
        seen = Distances.of(lr.slice(z), sr, twin, 4, noise)
        assert seen is not None
        gains.append(seen.gain(float(np.exp(seen.features @ GAIN[KEYS[0]]))))
    assert found.gain.value == pytest.approx(np.mean(gains))
    assert found.gain.high - found.gain.low == pytest.approx(0.9)


def test_the_twin_is_never_foreseen_to_be_worse_than_bicubic(
    lr: SemStack, calibrated: Model
) -> None:
    found = asked(lr, calibrated, sharpness=0.0)
    assert found is not None and found.gain == found.twin
    assert found.twin.value >= 0


def test_a_large_stack_is_looked_at_in_small_pieces_of_a_few_slices(
    calibrated: Model, monkeypatch: pytest.MonkeyPatch
) -> None:
    rng = np.random.default_rng(0)
    stack = SemStack.from_array(rng.integers(0, 255, (40, 300, 400), np.uint8), "large")
    sizes = []
    real = Distances.of
    monkeypatch.setattr(
        foreseen.Distances, "of", lambda lr, *rest: sizes.append(lr.shape) or real(lr, *rest)
    )
    events = iter_foreseen(stack, calibrated, UpscaleSettings(device="cpu"), stack_range(stack))
    steps = [e for e in events if isinstance(e, Progress) and e.unit == "samples"]
    assert [(s.done, s.total) for s in steps] == [(0, 3), (1, 3), (2, 3)]
    assert sizes == [(96, 96)] * 3


def test_nothing_is_foreseen_with_a_model_that_was_not_calibrated_for_it(
    lr: SemStack, model: Model
) -> None:
    assert asked(lr, model) is None


def test_a_part_outside_the_slice_is_refused(lr: SemStack, calibrated: Model) -> None:
    with pytest.raises(InputError):
        asked(lr, calibrated, region=((0, 400), (0, 400)))


GOOD = Outlook("green", "Knows such stacks.", "• because")
DOUBT = Outlook("amber", "May not fit.", "• its pixel size")
STRANGE = Outlook("red", "Not made for such a stack.", "• too noisy")


def of(
    value: float, low: float, high: float, twin: float = 3.0, sharpness: float = 0.5
) -> Foreseen:
    return Foreseen(Gain(value, low, high), Gain(twin, twin - 1, twin + 1), sharpness)


def test_a_gain_is_green_with_its_number_and_interval() -> None:
    said = with_gain(GOOD, of(3.4, 2.6, 4.1))
    assert said.colour == "green"
    assert "much closer to the truth than bicubic" in said.sentence
    assert "+3.4 dB (90 % between +2.6 and +4.1)" in said.sentence


@pytest.mark.parametrize(
    ("foreseen", "colour"), [(of(0.2, -0.7, 1.2), "amber"), (of(-0.5, -1.4, 0.2), "red")]
)
def test_what_is_hardly_better_or_worse_is_amber_or_red_and_says_what_to_do(
    foreseen: Foreseen, colour: str
) -> None:
    said = with_gain(GOOD, foreseen)
    assert said.colour == colour
    assert "At sharpness 0 +3.0 dB are expected" in said.sentence and said.sharper_than_good
    flat = with_gain(GOOD, replace(foreseen, sharpness=0.0))
    assert "train a model" in flat.sentence and not flat.sharper_than_good


def test_where_the_model_does_not_know_the_stack_no_number_makes_it_green() -> None:
    for outlook in (DOUBT, STRANGE):
        said = with_gain(outlook, of(3.4, 2.6, 4.1))
        assert said.colour == outlook.colour
        assert outlook.sentence in said.sentence and "if it did know it" in said.sentence
    assert with_gain(DOUBT, of(-1, -2, 0.5)).colour == "red"


def test_nothing_has_no_minus() -> None:
    assert "between +0.0 and" in with_gain(GOOD, of(1.6, -0.04, 3.1)).sentence


def test_without_calibration_that_is_said_among_the_reasons() -> None:
    said = with_gain(GOOD, None)
    assert (said.colour, said.sentence) == (GOOD.colour, GOOD.sentence)
    assert "cannot be foreseen" in said.why
