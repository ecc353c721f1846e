import numpy as np
import pytest
from scipy.ndimage import affine_transform, gaussian_filter, shift

from napari_sem_sr.errors import InputError
from napari_sem_sr.metrics.resample import area_average
from napari_sem_sr.teachers.registration.placement import inner_box
from napari_sem_sr.teachers.registration.register import register


def field(seed: int = 0, size: int = 320) -> np.ndarray:
    """Grains of several sizes, in grey levels."""
    rng = np.random.default_rng(seed)
    noise = rng.standard_normal((2, size, size))
    grains = gaussian_filter(noise[0], 5) * 60 * 5 + gaussian_filter(noise[1], 1.5) * 12 * 1.5
    return 120 + grains


def measured(image: np.ndarray, factor: int = 4, noise: float = 2.0) -> np.ndarray:
    """LR of ``image`` on another microscope: averaged, another grey scale, noise."""
    lr = 0.7 * area_average(image, factor) + 25
    return lr + np.random.default_rng(1).normal(0, noise, lr.shape)


@pytest.mark.parametrize("moved", [(0.0, 0.0), (3.4, -2.1), (-14.3, 9.6)])
def test_a_shift_is_found_to_a_tenth_of_an_sr_pixel_with_gain_and_offset(moved):
    image = field()
    hr = shift(image, moved, order=3, mode="reflect")[32:-32, 32:-32]
    found = register(measured(image[32:-32, 32:-32]), hr, 4)
    assert found.shift_px == pytest.approx(moved, abs=0.1)
    assert found.gain == pytest.approx(0.7, abs=0.02)
    assert found.offset == pytest.approx(25, abs=3)
    assert found.residual_rms == pytest.approx(2.0, rel=0.15)
    assert found.bend_px < 1


def test_scale_and_rotation_are_found_when_asked_and_refused_by_name_when_not():
    hr, turn, stretch = field(), np.radians(2.0), 1.03
    matrix = stretch * np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]])
    middle = (np.array(hr.shape) - 1) / 2
    seen = affine_transform(hr, matrix, middle - matrix @ middle, order=3, mode="reflect")
    found = register(measured(seen), hr, 4, scale_and_rotation=True)
    assert found.rotation_deg == pytest.approx(2.0, abs=0.05)
    assert found.scale == pytest.approx(1.03, abs=0.002)
    assert found.shift_px == pytest.approx((0, 0), abs=0.2)
    with pytest.raises(InputError, match="scale and rotation"):
        register(measured(seen), hr, 4)


def test_hr_of_a_part_of_the_field_in_finer_pixels_is_found_where_it_is():
    image = field()
    part = image[100:260, 40:220]
    matrix = np.eye(2) / 1.25
    hr = affine_transform(
        part, matrix, [(1 / 1.25 - 1) / 2] * 2, output_shape=(200, 225), order=3, mode="mirror"
    )
    found = register(measured(image), hr, 4, pixel_ratio=1.25)
    assert found.shift_px == pytest.approx((-100, -40), abs=0.2)


def test_nan_borders_are_left_out():
    image = field()
    hr = image.copy()
    hr[:30] = np.nan
    lr = measured(image)
    lr[:, -6:] = np.nan
    assert register(lr, hr, 4).shift_px == pytest.approx((0, 0), abs=0.1)


def test_another_field_is_refused():
    with pytest.raises(InputError, match=r"equally well|correlation is only"):
        register(measured(field()), field(7), 4)


WAVES = np.sin(np.arange(320) / 6)
LAYERS = gaussian_filter(np.random.default_rng(3).normal(0, 300, 320), 4)


@pytest.mark.parametrize(
    ("hr", "reason"),
    [
        (np.full((320, 320), 7.0), "flat grey"),
        (np.full((320, 320), np.nan), "all NaN"),
        (field()[:96, :96], "too small"),
        (30 * np.add.outer(WAVES, WAVES), "equally well"),
        (np.repeat(LAYERS[:, None], 320, 1), "one direction"),
    ],
    ids=["flat", "empty", "small", "periodic", "layers"],
)
def test_what_has_no_single_place_is_refused_with_the_reason(hr, reason):
    with pytest.raises(InputError, match=reason):
        register(measured(np.nan_to_num(hr)), hr, 4)


def test_the_inner_box_holds_no_invalid_pixel_and_cuts_no_more_than_it_must():
    valid = np.ones((40, 60), bool)
    valid[:3] = False
    valid[:, 55:] = False
    assert inner_box(valid, 4) == (slice(4, 40), slice(0, 52))
    assert inner_box(np.zeros((8, 8), bool), 4) is None
