"""Levels made from rows as they come are those made from a whole slice."""

import tracemalloc
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from napari_sem_sr.errors import OutputError
from napari_sem_sr.io import ZarrStackWriter
from napari_sem_sr.io.pyramid import halve
from napari_sem_sr.io.write.levels import growing
from napari_sem_sr.stack import SemStack


def pixels(height: int, width: int, dtype: str) -> np.ndarray:
    image = np.random.default_rng(0).normal(100, 30, (height, width))
    if dtype == "float32":
        image[image > 130] = np.nan
    return image.astype(dtype)


def cut(image: np.ndarray, cuts: list[int]) -> Iterator[np.ndarray]:
    """Fresh bands of rows, which are overwritten as soon as the next is asked for."""
    edges = sorted({0, len(image), *(c % len(image) for c in cuts)})
    for a, b in pairwise(edges):
        band = image[a:b].copy()
        yield band
        band[:] = 0


@given(
    height=st.integers(1, 60),
    width=st.integers(1, 9),
    cuts=st.lists(st.integers(0, 60), max_size=9),
    rows=st.sampled_from([2, 4, 8, 16]),
    levels=st.integers(1, 5),
    dtype=st.sampled_from(["uint8", "int16", "float32"]),
)
def test_levels_do_not_depend_on_how_rows_come(
    height: int, width: int, cuts: list[int], rows: int, levels: int, dtype: str
) -> None:
    image = pixels(height, width, dtype)
    got: list[list[np.ndarray]] = [[] for _ in range(levels)]
    puts = [lambda band, bands=bands: bands.append(band.copy()) for bands in got]
    finest = growing(puts, rows)
    for band in cut(image, cuts):
        finest.take(band)
    finest.end()
    for bands in got:
        assert all(len(band) == rows for band in bands[:-1])
        np.testing.assert_array_equal(np.concatenate(bands), image)
        image = halve(image)


def test_files_do_not_depend_on_how_rows_come(tmp_path: Path) -> None:
    image = pixels(1301, 70, "uint16")
    like = SemStack.from_array(image, "specimen")
    for name, cuts in {"whole": [], "tiles": [400, 800, 1200], "odd": [1, 2, 515, 1300]}.items():
        writer = ZarrStackWriter.create(tmp_path / name, like=like, provenance={})
        writer.write_rows(0, cut(image, cuts))
        writer.finish()
    whole, tiles, odd = (
        {p.relative_to(tmp_path / n): p.read_bytes() for p in (tmp_path / n).glob("*/c/0/0/0")}
        for n in ("whole", "tiles", "odd")
    )
    assert len(whole) == 3
    assert whole == tiles == odd


def test_writing_takes_memory_for_rows_and_not_for_the_slice(tmp_path: Path) -> None:
    height, width = 16 * 1024, 1024
    like = SemStack.from_array(np.broadcast_to(np.uint8(0), (1, height, width)), "tall")
    writer = ZarrStackWriter.create(tmp_path / "a.zarr", like=like, provenance={})
    writer.write_rows(0, iter([np.zeros((height, width), np.uint8)]))
    tracemalloc.start()
    try:
        writer.write_rows(0, (np.zeros((300, width), np.uint8) for _ in range(height // 300)))
    except ValueError as error:
        assert "16200 rows" in str(error)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < height * width / 3


def test_rows_that_end_early_fail_or_stop_leave_the_slice_as_it_was(tmp_path: Path) -> None:
    image = pixels(1301, 70, "uint8")
    writer = ZarrStackWriter.create(
        tmp_path / "a.zarr", like=SemStack.from_array(image, "specimen"), provenance={}
    )
    writer.write_slice(0, image)
    before = {p: p.read_bytes() for p in tmp_path.rglob("*") if p.is_file()}

    def failing() -> Iterator[np.ndarray]:
        yield image[:900]
        raise OutputError("taken over")

    with pytest.raises(OutputError, match="taken over"):
        writer.write_rows(0, failing())
    with pytest.raises(ValueError, match="has 900 rows, the output 1301"):
        writer.write_rows(0, [image[:900]])
    with pytest.raises(ValueError, match="slice 0 is uint16"):
        writer.write_rows(0, [image[:900], image[900:].astype(np.uint16)])
    assert {p: p.read_bytes() for p in tmp_path.rglob("*") if p.is_file()} == before
