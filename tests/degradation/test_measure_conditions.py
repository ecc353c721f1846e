import io
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from PIL import Image
from scipy.ndimage import gaussian_filter

from napari_sem_sr.degradation.measure_conditions import measure_conditions
from napari_sem_sr.intensity import IntensityRange
from napari_sem_sr.samples import medulla_hr
from napari_sem_sr.stack import SemStack

Images = npt.NDArray[np.floating[Any]]


@pytest.fixture(scope="module")
def clean() -> Images:
    """The sample averaged over 2 × 2 pixels, (z, y, x): hardly any noise is left in it."""
    hr = np.asarray(medulla_hr().data).astype(float)[:6]
    z, y, x = hr.shape
    return hr[:, : y // 2 * 2, : x // 2 * 2].reshape(z, y // 2, 2, x // 2, 2).mean((2, 4))


def noisy(
    images: Images, black: float, white: float, correlation: float = 0.0, seed: int = 0
) -> SemStack:
    random = np.random.default_rng(seed)
    a = (1 - np.sqrt(1 - 4 * correlation**2)) / (2 * correlation) if correlation else 0.0
    white_noise = random.standard_normal((*images.shape[:2], images.shape[2] + 1))
    noise = (white_noise[..., 1:] + a * white_noise[..., :-1]) / np.sqrt(1 + a**2)
    place = np.clip(images / 255, 0, 1)
    sd = np.sqrt(black**2 + (white**2 - black**2) * place)
    return stack_of(images + sd * noise)


def stack_of(images: Images) -> SemStack:
    return SemStack.from_array(np.clip(np.rint(images), 0, 255).astype(np.uint8), name="tin")


WHOLE = IntensityRange(0.0, 255.0)


@pytest.mark.parametrize("sd", [5.0, 10.0, 20.0])
def test_noise_is_found_from_lr_alone(clean: Images, sd: float) -> None:
    found = measure_conditions(noisy(clean, sd, sd), WHOLE)
    # fine texture can only add to it
    assert 0.9 * sd < found.conditions.noise_grey(WHOLE) < 1.3 * sd
    assert found.conditions.line_correlation < 0.1
    assert found.notices == ()


def test_correlation_along_the_scan_line_is_found_and_noise_with_it(clean: Images) -> None:
    found = measure_conditions(noisy(clean, 12, 12, correlation=0.45), WHOLE)
    assert found.conditions.line_correlation == pytest.approx(0.45, abs=0.1)
    assert found.conditions.noise_grey(WHOLE) == pytest.approx(12, rel=0.2)


def test_noise_that_grows_with_the_grey_value_is_told_from_noise_that_does_not(
    clean: Images,
) -> None:
    counting = measure_conditions(noisy(clean, 3, 18), WHOLE).conditions
    even = measure_conditions(noisy(clean, 12, 12), WHOLE).conditions
    assert counting.noise_white > 2 * counting.noise_black
    assert even.noise_white < 2 * even.noise_black


def test_blur_is_told_only_where_it_is_surely_there(clean: Images) -> None:
    assert measure_conditions(noisy(clean, 2, 2), WHOLE).conditions.blur_px == 0
    blurred = gaussian_filter(clean, (0, 1.0, 1.0))
    told = measure_conditions(noisy(blurred, 1, 1), WHOLE).conditions.blur_px
    assert 0.3 < told <= 1.2


def test_a_constant_stack_is_said_to_tell_nothing() -> None:
    found = measure_conditions(stack_of(np.full((2, 64, 64), 7.0)))
    assert found.conditions.noise == 0
    assert "constant" in found.notices[0]
    assert "assumed" in found.notices[0]


def test_a_saturated_stack_is_said_to_tell_nothing(clean: Images) -> None:
    found = measure_conditions(stack_of(clean * 4))
    assert "saturated" in found.notices[0]


def test_jpeg_is_recognised(clean: Images) -> None:
    pages = []
    for page in np.asarray(noisy(clean, 8, 8).data):
        file = io.BytesIO()
        Image.fromarray(page).save(file, "JPEG", quality=30)
        pages.append(np.asarray(Image.open(file)))
    found = measure_conditions(stack_of(np.stack(pages).astype(float)))
    assert any("JPEG" in notice for notice in found.notices)


def test_slices_that_are_noisier_are_named(clean: Images) -> None:
    images = np.asarray(noisy(clean, 4, 4).data).astype(float)
    images[4] = np.asarray(noisy(clean[4:5], 16, 16).data)[0]
    found = measure_conditions(stack_of(images), WHOLE)
    assert any("slice 4" in notice for notice in found.notices)


def test_nan_borders_do_not_matter(clean: Images) -> None:
    images = np.asarray(noisy(clean, 10, 10).data).astype(np.float32)
    images[:, :10] = np.nan
    found = measure_conditions(SemStack.from_array(images, name="aligned"), WHOLE)
    assert found.conditions.noise_grey(WHOLE) == pytest.approx(10, rel=0.25)
