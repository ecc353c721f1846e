import pytest

from napari_sem_sr.degradation.conditions import CLEAN, Conditions
from napari_sem_sr.errors import InputError
from napari_sem_sr.intensity import IntensityRange

WITHIN = IntensityRange(20.0, 220.0)


def test_noise_at_mid_range_is_between_that_at_black_and_at_white() -> None:
    conditions = Conditions(noise_black=0.01, noise_white=0.07)
    assert 0.01 < conditions.noise < 0.07
    assert conditions.noise_grey(WITHIN) == pytest.approx(200 * conditions.noise)


def test_a_typed_noise_keeps_how_it_grows_with_the_grey_value() -> None:
    conditions = Conditions(0.01, 0.03, line_correlation=0.2, blur_px=0.4)
    typed = conditions.with_noise_grey(10.0, WITHIN)
    assert typed.noise_grey(WITHIN) == pytest.approx(10)
    assert typed.noise_white / typed.noise_black == pytest.approx(3)
    assert (typed.line_correlation, typed.blur_px) == (0.2, 0.4)


def test_a_typed_noise_on_a_clean_stack_is_the_same_everywhere() -> None:
    typed = CLEAN.with_noise_grey(4.0, WITHIN)
    assert typed.noise_black == typed.noise_white == pytest.approx(0.02)


def test_conditions_survive_being_written_down() -> None:
    conditions = Conditions(0.01, 0.02, 0.3, 0.5)
    assert Conditions.from_json(conditions.to_json()) == conditions
    assert Conditions.from_json(None) == CLEAN


@pytest.mark.parametrize(
    "values", [(-0.1, 0, 0, 0), (0, float("nan"), 0, 0), (0, 0, 0.7, 0), (0, 0, 0, float("inf"))]
)
def test_what_makes_no_sense_is_refused(values: tuple[float, ...]) -> None:
    with pytest.raises(InputError, match="must be at least 0"):
        Conditions(*values)
