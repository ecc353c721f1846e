"""One step of learning."""

import copy

import numpy as np
import pytest
import torch

from napari_sem_sr.model.card_parts import Architecture
from napari_sem_sr.teachers.teacher import Teacher
from napari_sem_sr.training.data.patch_sampler import PatchSampler
from napari_sem_sr.training.optimise import losses
from napari_sem_sr.training.optimise.learner import Learner
from napari_sem_sr.training.optimise.precision import fabric_for
from napari_sem_sr.training.settings import TrainSettings

CPU = torch.device("cpu")
SMALL = Architecture(channels=4, blocks=1, tail_channels=4)


@pytest.fixture
def sampler() -> PatchSampler:
    image = torch.randint(0, 255, (96, 96), generator=torch.Generator().manual_seed(0)).numpy()
    return PatchSampler([Teacher(image.astype("uint8"), "noise", "noise")], 4, 12, CPU)


@pytest.fixture
def learner() -> Learner:
    settings = TrainSettings(epochs=1, patch_lr_px=12, batch=2, gan_batch=2, architecture=SMALL)
    learner = Learner(settings, fabric_for(CPU, 1, "fp32"))
    learner.begin_gan(learner.averaged_weights())
    return learner


def test_both_networks_learn_from_the_weights_before_the_step(
    learner: Learner, sampler: PatchSampler
) -> None:
    generator, judge = copy.deepcopy(learner._network), copy.deepcopy(learner._discriminator)
    lr, hr = sampler.draw(2, torch.Generator().set_state(learner.random.get_state()))
    learner.advance(sampler, 0.5)

    sr = generator(lr)
    logits_hr, features_hr = judge(hr)
    logits_sr, features_sr = judge(sr)
    weights = learner.settings.weights
    total = (
        losses.pixel_loss(sr, hr)
        + weights.adversarial * losses.adversarial_loss(logits_sr)
        + weights.feature * losses.feature_loss(features_sr, features_hr)
        + weights.spectrum * losses.spectrum_loss(sr, hr, 4)
    )
    judged = losses.discriminator_loss(logits_hr, logits_sr)
    for network, now, loss, name in (
        (judge, learner._discriminator, judged, "vote.weight"),
        (generator, learner._network, total, "tail.weight"),
    ):
        wanted = torch.autograd.grad(loss, list(network.parameters()), retain_graph=True)
        norm = torch.cat([g.flatten() for g in wanted]).norm()
        for gradient, parameter in zip(wanted, now.parameters(), strict=True):
            torch.testing.assert_close(
                parameter.grad, gradient / max(1.0, float(norm)), rtol=1e-3, atol=1e-6
            )
        assert not torch.equal(now.get_parameter(name), network.get_parameter(name))


def test_a_gradient_that_is_not_finite_teaches_nothing(
    learner: Learner, sampler: PatchSampler, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(sr: torch.Tensor, hr: torch.Tensor) -> torch.Tensor:
        # the root has an infinite slope at zero, and a value that is nothing special
        return (sr - hr).abs().mean() + (sr * 0).sqrt().mean()

    monkeypatch.setattr(losses, "pixel_loss", broken)
    before = copy.deepcopy(learner._network.state_dict())
    found = learner.advance(sampler, 0.5)
    assert np.isfinite(found["pixel"])
    for name, weight in learner._network.state_dict().items():
        assert torch.equal(weight, before[name])
