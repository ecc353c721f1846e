"""Losses: what they ask of SR."""

import pytest
import torch

from napari_sem_sr.training.optimise.losses import WANTED_POWER_DB, feature_loss, spectrum_loss


@pytest.fixture
def hr() -> torch.Tensor:
    return torch.rand(8, 1, 64, 64, generator=torch.Generator().manual_seed(0))


def test_the_spectrum_loss_is_least_at_the_power_that_is_wanted(hr: torch.Tensor) -> None:
    def at(decibels: float) -> float:
        return float(spectrum_loss(hr * 10 ** (decibels / 20), hr, 4))

    assert at(WANTED_POWER_DB) == pytest.approx(0, abs=1e-4)
    assert at(WANTED_POWER_DB) < at(0) < at(6)
    assert at(WANTED_POWER_DB) < at(-6) < at(-20)


def test_the_spectrum_loss_does_not_mind_what_lies_below_the_lr_nyquist_frequency(
    hr: torch.Tensor,
) -> None:
    wave = torch.sin(torch.arange(64) * 2 * torch.pi * 4 / 64).expand(1, 1, 64, 64)
    assert float(spectrum_loss(hr + wave, hr, 4)) == pytest.approx(
        float(spectrum_loss(hr, hr, 4)), abs=0.02
    )


def test_a_flat_picture_has_a_finite_spectrum_loss_with_finite_gradients(hr: torch.Tensor) -> None:
    flat = torch.zeros_like(hr, requires_grad=True)
    loss = spectrum_loss(flat, hr, 4)
    loss.backward()
    assert torch.isfinite(loss)
    assert torch.isfinite(flat.grad).all()


def test_the_feature_loss_is_the_mean_distance_relative_to_the_size_of_features() -> None:
    random = torch.Generator().manual_seed(1)
    shapes = [(2, 3, 8, 8), (2, 5, 4, 4)]
    hr = [torch.randn(s, generator=random, requires_grad=True) for s in shapes]
    sr = [torch.randn(s, generator=random, requires_grad=True) for s in shapes]
    parts = [
        torch.nn.functional.l1_loss(a, b.detach()) / b.detach().abs().mean()
        for a, b in zip(sr, hr, strict=True)
    ]
    wanted = torch.stack(parts).mean()
    found = feature_loss(sr, hr)
    assert float(found) == pytest.approx(float(wanted), rel=1e-5)
    gradients = torch.autograd.grad(3 * wanted, sr)
    for a, b in zip(torch.autograd.grad(3 * found, sr), gradients, strict=True):
        torch.testing.assert_close(a, b)
    assert not feature_loss([s.detach() for s in sr], hr).requires_grad, "HR is not to follow SR"
