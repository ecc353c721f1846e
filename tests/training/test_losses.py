"""Losses: what they ask of SR."""

import pytest
import torch

from napari_sem_sr.training.losses import WANTED_POWER_DB, spectrum_loss


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
