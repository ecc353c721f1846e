"""What the benchmark compares with does the same work, and what it counts can be counted by hand."""

import numpy as np
import torch

from napari_sem_sr.inference.bench import bench
from napari_sem_sr.inference.bench.stack import specimen
from napari_sem_sr.inference.engine.engine import Engine
from tests.inference.specimens import ARCHITECTURE, network

LR = specimen(150)


def test_plain_scripts_give_the_picture_that_the_engine_gives() -> None:
    net = network()
    engine = Engine(net, device="cpu", precision="fp32")
    mine = engine.upscale_slice(LR, bench.UINT8, LR.dtype).image.astype(int)
    assert np.abs(bench.plain(net, LR) - mine).max() <= 1
    tiled = bench.plain_tiled(net, LR)
    assert tiled.shape == mine.shape
    # averaging hides most of what the tiles' borders do, which is what the engine's halo is for
    assert np.quantile(np.abs(tiled - mine), 0.5) <= 1


def test_operations_are_counted_as_by_hand() -> None:
    c, blocks, tail = ARCHITECTURE.channels, ARCHITECTURE.blocks, ARCHITECTURE.tail_channels
    at_lr = 25 * c + (2 * blocks + 1) * 9 * c * c + 9 * c * 4 * c
    by_hand = 2 * (at_lr + 4 * 9 * c * 4 * tail + 16 * 25 * tail)
    assert bench.operations(network(), 32) == by_hand * 32**2


def test_a_matrix_product_has_a_rate() -> None:
    assert bench.matrix_rate(torch.device("cpu"), "fp32") > 0


def test_running_out_of_memory_once_costs_time_and_no_pixel() -> None:
    engine = Engine(network(), device="cpu", precision="fp32")
    before = engine.tile
    recovery = bench._recovery(engine, LR)
    assert recovery["same_picture"]
    assert recovery["tile_after"] < recovery["tile"]
    assert engine.tile == before
