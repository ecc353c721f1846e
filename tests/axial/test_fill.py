"""Tiles, blocks and both directions."""

import numpy as np
import pytest
import torch

from napari_sem_sr.axial.fill import tile as tiling
from napari_sem_sr.axial.fill import volume as blocking
from napari_sem_sr.axial.fill.interpolation import interpolated
from napari_sem_sr.axial.fill.tile import fill_tile
from napari_sem_sr.axial.fill.volume import iter_volume
from napari_sem_sr.axial.grid import AxialGrid
from napari_sem_sr.axial.network import AxialGenerator
from napari_sem_sr.errors import InputError
from napari_sem_sr.events import SliceDone
from napari_sem_sr.intensity import IntensityRange

CPU = torch.device("cpu")


def network(phases: int, *, trained: bool = True) -> AxialGenerator:
    torch.manual_seed(0)
    made = AxialGenerator(phases, channels=6, blocks=1).eval()
    if not trained:
        torch.nn.init.zeros_(made.tail.weight)
    else:
        torch.nn.init.normal_(made.tail.weight, std=0.1)
    return made


def slices(n: int, side: tuple[int, int] = (30, 26)) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (n, *side)).astype(np.uint8)


def made(measured: np.ndarray, ratio: float, net: AxialGenerator) -> np.ndarray:
    grid = AxialGrid(len(measured), ratio)
    out = np.zeros((grid.n_output, *measured.shape[1:]), measured.dtype)
    work = iter_volume(
        lambda k: measured[k],
        measured.dtype,
        measured.shape[1:],
        grid,
        IntensityRange(0.0, 255.0),
        net,
        CPU,
        frozenset(),
        out.__setitem__,
    )
    order = [event.slice for event in work if isinstance(event, SliceDone)]
    assert order == list(range(grid.n_output))
    return out


@pytest.mark.parametrize(("ratio", "phases"), [(4.0, 4), (2.5, 5), (3.37, 8)])
def test_measured_slices_are_kept_at_their_places(ratio: float, phases: int) -> None:
    measured = slices(6)
    volume = made(measured, ratio, network(phases))
    for k, slice_ in enumerate(measured):
        np.testing.assert_array_equal(volume[round(k * ratio)], slice_)
    np.testing.assert_array_equal(volume[-1], measured[-1])


def test_a_network_that_knows_nothing_interpolates_linearly() -> None:
    measured = slices(5)
    volume = made(measured, 4.0, network(4, trained=False))
    expected = interpolated(measured.astype(np.float32), np.arange(17) / 4, "linear")
    assert np.abs(volume.astype(float) - expected).max() <= 0.51


def test_blocks_and_tiles_do_not_show(monkeypatch: pytest.MonkeyPatch) -> None:
    measured, net = slices(20), network(4)
    whole = made(measured, 4.0, net)
    monkeypatch.setattr(blocking, "BLOCK_BYTES", 1)
    monkeypatch.setattr(tiling, "TILE", 10)
    assert len(blocking.blocks(AxialGrid(20, 4.0), net.reach_slices, (30, 26), 1)) > 3
    cut = made(measured, 4.0, net)
    # rounding may fall either way where sums are made in another order
    assert np.abs(whole.astype(int) - cut).max() <= 1
    assert (whole != cut).mean() < 1e-3


def test_the_volume_is_the_mean_of_both_directions() -> None:
    known = slices(6, (12, 12)).astype(np.float32) / 255
    net = network(2)
    places = np.array([0.5, 2.5])
    whole = (slice(0, 12), slice(0, 12))
    one = fill_tile(net, known, places, whole, CPU)
    # turned by a quarter, xz planes are yz planes
    other = fill_tile(net, known.transpose(0, 2, 1).copy(), places, whole, CPU)
    np.testing.assert_allclose(one, other.transpose(0, 2, 1), atol=1e-6)
    assert np.abs(one - interpolated(known, places, "linear")).max() > 1e-3


def test_memory_holds_no_more_than_a_block() -> None:
    grid = AxialGrid(10_000, 4.0)
    cut = blocking.blocks(grid, 10, (2048, 2048), 1)
    most = max((b.high - b.low) * 4 + (b.end - b.first) * 4 for b in cut) * 2048**2
    assert most <= 1.1 * blocking.BLOCK_BYTES
    assert [b.first for b in cut[1:]] == [b.end for b in cut[:-1]]
    assert (cut[0].first, cut[-1].end) == (0, 9_999)


def test_borders_without_data_stay_without() -> None:
    measured = slices(5).astype(np.float32)
    measured[2, :, :5] = np.nan
    volume = made(measured, 2.0, network(2))
    assert np.isnan(volume[3:6, :, :5]).all()
    assert np.isfinite(volume[:3]).all()
    assert np.isfinite(volume[:, :, 5:]).all()


def test_a_slice_without_any_data_is_named() -> None:
    measured = slices(5).astype(np.float32)
    measured[3] = np.nan
    with pytest.raises(InputError, match="Slice 3 is all NaN"):
        made(measured, 2.0, network(2))
