"""The test on slices left out says what was there, and says so in words."""

import numpy as np
import pytest
import torch

from napari_sem_sr.axial.fill.interpolation import interpolated
from napari_sem_sr.axial.left_out import comparison
from napari_sem_sr.axial.left_out.comparison import LeftOut, iter_left_out
from napari_sem_sr.axial.left_out.files import gain_map
from napari_sem_sr.axial.left_out.outcome import is_worth_it, spoken
from napari_sem_sr.axial.network import AxialGenerator
from napari_sem_sr.events import drain
from napari_sem_sr.intensity import IntensityRange
from napari_sem_sr.metrics.psnr_ssim import psnr
from tests.axial.specimens import volume

RANGE = IntensityRange(0.0, 255.0)


def straight(phases: int) -> AxialGenerator:
    """A network that interpolates linearly."""
    network = AxialGenerator(phases, channels=4, blocks=1).eval()
    torch.nn.init.zeros_(network.tail.weight)
    return network


def left_out(measured: np.ndarray, every: int = 2) -> LeftOut:
    return drain(
        iter_left_out(
            lambda z: measured[z],
            measured.dtype,
            RANGE,
            len(measured),
            every,
            straight(2 * every),
            torch.device("cpu"),
        )
    )


def test_every_slice_between_two_kept_ones_is_compared() -> None:
    assert [s.index for s in left_out(volume((9, 20, 20))).slices] == [1, 3, 5, 7]
    # the last one of an even number has nothing below it
    assert [s.index for s in left_out(volume((8, 20, 20))).slices] == [1, 3, 5]
    assert [s.index for s in left_out(volume((7, 20, 20)), every=3).slices] == [1, 2, 4, 5]


def test_scores_are_those_of_the_interpolated_slices() -> None:
    measured = volume((9, 20, 20))
    found = left_out(measured)
    kept = measured[::2].astype(np.float32)
    for how, scored in (("linear", found.linear_psnr), ("cubic", found.cubic_psnr)):
        predicted = np.clip(np.rint(interpolated(kept, np.arange(4) + 0.5, how)), 0, 255)
        expected = psnr(predicted.astype(np.uint8), measured[1::2])
        assert scored == pytest.approx(expected, abs=0.1)
    # ... and a network that interpolates linearly scores what linear interpolation does
    assert found.psnr == pytest.approx(found.linear_psnr, abs=0.1)


def test_of_a_long_stack_runs_spread_over_it_are_looked_at(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(comparison, "GAPS", 4)
    monkeypatch.setattr(comparison, "RUN", 2)
    measured = volume((41, 12, 12))
    found = left_out(measured)
    assert [s.index for s in found.slices] == [1, 3, 37, 39]


def test_pixels_without_data_are_not_scored() -> None:
    measured = volume((9, 20, 20)).astype(np.float32)
    clean = left_out(measured).linear_map
    measured[:, :3] = np.nan
    found = left_out(measured)
    assert np.isnan(found.linear_map[:3]).all()
    np.testing.assert_allclose(found.linear_map[8:], clean[8:])
    assert np.isnan(gain_map(found)[:3]).all()


def test_a_gain_is_said_with_its_number_and_none_is_a_warning() -> None:
    better = {"psnr": 30.4, "linear_psnr": 28.8, "cubic_psnr": 28.6, "n_slices": 24}
    assert spoken(better) == "+1.6 dB over linear interpolation on 24 slices it never saw."
    assert is_worth_it(better)
    cubic = {"psnr": 30.4, "linear_psnr": 30.0, "cubic_psnr": 30.5, "n_slices": 1}
    assert not is_worth_it(cubic)
    assert spoken(cubic).startswith("No better than cubic interpolation here (-0.1 dB on 1 slice")
