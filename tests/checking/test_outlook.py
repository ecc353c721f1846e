"""What is to be expected of a model, before hours are spent on a stack."""

from dataclasses import replace

import numpy as np
import pytest

from napari_sem_sr.checking.outlook import iter_outlook
from napari_sem_sr.degradation.degrade import degrade_stack
from napari_sem_sr.events import drain
from napari_sem_sr.model.zoo import Entry, list_models
from napari_sem_sr.samples import medulla_hr
from napari_sem_sr.stack import SemStack

# its teachers hold medulla, and enough specimens to tell
KNOWS = "sem-x4"


def entry_named(name: str) -> Entry:
    return next(e for e in list_models() if e.name == name)


@pytest.fixture(scope="module")
def medulla() -> SemStack:
    return degrade_stack(medulla_hr().cropped((0, 4), ((0, 248), (0, 248))), 4)


def noisy(stack: SemStack) -> SemStack:
    rng = np.random.default_rng(0)
    pixels = stack.data.compute().astype(float)
    worse = np.clip(pixels + rng.normal(0, 60, pixels.shape), 0, 255).astype(np.uint8)
    return replace(stack, data=SemStack.from_array(worse, stack.name).data, paths=())


def test_a_model_that_knows_the_material_is_green_and_says_what_it_brought(
    medulla: SemStack,
) -> None:
    seen = drain(iter_outlook(medulla, entry_named(KNOWS), list_models()))
    assert seen.colour == "green", seen
    assert (
        "closer to the truth than bicubic" in seen.sentence
        and "dB)" in seen.sentence
        and "+0.0" not in seen.sentence
    )
    assert seen.better is None


def test_noise_beyond_every_teachers_is_red_and_says_why_and_what_to_do(medulla: SemStack) -> None:
    seen = drain(iter_outlook(noisy(medulla), entry_named(KNOWS)))
    assert seen.colour == "red"
    assert "noisier" in seen.why and "train" in seen.sentence


def test_a_pixel_size_far_from_the_teachers_or_unknown_is_amber(medulla: SemStack) -> None:
    for voxel in ((10.0, 4000.0, 4000.0), (None, None, None)):
        seen = drain(iter_outlook(replace(medulla, voxel_nm=voxel), entry_named(KNOWS)))
        assert seen.colour == "amber", voxel
        assert "pixel" in seen.why


def test_a_model_that_failed_its_own_test_is_never_green(medulla: SemStack) -> None:
    entry = entry_named(KNOWS)
    scores = [s.model_copy(update={"twin_psnr": s.bicubic_psnr, "gan_psnr": s.bicubic_psnr - 1})
              for s in entry.card.scores]  # fmt: skip
    failed = replace(entry, card=entry.card.model_copy(update={"scores": scores}))
    seen = drain(iter_outlook(medulla, failed, list_models()))
    assert seen.colour == "red" and "no better than bicubic" in seen.why


def test_the_model_that_knows_such_a_stack_is_named(medulla: SemStack) -> None:
    seen = drain(iter_outlook(medulla, entry_named("powder-x4"), list_models()))
    assert seen.colour == "red"
    assert seen.better in {"sem-x4", "sem-x4-fast"} and f"'{seen.better}'" in seen.sentence
