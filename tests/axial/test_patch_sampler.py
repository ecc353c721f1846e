"""Questions and answers drawn from lateral planes."""

import numpy as np
import pytest

from napari_sem_sr.axial.patch_sampler import PatchSampler
from napari_sem_sr.errors import InputError


def plane(side: int = 80) -> np.ndarray:
    return np.random.default_rng(0).random((side, side)).astype(np.float32)


def test_a_question_is_every_rth_row_of_its_answer() -> None:
    sampler = PatchSampler.of([plane()], 4.0, 4, "thin")
    question, answer = sampler.draw(3, np.random.default_rng(1))
    np.testing.assert_array_equal(question.numpy(), answer[:, :, ::4].numpy())
    assert answer.shape[2] == (question.shape[2] - 1) * 4 + 1


def test_of_a_thick_section_a_question_is_the_mean_over_the_spacing() -> None:
    ramp = np.repeat(np.arange(80, dtype=np.float32)[:, None], 80, axis=1)
    sampler = PatchSampler.of([ramp + ramp.T], 4.0, 4, "thick")
    question, answer = sampler.draw(4, np.random.default_rng(1))
    # on a straight slope the mean over a symmetric window is the value in its middle
    np.testing.assert_allclose(question.numpy(), answer[:, :, ::4].numpy(), atol=1e-4)
    noise = PatchSampler.of([plane()], 4.0, 4, "thick")
    question, answer = noise.draw(4, np.random.default_rng(1))
    assert question.std() < 0.7 * answer.std()


def test_a_ratio_that_is_not_whole_keeps_its_spacing() -> None:
    ramp = np.repeat(np.arange(80, dtype=np.float32)[:, None], 80, axis=1)
    sampler = PatchSampler.of([ramp], 2.5, 5, "thin")
    question, _ = sampler.draw(8, np.random.default_rng(0))
    steps = np.abs(np.diff(question.numpy(), axis=2))
    # planes lie either way, so that half of the patches do not change along the rows
    assert set(np.unique(steps.round(4)).tolist()) <= {0.0, 2.5}


def test_both_lateral_directions_are_learned_from() -> None:
    ramp = np.repeat(np.arange(80, dtype=np.float32)[:, None], 80, axis=1)
    _, answers = PatchSampler.of([ramp], 4.0, 4, "thin").draw(32, np.random.default_rng(0))
    changes = {bool(np.ptp(a[0].numpy(), axis=0).max() > 0) for a in answers}
    assert changes == {True, False}


def test_planes_that_are_too_small_are_refused_with_the_size_they_need() -> None:
    with pytest.raises(InputError, match="at least 73 pixels"):
        PatchSampler.of([plane(60)], 12.0, 12, "thin")


def test_places_without_data_are_not_learned_from() -> None:
    half = plane(120)
    half[:, :50] = np.nan
    question, answer = PatchSampler.of([half], 4.0, 4, "thin").draw(16, np.random.default_rng(0))
    assert np.isfinite(question.numpy()).all()
    assert np.isfinite(answer.numpy()).all()
    with pytest.raises(InputError, match="NaN"):
        PatchSampler.of([np.full((80, 80), np.nan, np.float32)], 4.0, 4, "thin").draw(
            1, np.random.default_rng(0)
        )
