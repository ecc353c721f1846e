"""The gain over bicubic is foreseen without HR, and its interval holds."""

import numpy as np
import pytest

from napari_sem_sr.checking.evidence.expected_gain import (
    MIN_SPECIMENS,
    Distances,
    ExpectedGain,
    Gain,
    HeldOutErrors,
    fit_gain,
)


def example(seed: int) -> HeldOutErrors:
    """A specimen whose twin is off by something that follows, not too closely, from what can be measured."""
    random = np.random.default_rng(seed)
    noise, contrast = random.uniform(1, 100), random.uniform(100, 3000)
    from_bicubic = random.uniform(5, 100)
    twin_error = 0.5 * from_bicubic**0.7 * noise**0.3 * np.exp(0.1 * random.standard_normal())
    invented = random.uniform(0, 2) * from_bicubic
    distances = Distances(from_bicubic, invented, noise, contrast, contrast / 20)
    return HeldOutErrors(distances, twin_error + from_bicubic, twin_error + invented, twin_error)


@pytest.fixture(scope="module")
def calibrated() -> ExpectedGain:
    arrays = fit_gain([example(n) for n in range(60)], [f"specimen {n // 3}" for n in range(60)])
    found = ExpectedGain.of(arrays)
    assert found is not None
    return found


def test_the_sign_and_size_of_the_gain_are_foreseen_on_specimens_never_seen(
    calibrated: ExpectedGain,
) -> None:
    new = [example(n) for n in range(100, 300)]
    foreseen = [calibrated.predict([e.distances]) for e in new]
    true = np.array([e.gain for e in new])
    assert np.corrcoef(true, [g.value for g in foreseen])[0, 1] > 0.95
    clear = np.abs(true) > 0.5
    signs = np.sign([g.value for g in foreseen]) == np.sign(true)
    assert signs[clear].mean() > 0.98
    held = np.mean([g.low <= t <= g.high for g, t in zip(foreseen, true, strict=True)])
    assert held > 0.85


def test_sr_that_lies_further_from_the_twin_than_bicubic_does_is_worse_than_bicubic(
    calibrated: ExpectedGain,
) -> None:
    near = calibrated.predict([Distances(30, 10, 20, 500, 25)])
    far = calibrated.predict([Distances(30, 90, 20, 500, 25)])
    assert near.value > 0 > far.value
    assert far.colour == "red"


def test_a_gain_of_next_to_nothing_is_no_green_light() -> None:
    assert Gain(1.0, 0.4, 1.5).colour == "green"
    assert Gain(0.29, 0.1, 0.8).colour == "amber"
    assert Gain(0.31, -0.2, 0.8).colour == "green"
    assert Gain(0.0, -0.2, 0.2).colour == "red"


def test_too_few_specimens_foresee_nothing() -> None:
    few = MIN_SPECIMENS - 1
    assert fit_gain([example(n) for n in range(few)], [str(n) for n in range(few)]) == {}
    assert ExpectedGain.of({}) is None


def test_distances_are_those_of_the_valid_part() -> None:
    random = np.random.default_rng(0)
    lr = random.uniform(50, 200, (16, 16)).astype(np.float32)
    twin = random.uniform(50, 200, (64, 64)).astype(np.float32)
    sr = twin + 3
    found = Distances.of(lr, sr, twin, 4, 4.0)
    assert found is not None
    assert found.sr == pytest.approx(9, rel=1e-4)
    sr[:8] = np.nan
    part = Distances.of(lr, sr, twin, 4, 4.0)
    assert part is not None
    assert part.sr == pytest.approx(9, rel=1e-4)
    assert Distances.of(lr, np.full_like(sr, np.nan), twin, 4, 4.0) is None
