"""What a whole check says against HR: raw and matched, shifted and laid over."""

from dataclasses import replace

import numpy as np
import pytest
import zarr
from scipy.ndimage import shift

from napari_sem_sr.checking import check
from napari_sem_sr.checking.evidence.against_hr import compare
from napari_sem_sr.errors import InputError
from napari_sem_sr.metrics.psnr_ssim import psnr, ssim
from napari_sem_sr.model.bicubic import upscale_bicubic
from napari_sem_sr.stack import SemStack
from tests.checking.conftest import specimen, truth_of

BIG = (2, 224, 240)


def with_pixels(stack: SemStack, data: np.ndarray) -> SemStack:
    return replace(stack, data=SemStack.from_array(data, "x").data)


@pytest.fixture
def big():
    return truth_of(specimen(BIG))


def test_matched_scores_forgive_gain_and_offset_and_raw_ones_do_not(big, tmp_path):
    dim = with_pixels(big.sr, (0.5 * big.sr.data.compute() + 30).astype(np.float32))
    plain = check(
        big.lr,
        with_pixels(big.sr, big.sr.data.compute().astype(np.float32)),
        big.hr,
        out=tmp_path / "a",
    ).scores
    found = check(big.lr, dim, big.hr, out=tmp_path / "b").scores  # fmt: skip
    assert found["psnr"] < plain["psnr"] - 5
    assert found["matched_psnr"] == pytest.approx(plain["matched_psnr"], abs=0.01)
    assert found["matched_ssim"] == pytest.approx(plain["matched_ssim"], abs=1e-3)
    assert found["gain"] == pytest.approx(2 * plain["gain"], rel=1e-3)
    assert found["bicubic_matched_psnr"] < found["matched_psnr"]


def test_numbers_of_a_slice_are_those_of_the_plain_functions(big):
    sr, hr = big.sr.slice(0), big.hr.slice(0)
    found = compare({"": sr}, hr, 4, 255.0)
    assert found.numbers["ssim"] == pytest.approx(ssim(sr, hr))
    gain, offset = np.polyfit(sr.ravel(), hr.ravel(), 1)
    total = found.numbers["matched_squared_error"]
    assert 10 * np.log10(255**2 * hr.size / total) == pytest.approx(
        psnr(sr * gain + offset, hr.astype(float), 255.0), abs=1e-3
    )
    assert found.maps["ssim"].shape == found.maps["local_frc"].shape == (56, 60)


def test_a_shifted_hr_is_said_to_be_shifted_and_laid_over_when_asked(big, tmp_path):
    moved = (2.4, -1.3)
    data = np.stack([shift(p.astype(float), moved, order=3, mode="reflect") for p in big.hr.data.compute()])  # fmt: skip
    hr = with_pixels(big.hr, np.clip(data.round(), 0, 255).astype(np.uint8))
    straight = check(big.lr, big.sr, big.hr, out=tmp_path / "straight").scores
    assert straight["shift_px"] == pytest.approx((0, 0), abs=0.1)
    as_is = check(big.lr, big.sr, hr, out=tmp_path / "as is")
    assert as_is.scores["shift_px"] == pytest.approx(moved, abs=0.1)
    assert as_is.scores["registration"]["applied"] is False
    assert any("--register" in line for line in as_is.limits)
    laid = check(big.lr, big.sr, hr, register=True, out=tmp_path / "laid")
    assert laid.scores["registration"]["applied"] is True
    assert laid.scores["psnr"] > as_is.scores["psnr"] + 5
    assert laid.scores["psnr"] == pytest.approx(straight["psnr"], abs=1.0)
    assert not any("--register" in line for line in laid.limits)
    # asked for again, the finished report is the one on the registered HR, and no other
    assert check(big.lr, big.sr, hr, register=True, out=tmp_path / "laid", resume=True) == laid


def test_hr_of_another_place_is_not_laid_over_anything(big, tmp_path):
    other = with_pixels(big.hr, specimen(BIG, seed=9))
    with pytest.raises(InputError, match="Slice 0: HR cannot be registered"):
        check(big.lr, big.sr, other, register=True, out=tmp_path)
    assert not any(tmp_path.iterdir())


def test_the_share_of_patches_that_leave_hr_too_early_stands_beside_the_twins(tmp_path):
    truth = truth_of(specimen((1, 320, 320)))
    planes = np.stack([upscale_bicubic(truth.lr.slice(0), 4)])
    report = check(truth.lr, with_pixels(truth.sr, planes), truth.hr, out=tmp_path)
    local = report.scores["local_frc"]
    assert local["wrong_fraction"] == local["false_alarm_rate"] <= 0.05
    assert np.isfinite(np.asarray(zarr.open_group(tmp_path / "maps.zarr")["local_frc/0"])).any()


def test_particles_that_sr_lost_and_made_up_are_counted_by_diameter_beside_bicubic(tmp_path):
    rng, yy, xx = np.random.default_rng(0), *np.mgrid[:320, :320]
    image = np.full((320, 320), 60.0)
    places = [(y, x) for y in range(24, 300, 32) for x in range(24, 300, 32)]
    for number, (y, x) in enumerate(places):
        radius = 2.5 if number % 2 else 8
        image += 120 * np.clip(radius + 0.5 - np.hypot(yy - y, xx - x), 0, 1)
    hr = np.clip(image + rng.normal(0, 2, image.shape), 0, 255).astype(np.uint8)[None]
    truth = truth_of(hr)
    sr = hr.copy()
    for y, x in places[1:40:2]:
        sr[0, y - 6 : y + 7, x - 6 : x + 7] = 60
    sr[0, 34:48, 34:48] = hr[0, 17:31, 17:31]
    found = check(truth.lr, with_pixels(truth.sr, sr), truth.hr, out=tmp_path).scores["particles"]
    assert found["sr"]["unit"] == "nm"
    assert (found["sr"]["n_true"], found["sr"]["n_missed"]) == (81, 20)
    assert found["sr"]["n_invented"] == 1
    # half of those of 5 to 6 pixels of 5 nm are lost, none of those of 17
    assert 30 < found["sr"]["diameter_recall_90"] <= 85
    assert found["bicubic"]["n_true"] == 81
