"""The degradation of a real LR stack is found again where it is known, and how well is said."""

from dataclasses import replace

import numpy as np
import pytest

from napari_sem_sr.degradation.degrade import AREA_AVERAGE, Degradation, degrade_stack
from napari_sem_sr.degradation.image_statistics import grey_edges, noise_by_grey, rings_of
from napari_sem_sr.degradation.match import Match, iter_match
from napari_sem_sr.degradation.match_picture import write_match_picture
from napari_sem_sr.degradation.noise_steps import DetectorNoise, Dose, ReadNoise
from napari_sem_sr.degradation.steps import AreaAverage, BeamBlur, ContrastChange
from napari_sem_sr.degradation.two_sample_test import two_sample_test
from napari_sem_sr.errors import InputError
from napari_sem_sr.events import Notice, drain
from napari_sem_sr.samples import medulla_hr
from napari_sem_sr.stack import SemStack
from napari_sem_sr.teachers.teacher import Teacher, teachers_of

# 10 nm pixels averaged 2 x 2
LR_NM = 20.0


def real_teachers() -> list[Teacher]:
    """Every second slice of the first half of the sample, each as a specimen of its own."""
    return [replace(t, group=t.name) for t in teachers_of(medulla_hr())[:12:2]]


def recorded(*steps) -> SemStack:
    """The other half of the sample as a microscope with these faults would have recorded it."""
    stack = medulla_hr()
    how = Degradation(steps=steps, lr_pixel_nm=LR_NM)
    return degrade_stack(replace(stack, data=stack.data[12:]), 2, how, seed=5)


def variance(degradation: Degradation, grey: float) -> float:
    found = 0.0
    for step in degradation.steps:
        if isinstance(step, Dose):
            found += grey / step.electrons
        if isinstance(step, ReadNoise):
            found += step.sigma**2
    return found


def blur_nm(degradation: Degradation) -> float:
    return next((s.sigma for s in degradation.steps if isinstance(s, BeamBlur)), 0.0)


@pytest.fixture(scope="module")
def noisy() -> Match:
    lr = recorded(BeamBlur(sigma=12), AreaAverage(), Dose(electrons=60), ReadNoise(sigma=0.03))
    return drain(iter_match(real_teachers(), lr, 2))


def test_blur_is_found_within_3_nm_and_noise_within_a_tenth(noisy: Match) -> None:
    assert blur_nm(noisy.degradation) == pytest.approx(12, abs=3)
    true = Degradation(steps=(AreaAverage(), Dose(electrons=60), ReadNoise(sigma=0.03)))
    for grey in (0.3, 0.5, 0.7):
        ratio = variance(noisy.degradation, grey) / variance(true, grey)
        assert ratio**0.5 == pytest.approx(1, abs=0.1)


def test_that_noise_grows_with_the_signal_is_found_and_that_it_does_not(noisy: Match) -> None:
    assert any(isinstance(s, Dose) for s in noisy.degradation.steps)
    lr = recorded(BeamBlur(sigma=8), AreaAverage(), ReadNoise(sigma=0.08))
    flat = drain(iter_match(real_teachers(), lr, 2)).degradation
    assert blur_nm(flat) == pytest.approx(8, abs=3)
    assert variance(flat, 0.5) ** 0.5 == pytest.approx(0.08, rel=0.1)
    assert variance(flat, 0.8) / variance(flat, 0.2) < 1.5


def test_matched_teachers_are_harder_to_tell_from_lr_than_averaged_ones(noisy: Match) -> None:
    assert noisy.apart is not None and noisy.apart_before is not None
    assert noisy.apart_before.auroc > 0.95
    assert noisy.apart.auroc < 0.8
    assert noisy.apart.images == (6, 8)
    assert 0.5 < noisy.apart.null_95 < 0.8
    assert "AUROC" in noisy.summary()


def test_a_tone_curve_is_found() -> None:
    lr = recorded(ContrastChange(gamma=1.6), AreaAverage(), ReadNoise(sigma=0.02))
    found = drain(iter_match(real_teachers(), lr, 2)).degradation
    (curve,) = (s for s in found.steps if isinstance(s, ContrastChange))
    assert curve.gamma == pytest.approx(1.6, rel=0.15)


def test_greys_of_another_place_are_not_taken_for_a_tone_curve(noisy: Match) -> None:
    assert not any(isinstance(step, ContrastChange) for step in noisy.fitted.steps)


def test_black_that_cuts_noise_off_is_said() -> None:
    lr = recorded(AreaAverage(), ReadNoise(sigma=0.05))
    dark = replace(lr, data=lr.data.clip(90, 255))
    first = next(iter_match(real_teachers(), dark, 2))
    assert isinstance(first, Notice)
    assert "plain black or white" in first.message
    assert not isinstance(next(iter_match(real_teachers(), lr, 2)), Notice)


def test_correlation_along_the_line_is_found_and_the_noise_with_it() -> None:
    true = DetectorNoise(black=0.05, white=0.12, correlation=0.45)
    match = drain(iter_match(real_teachers(), recorded(AreaAverage(), true), 2))
    (found,) = (s for s in match.fitted.steps if isinstance(s, DetectorNoise))
    assert found.correlation == pytest.approx(0.45, abs=0.1)
    middle = np.sqrt((found.black**2 + found.white**2) / 2)
    assert middle == pytest.approx(np.sqrt((0.05**2 + 0.12**2) / 2), rel=0.2)


def test_where_averaging_explains_lr_nothing_is_added() -> None:
    work = iter_match(real_teachers(), recorded(AreaAverage()), 2)
    said = []
    while True:
        try:
            event = next(work)
        except StopIteration as stop:
            match = stop.value
            break
        if isinstance(event, Notice):
            said.append(event.message)
    assert match.degradation == AREA_AVERAGE
    assert match.fitted == AREA_AVERAGE or any("averaging alone is kept" in m for m in said)


def test_the_fit_is_the_same_each_time_and_in_lr_pixels_without_a_pixel_size() -> None:
    lr = recorded(BeamBlur(sigma=12), AreaAverage(), ReadNoise(sigma=0.05))
    unknown = replace(lr, voxel_nm=(None, None, None))
    one, other = (drain(iter_match(real_teachers(), unknown, 2)).degradation for _ in range(2))
    assert one == other
    assert one.lr_pixel_nm is None
    (blur,) = (s for s in one.steps if isinstance(s, BeamBlur))
    assert blur.unit == "LR pixel"
    assert blur.sigma == pytest.approx(0.6, abs=0.15)


def test_a_picture_shows_both_and_their_spectra(noisy: Match, tmp_path) -> None:
    from PIL import Image

    write_match_picture(noisy, tmp_path / "match.png")
    assert Image.open(tmp_path / "match.png").size == (1100, 720)


def test_what_is_too_small_to_be_looked_at_is_refused() -> None:
    with pytest.raises(InputError, match="64 × 64"):
        drain(iter_match(real_teachers(), SemStack.from_array(np.zeros((40, 90)), "stamp"), 2))
    small = [Teacher(np.zeros((100, 100), np.uint8), "t", "g")]
    with pytest.raises(InputError, match="No teacher is 128 × 128"):
        drain(iter_match(small, recorded(AreaAverage()), 2))


def test_white_noise_has_its_variance_at_every_frequency_and_grey() -> None:
    noise = np.random.default_rng(0).normal(0.5, 0.1, (256, 256))
    rings = rings_of([noise])
    assert rings.frequency[-1] > 0.6, "up to the corners"
    np.testing.assert_allclose(rings.power, 0.01, rtol=0.25)
    assert np.average(rings.power, weights=rings.count) == pytest.approx(0.01, rel=0.02)
    wedge = np.tile(np.linspace(0, 1, 256), (256, 1)) + noise - 0.5
    _, found = noise_by_grey([wedge], grey_edges([wedge], 4))
    np.testing.assert_allclose(found, 0.01, rtol=0.1)


def test_sets_that_are_alike_are_told_apart_as_often_as_chance_has_it() -> None:
    random = np.random.default_rng(1)
    results = []
    for trial in range(20):
        images = [random.normal(random.normal(size=5), 1, (30, 5)) for _ in range(12)]
        found = two_sample_test(images[:6], images[6:], shuffles=39, seed=trial)
        assert found is not None
        results.append(found)
    assert np.mean([r.auroc for r in results]) == pytest.approx(0.5, abs=0.1)
    assert sum(r.p_value <= 0.1 for r in results) <= 6, "the shuffled null holds"


def test_sets_that_differ_are_told_apart() -> None:
    random = np.random.default_rng(2)
    one, other = ([random.normal(m, 1, (30, 5)) for _ in range(6)] for m in (0, 1.5))
    found = two_sample_test(one, other)
    assert found is not None
    assert found.auroc > 0.95 and found.p_value <= 0.05
    assert two_sample_test(one[:1], other) is None
