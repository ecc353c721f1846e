"""A result knows the run it came from."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from napari_sem_sr.errors import InputError
from napari_sem_sr.events import drain
from napari_sem_sr.inference.runs.recorded import RecordedRun, iter_recognised, output_stem
from napari_sem_sr.inference.settings import UpscaleSettings
from napari_sem_sr.stack import SemStack
from tests.conftest import card


@pytest.fixture
def stack() -> SemStack:
    rng = np.random.default_rng(0)
    return SemStack.from_array(rng.integers(0, 255, (5, 8, 9), np.uint8), "cathode LR")


def provenance(stack: SemStack, **changes: Any) -> dict[str, Any]:
    return {
        "model": "tiny",
        "model_hash": "abc",
        "factor": 4,
        "sharpness": 0.5,
        "source_name": stack.name,
        "source_hash": stack.content_hash,
        "slices": [1, 3],
        "region": [[0, 8], [2, 9]],
        **changes,
    }


def recorded(stack: SemStack, **changes: Any) -> RecordedRun:
    run = RecordedRun.of(provenance(stack, **changes))
    assert run is not None
    return run


def test_settings_that_continue_a_run_are_those_it_was_begun_with(stack: SemStack) -> None:
    run = recorded(stack)
    again = run.settings()
    assert (again.sharpness, again.slices, again.region) == (0.5, (1, 3), ((0, 8), (2, 9)))
    assert run.is_of(stack, card(), again)
    for other in (
        replace(again, sharpness=1.0),
        replace(again, slices=None),
        replace(again, region=None),
    ):
        assert not run.is_of(stack, card(), other)
    assert not run.is_of(stack, card("other"), again)


def test_the_default_sharpness_is_the_cards(stack: SemStack) -> None:
    run = recorded(stack)
    assert run.is_of(stack, card(), replace(run.settings(), sharpness=None))


@pytest.mark.parametrize("known", [None, {}, {"model": "tiny"}, {"region": 3, "slices": 4}])
def test_what_says_nothing_of_its_run_is_no_record(known: Any) -> None:
    assert RecordedRun.of(known) is None


def test_a_result_of_another_stack_is_refused_by_name(stack: SemStack, tmp_path: Any) -> None:
    path = tmp_path / "sr.zarr"
    other = SemStack.from_array(np.zeros((5, 8, 9), np.uint8), "anode")
    assert drain(iter_recognised(stack, recorded(stack), path)) == recorded(stack)
    with pytest.raises(InputError, match=r"'sr\.zarr' is not a result of 'anode'.*'cathode LR'"):
        drain(iter_recognised(other, recorded(stack), path))
    small = SemStack.from_array(np.zeros((2, 8, 9), np.uint8), "small")
    assert "covers 3 slices" in recorded(stack).misfit(small)


@pytest.mark.parametrize(
    ("settings", "stem"),
    [
        (UpscaleSettings(), "cathode_LR_tiny-x4_sr"),
        (UpscaleSettings(sharpness=0.5), "cathode_LR_tiny-x4_sr"),
        (UpscaleSettings(sharpness=1.0), "cathode_LR_tiny-x4_sharpness1.00_sr"),
        (UpscaleSettings(slices=(2, 3)), "cathode_LR_tiny-x4_slice2_sr"),
        (UpscaleSettings(slices=(2, 5)), "cathode_LR_tiny-x4_slices2-4_sr"),
        (UpscaleSettings(region=((0, 8), (0, 4))), "cathode_LR_tiny-x4_part_sr"),
    ],
)
def test_an_output_is_named_after_stack_model_and_what_is_unusual(
    stack: SemStack, settings: UpscaleSettings, stem: str
) -> None:
    assert output_stem(stack, card(), settings) == stem
    assert output_stem(stack, card("sem-x4"), UpscaleSettings()) == "cathode_LR_sem-x4_sr"
