"""Each step of the degradation does what its physical parameter says, and nothing else."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError
from scipy.ndimage import gaussian_filter

from napari_sem_sr.degradation.degrade import AREA_AVERAGE, Degradation, degrade
from napari_sem_sr.degradation.noise_steps import DetectorNoise, Dose, ReadNoise
from napari_sem_sr.degradation.steps import (
    AreaAverage,
    BeamBlur,
    ChargingStreaks,
    ContrastChange,
    Curtaining,
    Sampling,
    ScanDistortion,
    Step,
)
from napari_sem_sr.metrics.resample import area_average

RANDOM: list[Step] = [
    DetectorNoise(black=0.02, white=0.06, correlation=0.4),
    Dose(electrons=50),
    ReadNoise(sigma=0.05),
    ScanDistortion(jitter=0.3, drift=20, unit="LR pixel"),
    ChargingStreaks(strength=0.2, length=4, unit="LR pixel"),
    Curtaining(strength=0.05, width=2, unit="LR pixel"),
]
ALL: list[Step] = [*RANDOM, BeamBlur(sigma=0.5, unit="LR pixel"), ContrastChange(gamma=1.3)]


def generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def field(seed: int = 0, side: int = 64) -> torch.Tensor:
    """A smooth scene between 0.1 and 0.9, (1, 1, side, side)."""
    smooth = gaussian_filter(np.random.default_rng(seed).normal(size=(side, side)), 3, mode="wrap")
    smooth = 0.1 + 0.8 * (smooth - smooth.min()) / np.ptp(smooth)
    return torch.from_numpy(smooth.astype(np.float32))[None, None]


def chain(step: Step, **more) -> Degradation:
    steps = (step, AreaAverage()) if step.grid == "HR" else (AreaAverage(), step)
    return Degradation(steps=steps, **more)


@pytest.mark.parametrize("step", RANDOM, ids=lambda s: s.kind)
def test_one_seed_makes_one_image_and_another_makes_another(step: Step) -> None:
    a, b, c = (step.apply(field(), Sampling(4), generator(seed)) for seed in (1, 1, 2))
    assert torch.equal(a, b)
    assert not torch.equal(a, c)


@pytest.mark.parametrize("step", ALL, ids=lambda s: s.kind)
def test_what_is_called_random_draws_numbers_and_nothing_else_does(step: Step) -> None:
    random = generator()
    before = random.get_state()
    step.apply(field(), Sampling(4), random)
    assert torch.equal(before, random.get_state()) is not step.random


@pytest.mark.parametrize("step", RANDOM, ids=lambda s: s.kind)
def test_on_average_a_random_step_leaves_the_image_as_it_is(step: Step) -> None:
    scene = field().expand(400, 1, -1, -1)
    mean = step.apply(scene, Sampling(4), generator()).mean(0)
    inner = (..., slice(8, -8), slice(8, -8))
    # jitter averages to a blur along x, which this smooth scene hardly shows
    assert (mean[inner] - scene[0][inner]).abs().mean() < 0.01
    assert float(mean.mean()) == pytest.approx(float(scene.mean()), abs=2e-3)


@given(electrons=st.floats(2, 2000), grey=st.floats(0.05, 1))
@settings(max_examples=25, deadline=None)
def test_dose_has_the_variance_of_counting(electrons: float, grey: float) -> None:
    image = torch.full((1, 1, 128, 128), grey)
    noisy = Dose(electrons=electrons).apply(image, Sampling(4), generator())
    assert float(noisy.mean()) == pytest.approx(grey, abs=5 * (grey / electrons) ** 0.5 / 128)
    # five standard errors of a variance of 128² Poisson numbers
    kurtosis = 2 + 1 / (grey * electrons)
    assert float(noisy.var()) == pytest.approx(grey / electrons, rel=5 * kurtosis**0.5 / 128)


@given(sigma=st.floats(0.001, 0.5), grey=st.floats(-0.5, 1.5))
@settings(max_examples=25, deadline=None)
def test_read_noise_is_the_same_at_every_grey(sigma: float, grey: float) -> None:
    image = torch.full((1, 1, 128, 128), grey)
    noisy = ReadNoise(sigma=sigma).apply(image, Sampling(4), generator())
    assert float(noisy.std()) == pytest.approx(sigma, rel=5 / (2**0.5 * 128))


@given(sigma=st.floats(0, 1.5), factor=st.sampled_from([2, 3, 4, 8]))
@settings(max_examples=20, deadline=None)
def test_blur_keeps_the_mean_and_widens_a_point_by_its_sigma(sigma: float, factor: int) -> None:
    side = 2 * int(4 * sigma * factor) + 9
    point = torch.zeros(1, 1, side, side)
    point[..., side // 2, side // 2] = 1
    step = BeamBlur(sigma=sigma * 20, unit="nm")
    spread = step.apply(point, Sampling(factor, 20.0), generator())[0, 0]
    assert float(spread.sum()) == pytest.approx(1, abs=1e-4)
    at = torch.arange(side) - side // 2
    variance = float((spread.sum(0) * at**2).sum())
    if sigma * factor > 0.8:  # narrower than a pixel, the sampled Gaussian is no longer one
        assert variance**0.5 == pytest.approx(sigma * factor, rel=0.03)


def test_jitter_moves_whole_lines_by_its_standard_deviation() -> None:
    ramp = torch.arange(256.0).expand(1, 1, 1024, 256) / 256
    moved = ScanDistortion(jitter=10, unit="nm").apply(ramp, Sampling(4, 20.0), generator())
    shift = (moved - ramp)[0, 0, :, 64:192] * 256
    assert float((shift - shift[:, :1]).abs().max()) < 1e-2
    lines = shift[:, 0].reshape(-1, 4)
    assert float((lines - lines[:, :1]).abs().max()) < 1e-2, "HR rows of one line move together"
    # 10 nm are half an LR pixel, two HR pixels; 256 lines
    assert float(lines[:, 0].std()) == pytest.approx(2, rel=0.2)


def test_drift_shears_by_its_rate_and_leaves_the_centre() -> None:
    y, x = torch.meshgrid(torch.arange(400.0), torch.arange(400.0), indexing="ij")
    images = torch.stack([y, x])[:, None]
    step = ScanDistortion(drift=40, unit="LR pixel")
    dy, dx = (
        (step.apply(images[k : k + 1], Sampling(4), generator()) - images[k])[0, 0, :, 200]
        for k in (0, 1)
    )
    # 100 lines of 4 HR rows: 4 LR pixels, 16 HR pixels from the first to the last line
    way = torch.hypot(dy[360] - dy[40], dx[360] - dx[40])
    assert float(way) == pytest.approx(16 * 320 / 400, rel=0.02)
    assert float(dy[196:204].mean()) == pytest.approx(0, abs=0.1)
    assert float(dx[196:204].mean()) == pytest.approx(0, abs=0.1)


def test_streaks_follow_edges_along_the_line_and_decay_with_their_length() -> None:
    image = torch.zeros(1, 1, 64, 64)
    image[..., 20:] = 1
    streaks = ChargingStreaks(strength=0.1, length=5, unit="LR pixel")
    added = (streaks.apply(image, Sampling(4), generator()) - image)[0, 0]
    assert float(added[:, :20].abs().max()) == 0, "nothing before the edge"
    assert float(added[:, 20].std()) == pytest.approx(0.1, rel=0.4)
    torch.testing.assert_close(added[:, 25], added[:, 20] * np.exp(-1), rtol=1e-4, atol=1e-6)


def test_curtains_run_along_y_with_their_strength_and_width() -> None:
    image = torch.full((64, 1, 8, 256), 0.5)
    curtains = Curtaining(strength=0.08, width=60, unit="nm")
    stripes = curtains.apply(image, Sampling(4, 20.0), generator()) / 0.5 - 1
    assert float((stripes - stripes[:, :, :1]).abs().max()) < 1e-6
    profile = stripes[:, 0, 0]
    assert float(profile.std()) == pytest.approx(0.08, rel=0.1)
    correlation = (profile[:, 6:] * profile[:, :-6]).mean() / (profile**2).mean()
    # of Gaussian-smoothed noise at a distance of two sigma
    assert float(correlation) == pytest.approx(np.exp(-(6**2) / (4 * 3**2)), abs=0.12)


def test_contrast_changes_the_answer_as_well_as_the_question() -> None:
    image = (field()[0, 0] * 200).numpy().astype(np.uint8)
    degradation = chain(ContrastChange(gamma=2.0))
    lr, scene = degrade(image, 4, degradation)
    assert not np.allclose(scene, image, atol=2)
    np.testing.assert_allclose(lr, area_average(scene, 4), atol=1e-2)


@pytest.mark.parametrize(
    "step", [s for s in ALL if "unit" in type(s).model_fields], ids=lambda s: s.kind
)
def test_the_same_in_nm_where_the_pixel_size_is_known(step: Step) -> None:
    lengths = {k: v * 20 for k, v in step if k not in {"kind", "unit", "strength"}}
    in_nm = step.model_copy(update={**lengths, "unit": "nm"})
    a = step.apply(field(), Sampling(4), generator())
    b = in_nm.apply(field(), Sampling(4, 20.0), generator())
    torch.testing.assert_close(a, b)


@given(
    st.lists(st.sampled_from(ALL), max_size=4, unique=True),
    st.one_of(st.none(), st.floats(0.5, 100)),
)
def test_a_degradation_survives_the_card(found: list[Step], pixel: float | None) -> None:
    before = [s for s in found if s.grid == "HR"]
    before.sort(key=lambda s: not s.of_the_scene)
    after = [s for s in found if s.grid == "LR"]
    written = Degradation(steps=(*before, AreaAverage(), *after), lr_pixel_nm=pixel)
    assert Degradation.model_validate_json(written.model_dump_json()) == written


def test_the_cards_of_older_models_are_understood() -> None:
    old = Degradation.model_validate({"steps": [{"kind": "area average"}]})
    assert old == AREA_AVERAGE
    assert old.describe() == "area average"


@pytest.mark.parametrize(
    "steps",
    [
        (),
        (BeamBlur(sigma=1, unit="LR pixel"),),
        (AreaAverage(), AreaAverage()),
        (AreaAverage(), BeamBlur(sigma=1, unit="LR pixel")),
        (ReadNoise(sigma=0.1), AreaAverage()),
        (BeamBlur(sigma=1, unit="LR pixel"), ContrastChange(), AreaAverage()),
        (BeamBlur(sigma=1, unit="nm"), AreaAverage()),
    ],
)
def test_steps_out_of_order_or_without_a_scale_are_refused(steps: tuple[Step, ...]) -> None:
    with pytest.raises(ValidationError):
        Degradation(steps=steps)


def test_a_whole_image_is_degraded_just_as_a_batch_on_a_device() -> None:
    steps = (BeamBlur(sigma=0.4, unit="LR pixel"), AreaAverage(), Dose(electrons=80))
    degradation = Degradation(steps=(*steps, ReadNoise(sigma=0.02)))
    image = (field()[0, 0] * 255).numpy().astype(np.uint8)
    lr, _ = degrade(image, 4, degradation, seed=7)
    from napari_sem_sr.degradation.degrade import clean_range

    within = clean_range(image, 4)
    batch = torch.from_numpy(within.normalise(image))[None, None]
    again = degradation.record(degradation.scene(batch, 4), 4, generator(7))
    np.testing.assert_array_equal(lr, within.restore(again[0, 0].numpy()))


@pytest.mark.parametrize("correlation", [0.0, 0.2, 0.45, 0.5])
def test_detector_noise_is_correlated_along_the_line_and_white_across(correlation: float) -> None:
    grey = torch.full((1, 1, 300, 300), 0.5)
    step = DetectorNoise(black=0.05, white=0.05, correlation=correlation)
    noise = (step.apply(grey, Sampling(4), generator()) - grey)[0, 0]
    variance = float((noise**2).mean())
    assert variance == pytest.approx(0.05**2, rel=0.03)
    along = float((noise[:, 1:] * noise[:, :-1]).mean()) / variance
    further = float((noise[:, 2:] * noise[:, :-2]).mean()) / variance
    across = float((noise[1:] * noise[:-1]).mean()) / variance
    assert along == pytest.approx(correlation, abs=0.02)
    assert abs(further) < 0.02
    assert abs(across) < 0.02


def test_detector_noise_has_its_deviation_at_black_and_at_white() -> None:
    step = DetectorNoise(black=0.02, white=0.08)
    for grey, sd in ((0.0, 0.02), (1.0, 0.08)):
        flat = torch.full((1, 1, 200, 200), grey)
        assert float(step.apply(flat, Sampling(4), generator()).std()) == pytest.approx(
            sd, rel=0.03
        )
