"""Which moment of a training is kept: the twin by PSNR, the SRGAN by what it lacks beyond what noise costs anybody."""

import numpy as np
import pytest

from napari_sem_sr.training.validation.evaluation import mean_bands, mean_scores, pair_of, score
from napari_sem_sr.training.validation.model_selection import agreement_lost, is_best, shortfall
from tests.training.specimens import teachers

TWIN_PSNR = 24.0


def moment(psnr: float, miss: float, lost: float = 0.0) -> dict[str, float]:
    return {"psnr": psnr, "twin_psnr": TWIN_PSNR, "detail_miss_db": miss, "agreement_lost": lost}


def kept(stage: str, moments: list[dict[str, float]]) -> int:
    """Number of the moment that is kept in the end."""
    found = 0
    for n, new in enumerate(moments):
        if is_best(stage, new, moments[:n]):
            found = n
    return found


def test_of_the_twin_the_highest_psnr_is_kept() -> None:
    assert kept("twin", [{"psnr": p} for p in (20.0, 23.0, 22.9, 23.5, 23.4)]) == 3


def test_on_noisy_hr_the_srgan_that_learned_is_kept_though_its_noise_costs_psnr() -> None:
    # HR's own noise cannot be guessed: whoever has its power is up to 3 dB further from HR than the twin
    curve = [moment(24.0, 9.0), moment(23.0, 6.0), moment(21.6, 3.0), moment(21.2, 1.8), moment(21.1, 1.7)]  # fmt: skip
    assert kept("gan", curve) == 4


def test_a_collapse_at_the_end_is_not_kept() -> None:
    curve = [moment(24.0, 9.0), moment(22.5, 2.5), moment(22.3, 1.5), moment(12.0, 4.0, 0.3)]
    assert kept("gan", curve) == 2


def test_a_picture_far_from_hr_is_not_worth_its_power() -> None:
    assert kept("gan", [moment(23.5, 6.0), moment(16.0, 0.5)]) == 0


def test_of_two_that_are_as_good_the_later_is_kept_but_not_step_by_step_a_worse_one() -> None:
    assert kept("gan", [moment(22.0, 1.50), moment(22.0, 1.65)]) == 1
    slowly_worse = [moment(22.0, 1.5 + 0.15 * n) for n in range(12)]
    assert kept("gan", slowly_worse) == 1


def test_detail_that_is_wrong_counts_beside_its_power() -> None:
    right, wrong = moment(22.0, 1.5, lost=0.02), moment(22.0, 1.4, lost=0.15)
    assert shortfall(wrong) > shortfall(right)
    assert kept("gan", [right, wrong]) == 0


@pytest.mark.parametrize("strength", [5.0, 20.0])
def test_noise_on_the_twin_loses_no_agreement_and_shifted_detail_does(strength: float) -> None:
    pair = pair_of(teachers(1)[0], 4)
    rng = np.random.default_rng(0)
    twin = pair.hr + rng.normal(0, 4.0, pair.hr.shape)
    noisy = twin + rng.normal(0, strength, pair.hr.shape)
    shifted = np.roll(twin, 2, axis=1)
    base, noise, moved = (mean_bands([score(pair, p)]) for p in (twin, noisy, shifted))
    assert set(base) == {f"{k}_{n}" for k in ("detail_db", "agreement") for n in (1, 2, 3, 4)}
    assert agreement_lost(noise, base) == pytest.approx(0, abs=0.05)
    assert agreement_lost(moved, base) > 0.2
    assert agreement_lost(base, base) == 0
    assert mean_scores([score(pair, noisy)])["detail_db"] == pytest.approx(
        np.mean([noise[f"detail_db_{n}"] for n in (1, 2, 3, 4)])
    )
