"""Stacks larger than memory, made of files with holes so that they take no room on the disk."""

import time

import numpy as np
import pytest
import tifffile

from napari_sem_sr.io import read_stack

resource = pytest.importorskip("resource", reason="Windows does not tell the peak of memory so")

SLICES, HEIGHT, WIDTH = 10_000, 2_500, 4_000  # 100 GB of uint8
GROWTH = 200 << 20


def sparse_tiff(path):
    tifffile.imwrite(
        path, shape=(SLICES, HEIGHT, WIDTH), dtype=np.uint8, bigtiff=True, photometric="minisblack"
    )
    return path


def sparse_raw(path):
    with path.open("wb") as stream:
        stream.truncate(SLICES * HEIGHT * WIDTH)
    return f"{path}::{SLICES},{HEIGHT},{WIDTH},uint8"


@pytest.mark.parametrize("make", [sparse_tiff, sparse_raw])
def test_100_gb_open_at_once_and_scrub_in_bounded_memory(tmp_path, make):
    try:
        source = make(tmp_path / "large.tif")
    except OSError:
        pytest.skip("this disk has no files with holes")
    read_stack(source)  # imports
    start = time.process_time()
    stack = read_stack(source)
    opened = time.process_time() - start
    assert stack.shape == (SLICES, HEIGHT, WIDTH)
    assert opened < 2.0
    stack.slice(0)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    start = time.process_time()
    for z in range(0, SLICES, 250):
        assert stack.slice(z).shape == (HEIGHT, WIDTH)
    seconds = (time.process_time() - start) / (SLICES // 250)
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 - before < GROWTH
    assert seconds < 0.1
