"""Tiles cover a region exactly once, with all the context the network needs."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from napari_sem_sr.inference.engine.tiling import layout

sizes = st.integers(1, 120)


@st.composite
def cases(draw: st.DrawFn) -> tuple:
    """An image, a region in it, a tile size and a halo."""
    shape, region = [], []
    for _ in range(2):
        size = draw(sizes)
        start = draw(st.integers(0, size - 1))
        shape.append(size)
        region.append((start, draw(st.integers(start + 1, size))))
    return tuple(shape), tuple(region), draw(st.integers(1, 60)), draw(st.integers(0, 40))


@given(cases())
def test_every_pixel_of_the_region_is_kept_exactly_once_and_no_other(case: tuple) -> None:
    shape, region, tile, halo = case
    kept = np.zeros(shape, int)
    for t in layout(shape, region, tile, halo):
        (y0, y1), (x0, x1) = t.core
        kept[y0:y1, x0:x1] += 1
    expected = np.zeros(shape, int)
    expected[slice(*region[0]), slice(*region[1])] = 1
    assert np.array_equal(kept, expected)


@given(cases())
def test_windows_have_one_size_and_a_halo_wherever_the_image_goes_on(case: tuple) -> None:
    shape, region, tile, halo = case
    tiles = layout(shape, region, tile, halo)
    assert len({tuple(b - a for a, b in t.window) for t in tiles}) == 1
    for t in tiles:
        for (start, stop), (low, high), size in zip(t.window, t.core, shape, strict=True):
            assert 0 <= start <= low < high <= stop <= size
            assert start <= max(0, low - halo)
            assert stop >= min(size, high + halo)
            assert stop - start <= tile + 2 * halo
