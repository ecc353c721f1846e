import numpy as np
import pytest
from scipy.ndimage import gaussian_filter

from napari_sem_sr.metrics.local_frc import (
    FALSE_ALARMS,
    histogram,
    local_crossings,
    patch_px,
    spread,
    summarise_local,
)
from napari_sem_sr.metrics.resample import area_average
from napari_sem_sr.model.bicubic import upscale_bicubic


def texture(seed: int, size: int = 512) -> np.ndarray:
    noise = np.random.default_rng(seed).standard_normal((2, size, size))
    return 120 + 90 * gaussian_filter(noise[0], 3) * 3 + 40 * gaussian_filter(noise[1], 1)


HR = texture(0)
BICUBIC = upscale_bicubic(area_average(HR, 4).astype(np.float32), 4)


def test_equal_images_never_cross_and_unrelated_ones_do_at_once():
    assert (local_crossings(HR, HR, 4) == 0.5).all()
    assert np.median(local_crossings(texture(1), HR, 4)) < 0.05


def test_interpolation_follows_hr_up_to_about_the_nyquist_frequency_of_lr():
    assert np.median(local_crossings(BICUBIC, HR, 4)) * 4 == pytest.approx(0.5, abs=0.15)


def test_a_patch_drawn_from_somewhere_else_is_found_at_the_stated_false_alarm_rate():
    fake = BICUBIC.astype(float)
    fake[128:256, 256:384] = texture(1)[128:256, 256:384]
    crossings, of_bicubic = local_crossings(fake, HR, 4), local_crossings(BICUBIC, HR, 4)
    found = summarise_local([histogram(crossings)], [histogram(of_bicubic)], None, 4, 5.0)
    assert found["false_alarm_rate"] <= FALSE_ALARMS
    flagged = crossings * 4 < found["limit_cycles_per_lr_px"]
    assert flagged[4:7, 8:11].all()
    elsewhere = np.ones_like(flagged)
    elsewhere[3:8, 7:12] = False
    assert flagged[elsewhere].mean() <= FALSE_ALARMS
    assert found["wrong_fraction"] == pytest.approx(flagged.mean(), abs=0.01)
    assert found["limit_nm"] == pytest.approx(4 * 5.0 / found["limit_cycles_per_lr_px"])


def test_patches_without_structure_or_with_nan_have_no_say():
    noise = np.random.default_rng(0).normal(100, 3, HR.shape)
    assert np.isnan(local_crossings(noise, noise, 4)).all()
    holed = HR.copy()
    holed[:10, :10] = np.nan
    crossings = local_crossings(HR, holed, 4)
    assert np.isnan(crossings[0, 0]) and np.isfinite(crossings[1:, 1:]).all()


def test_small_images_have_no_patch_and_no_summary():
    small = HR[: patch_px(4) - 1]
    assert local_crossings(small, small, 4) is None
    assert summarise_local([histogram(None)], [histogram(None)], None, 4, None) is None


def test_each_lr_pixel_gets_the_patch_around_it():
    image = spread(np.arange(6.0).reshape(2, 3), (24, 32))
    assert image.shape == (24, 32)
    assert (image[0, 0], image[-1, -1]) == (0, 5)
    # patches of 16 LR pixels every 8: their middles are 8, 16, 24
    assert list(image[0, [11, 12, 19, 20]]) == [0, 1, 1, 2]
