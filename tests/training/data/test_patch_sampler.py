"""Patches made with a degradation, and patches from LR that was measured."""

from functools import partial
from pathlib import Path

import numpy as np
import pytest
import torch

from napari_sem_sr import events
from napari_sem_sr.degradation.degrade import Degradation
from napari_sem_sr.degradation.noise_steps import Dose, ReadNoise
from napari_sem_sr.degradation.steps import AreaAverage, BeamBlur, ContrastChange, Sampling
from napari_sem_sr.intensity import range_of
from napari_sem_sr.io.databar import Databar
from napari_sem_sr.metrics.resample import area_average
from napari_sem_sr.model.bundle import load_bundle
from napari_sem_sr.model.card_parts import Architecture
from napari_sem_sr.teachers.teacher import Teacher
from napari_sem_sr.training.data.patch_sampler import PatchSampler
from napari_sem_sr.training.settings import TrainSettings
from napari_sem_sr.training.trainer import iter_train, train
from napari_sem_sr.training.validation.evaluation import glances, pair_of
from tests.training.specimens import discs as noisy_discs

CPU = torch.device("cpu")
NOISY = Degradation(
    steps=(
        ContrastChange(gamma=1.2),
        BeamBlur(sigma=10, unit="nm"),
        AreaAverage(),
        Dose(electrons=60),
        ReadNoise(sigma=0.02),
    ),
    lr_pixel_nm=20.0,
)


discs = partial(noisy_discs, noise=0.0)


def draw(sampler: PatchSampler, seed: int = 0) -> tuple[torch.Tensor, torch.Tensor]:
    return sampler.draw(16, torch.Generator().manual_seed(seed))


def test_a_blurred_lesson_is_cut_from_the_blurred_image_to_its_very_border() -> None:
    step = BeamBlur(sigma=0.6, unit="LR pixel")
    blur = Degradation(steps=(step, AreaAverage()))
    image = discs(0, 64)
    # an image of one cell is drawn from by jitter alone: the pixel numbers tell where each patch was cut
    numbers = np.arange(64 * 64, dtype=np.float32).reshape(64, 64)
    where = PatchSampler([Teacher(numbers, "n", "g")], 4, 10, CPU)
    sampler = PatchSampler([Teacher(image, "t", "g")], 4, 10, CPU, blur)
    span = where._pairs[0].shown
    index = (draw(where)[1] * (span.high - span.low) + span.low).round().long()
    lr, hr = draw(sampler)
    shown = sampler._pairs[0].shown
    sharp = torch.from_numpy(shown.normalise(image))
    torch.testing.assert_close(hr, sharp.ravel()[index])
    blurred = step.apply(sharp[None, None], Sampling(4), torch.Generator())
    expected = torch.nn.functional.avg_pool2d(blurred.ravel()[index], 4)
    torch.testing.assert_close(lr, expected, atol=1e-4, rtol=1e-4)


def test_one_seed_draws_the_same_noise() -> None:
    sampler = PatchSampler([Teacher(discs(0), "t", "g")], 4, 8, CPU, NOISY)
    assert all(torch.equal(a, b) for a, b in zip(draw(sampler), draw(sampler), strict=True))
    assert not torch.equal(draw(sampler)[0], draw(sampler, 1)[0])


def test_noise_comes_in_the_strength_asked_for_on_the_scale_of_lr() -> None:
    wedge = np.tile(np.linspace(20, 220, 256, dtype=np.float32), (256, 1))
    noise = Degradation(steps=(AreaAverage(), ReadNoise(sigma=0.1)))
    sampler = PatchSampler([Teacher(wedge, "t", "g")], 4, 16, CPU, noise)
    lr, hr = draw(sampler)
    left = lr - torch.nn.functional.avg_pool2d(hr, 4)
    span = sampler._pairs[0].shown.high - sampler._pairs[0].shown.low
    clean = range_of(area_average(wedge, 4))
    assert span > clean.high - clean.low, "noise widens the range that networks see"
    assert float(left.std()) == pytest.approx(0.1 * (clean.high - clean.low) / span, rel=0.05)


def test_measured_lr_is_the_lesson_where_there_is_one() -> None:
    image = discs(1)
    lr = np.asarray(255 - area_average(image, 4), np.float32)  # nothing that degrading could make
    measured = Teacher(image, "pair", "g", lr=lr)
    for degradation in (Degradation(), NOISY):
        question, answer = draw(PatchSampler([measured], 4, 8, CPU, degradation))
        intensity = range_of(lr)
        scaled = torch.nn.functional.avg_pool2d(answer, 4)
        grey = scaled * (intensity.high - intensity.low) + intensity.low
        made = question * (intensity.high - intensity.low) + intensity.low
        torch.testing.assert_close(made, 255 - grey, atol=1e-2, rtol=1e-3)


def test_held_out_pairs_are_degraded_the_same_way_each_time() -> None:
    teacher = Teacher(discs(2), "t", "g")
    a, b = (pair_of(teacher, 4, NOISY) for _ in range(2))
    np.testing.assert_array_equal(a.lr, b.lr)
    assert a.lr.dtype == a.hr.dtype == np.uint8
    assert not np.array_equal(a.lr, pair_of(teacher, 4).lr)
    assert not np.array_equal(a.hr, teacher.image), "HR is in the contrast of LR"


def test_a_glance_at_a_measured_pair_shows_the_same_field_in_both() -> None:
    image = discs(3, 640)
    teacher = Teacher(image, "t", "g", lr=area_average(image, 4).astype(np.float32))
    (pair,) = glances([teacher], 4)
    assert pair.hr.shape == (512, 512)
    np.testing.assert_allclose(pair.lr, area_average(pair.hr, 4), atol=1e-4)


def test_training_with_a_degradation_resumes_bit_for_bit_and_is_on_the_card(tmp_path: Path) -> None:
    images = [Teacher(discs(n), f"image {n}", f"specimen {n}") for n in range(3)]
    plan = TrainSettings(
        epochs=2,
        gan_share=0.5,
        architecture=Architecture(channels=4, blocks=1, tail_channels=4),
        batch=4,
        patch_lr_px=8,
        device="cpu",
        degradation=NOISY,
    )
    through = train(images, plan, tmp_path / "through")
    work = iter_train(images, plan, tmp_path / "stopped")
    for event in work:
        if isinstance(event, events.StepDone) and event.step == 2:
            break
    work.close()
    train(images, plan, tmp_path / "stopped", resume=True)
    resumed = load_bundle(tmp_path / "stopped")
    for which in ("gan", "twin"):
        for k, v in through.weights[which].items():
            assert torch.equal(v, resumed.weights[which][k])
    assert resumed.card.degradation == NOISY


def test_a_databar_that_nobody_declined_is_not_learned_from(tmp_path: Path) -> None:
    images = [
        Teacher(discs(n), f"image {n}", f"specimen {n}", databar=Databar(64, 96, 96))
        for n in range(3)
    ]
    plan = TrainSettings(
        epochs=1,
        gan_share=0,
        architecture=Architecture(channels=4, blocks=1, tail_channels=4),
        batch=4,
        patch_lr_px=8,
        device="cpu",
    )
    card = train(images, plan, tmp_path / "model").card
    cut = {Teacher(discs(n)[:64], "cut", "g").content_hash for n in range(3)}
    assert set(card.teachers.hashes) == cut
