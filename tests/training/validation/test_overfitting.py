"""What the curves say: overfitting is named with its epoch, scatter is not mistaken for it."""

import numpy as np
import pytest

from napari_sem_sr.training.validation.overfitting import judge


def curve(unseen, known, stage: str = "twin", first: int = 10) -> list[dict]:
    """Points from gains over bicubic (dB), one every ten epochs."""
    return [
        {
            "stage": stage,
            "epoch": first + 10 * n,
            "step": 100 * (n + 1),
            "scores": {
                "psnr": 30 + u,
                "bicubic_psnr": 30.0,
                "train_psnr": 28 + k,
                "train_bicubic_psnr": 28.0,
            },
        }
        for n, (u, k) in enumerate(zip(unseen, known, strict=True))
    ]


RISING = np.array([0.4, 0.9, 1.3, 1.6, 1.8, 1.95, 2.05, 2.1, 2.14, 2.16])


def test_a_training_whose_unseen_images_get_better_is_sound() -> None:
    verdict = judge(curve(RISING, RISING + 0.2))
    assert verdict.sound
    assert "no overfitting" in verdict.sentence
    assert verdict.since_epoch is None


def test_unseen_falling_while_known_rises_is_overfitting_since_the_peak() -> None:
    unseen = np.array([0.5, 1.0, 1.4, 1.5, 1.4, 1.2, 1.0, 0.8, 0.6, 0.4])
    known = np.linspace(0.6, 4.0, 10)
    verdict = judge(curve(unseen, known))
    assert not verdict.sound
    assert verdict.stage == "twin"
    assert abs(verdict.since_epoch - 40) <= 10
    assert f"epoch {verdict.since_epoch}" in verdict.sentence


def test_both_falling_is_no_overfitting_of_the_twin() -> None:
    falling = np.array([0.5, 1.0, 1.4, 1.5, 1.4, 1.2, 1.0, 0.8, 0.6, 0.4])
    assert judge(curve(falling, falling + 0.1)).since_epoch is None


def test_the_srgan_stage_is_judged_by_the_gap_that_opens() -> None:
    twin = curve(RISING, RISING)
    fall = np.array([1.6, 1.2, 0.9, 0.6, 0.4])
    as_one = judge([*twin, *curve(fall, fall, "gan")])
    assert as_one.sound, "both fall alike: that is the price of detail"
    apart = judge([*twin, *curve(fall, np.add(fall, [0.1, 0.4, 0.7, 0.9, 1.1]), "gan")])
    assert not apart.sound
    assert (apart.stage, apart.since_epoch) == ("gan", 20)
    assert "from memory" in apart.sentence


def test_worse_than_bicubic_is_said() -> None:
    twin = curve(RISING, RISING)
    fall = np.array([1.0, 0.2, -0.4, -0.8])
    verdict = judge([*twin, *curve(fall, fall, "gan")])
    assert not verdict.sound
    assert "0.8 dB further from the truth than bicubic" in verdict.sentence


def test_a_part_of_one_image_cannot_clear_a_training() -> None:
    verdict = judge(curve(RISING, RISING), "part of one image")
    assert not verdict.sound
    assert "other specimens" in verdict.sentence


def test_two_looks_say_nothing_yet() -> None:
    assert "Too early" in judge(curve([0.1, 0.2], [0.1, 0.2])).sentence
    assert "Too early" in judge([]).sentence


@pytest.mark.parametrize("scatter", [0.01, 0.05, 0.15])
def test_scatter_of_a_plateau_is_hardly_ever_taken_for_overfitting(scatter: float) -> None:
    known = 2.0 + 0.01 * np.arange(16)
    alarms = 0
    for seed in range(300):
        unseen = 2.0 + scatter * np.random.default_rng(seed).standard_normal(16)
        alarms += judge(curve(unseen, known)).sound is False
    assert alarms <= 0.05 * 300


@pytest.mark.parametrize("seed", range(20))
def test_a_real_fall_is_found_through_scatter(seed: int) -> None:
    rng = np.random.default_rng(seed)
    fall = np.concatenate([np.linspace(0, 2, 10), np.linspace(2, 0.5, 20)])
    known = np.linspace(0, 4, 30)
    noise = 0.05 * rng.standard_normal((2, 30))
    verdict = judge(curve(fall + noise[0], known + noise[1]))
    assert not verdict.sound
    assert abs(verdict.since_epoch - 100) <= 40
