import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from napari_sem_sr.errors import InputError
from napari_sem_sr.metrics.psnr_ssim import StackScores, psnr, ssim, ssim_map


def picture(seed: int = 0, shape: tuple[int, int] = (40, 50)) -> np.ndarray:
    return np.random.default_rng(seed).integers(20, 230, shape).astype(np.uint8)


def test_psnr_of_a_known_error_is_the_textbook_value():
    truth = picture()
    assert psnr(truth + 10, truth) == pytest.approx(20 * np.log10(255 / 10))


def test_psnr_does_not_wrap_around_in_uint8():
    truth = np.full((16, 16), 5, np.uint8)
    image = np.full((16, 16), 250, np.uint8)
    assert psnr(image, truth) == psnr(truth, image) == pytest.approx(20 * np.log10(255 / 245))


def test_psnr_uses_the_range_of_the_dtype_and_not_of_the_image():
    truth = picture().astype(np.uint16)
    assert psnr(truth + 10, truth) == pytest.approx(20 * np.log10(65535 / 10))


def test_psnr_of_equal_images_is_infinite_and_ssim_one():
    assert psnr(picture(), picture()) == np.inf
    assert ssim(picture(), picture()) == pytest.approx(1)


def test_a_wrong_contrast_lowers_both_scores():
    truth = picture()
    stretched = (truth * 0.5).astype(np.uint8)
    assert psnr(stretched, truth) < 20
    assert ssim(stretched, truth) < 0.9


def test_ssim_agrees_with_its_definition_in_one_window():
    rng = np.random.default_rng(3)
    a, b = rng.integers(0, 256, (2, 7, 7)).astype(np.uint8)
    x, y = a.astype(float), b.astype(float)
    c1, c2 = (0.01 * 255) ** 2, (0.03 * 255) ** 2
    covariance = ((x - x.mean()) * (y - y.mean())).sum() / 48
    expected = ((2 * x.mean() * y.mean() + c1) * (2 * covariance + c2)) / (
        (x.mean() ** 2 + y.mean() ** 2 + c1) * (x.var(ddof=1) + y.var(ddof=1) + c2)
    )
    assert ssim(a, b) == pytest.approx(expected, abs=1e-9)


def test_masked_pixels_do_not_count_and_do_not_spread():
    truth = picture(shape=(64, 64)).astype(np.float32)
    image = truth + 1
    holed = image.copy()
    holed[20:24, 30:36] = np.nan
    assert psnr(holed, truth, 255) == pytest.approx(psnr(image, truth, 255))
    similarity = ssim_map(holed, truth, 255)
    whole = ssim_map(image, truth, 255)
    inside = np.isfinite(similarity)
    np.testing.assert_allclose(similarity[inside], whole[inside], atol=1e-12)
    assert np.isfinite(whole).sum() - inside.sum() == 10 * 12


def test_images_of_different_shape_are_refused_with_both_shapes():
    with pytest.raises(InputError, match=r"\(40, 50\).*\(40, 48\)"):
        psnr(picture(), picture(shape=(40, 48)))


def test_images_without_a_common_valid_pixel_are_refused():
    with pytest.raises(InputError, match="no valid pixel"):
        psnr(np.full((9, 9), np.nan), np.zeros((9, 9)))


def test_stack_psnr_comes_from_all_pixels_and_every_slice_counts():
    truth = np.stack([picture(i) for i in range(3)])
    scores = StackScores(255.0)
    errors = (1, 20, 5)
    for plane, error in zip(truth, errors, strict=True):
        scores.add(plane + error, plane)
    mean_squared = np.mean([e**2 for e in errors])
    assert scores.psnr == pytest.approx(10 * np.log10(255**2 / mean_squared))
    assert scores.psnr_per_slice == pytest.approx([20 * np.log10(255 / e) for e in errors])
    assert scores.ssim == pytest.approx(np.mean(scores.ssim_per_slice))
    assert len(set(scores.ssim_per_slice)) == 3


@given(st.integers(1, 25), st.integers(0, 5))
def test_psnr_is_symmetric_and_falls_with_the_error(error, seed):
    truth = picture(seed).clip(0, 200)
    near, far = truth + error, truth + error + 1
    assert psnr(near, truth) == pytest.approx(psnr(truth, near))
    assert psnr(far, truth) < psnr(near, truth)
