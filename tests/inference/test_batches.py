"""Small slices that a device computes several of at once: nothing but the time differs."""

from collections.abc import Generator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from napari_sem_sr.errors import InputError, ModelError
from napari_sem_sr.events import Notice, SliceDone, TileDone
from napari_sem_sr.inference.engine import engine as engines
from napari_sem_sr.inference.engine.engine import Engine
from napari_sem_sr.inference.engine.prepared import prepare_slice
from napari_sem_sr.inference.runner import UpscaleSettings, iter_upscale, upscale
from napari_sem_sr.intensity import IntensityRange
from napari_sem_sr.io import read_stack
from napari_sem_sr.stack import SemStack
from tests.inference.specimens import collected, files, image, model, network, stack

FP32 = UpscaleSettings(device="cpu", precision="fp32", tile=128)
UINT8 = IntensityRange(0.0, 255.0)
WHOLE = ((0, 33), (0, 41))
FOUR = 4


@pytest.fixture
def several(monkeypatch: pytest.MonkeyPatch) -> None:
    """This CPU takes four slices at once, as a GPU does."""
    monkeypatch.setitem(engines.TOGETHER, "cpu", FOUR)


class Watched:
    """An engine's graph that notes how many slices it is given, and may run out of memory."""

    def __init__(self, engine: Engine, fails_at: int | None = None) -> None:
        self._graph, self._fails_at = engine._graph, fails_at
        self.sizes: list[int] = []
        engine._graph = self  # type: ignore[assignment]

    def iter_forward(self, x: torch.Tensor) -> Generator[None, None, torch.Tensor]:
        self.sizes.append(len(x))
        result = yield from self._graph.iter_forward(x)
        if len(self.sizes) - 1 == self._fails_at:
            result.fill_(torch.nan)
            raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB")
        return result


def test_a_cpu_takes_one_slice_at_a_time() -> None:
    assert Engine(network(), device="cpu", tile=512).together(WHOLE) == 1


@pytest.mark.usefixtures("several")
@pytest.mark.parametrize(("tile", "together"), [(16, 1), (41, 1), (60, 2), (128, 4), (512, 4)])
def test_as_many_as_fill_a_tile_are_computed_at_once(tile: int, together: int) -> None:
    assert Engine(network(), device="cpu", tile=tile).together(WHOLE) == together


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float32])
def test_pixels_are_those_of_one_slice_at_a_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, dtype: type
) -> None:
    lr = stack(6, dtype=dtype)
    upscale(lr, tmp_path / "one.zarr", model(), FP32)
    monkeypatch.setitem(engines.TOGETHER, "cpu", FOUR)
    events, result = collected(iter_upscale(lr, tmp_path / "four.zarr", model(), FP32))
    one, four = (read_stack(tmp_path / name).data.compute() for name in ("one.zarr", "four.zarr"))
    # a batch is rounded in another order than a slice
    assert np.abs(one.astype(float) - four).max() <= max(1, 1e-3 * np.ptp(one))
    assert (result.total, result.computed) == (6, 6)
    done = [e for e in events if isinstance(e, SliceDone)]
    assert sorted(e.slice for e in done) == list(range(6))
    assert [e.done for e in done] == list(range(1, 7))
    assert {e.slice for e in events if isinstance(e, TileDone)} == set(range(6))


@pytest.mark.usefixtures("several")
def test_the_last_batch_is_as_large_as_the_others(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # another number is rounded in another order, and a resumed run would differ in a bit
    seen: list[Watched] = []
    init = Engine.__init__

    def watched(self: Engine, *args: object, **kwargs: object) -> None:
        init(self, *args, **kwargs)  # type: ignore[arg-type]
        seen.append(Watched(self))

    monkeypatch.setattr(Engine, "__init__", watched)
    upscale(stack(6), tmp_path / "sr.zarr", model(), FP32)
    assert seen[-1].sizes == [FOUR, FOUR]


@pytest.mark.usefixtures("several")
def test_a_single_image_is_computed_once(tmp_path: Path) -> None:
    events, _ = collected(iter_upscale(stack(1), tmp_path / "sr.zarr", model(), FP32))
    assert sum(isinstance(e, TileDone) for e in events) == 1


@pytest.mark.usefixtures("several")
def test_a_run_that_is_stopped_goes_on_to_the_same_bytes(tmp_path: Path) -> None:
    lr = stack(11)
    upscale(lr, tmp_path / "through.zarr", model(), FP32)
    work = iter_upscale(lr, tmp_path / "sr.zarr", model(), FP32)
    for event in work:
        if isinstance(event, SliceDone) and event.done == 2:
            break
    work.close()
    resumed = upscale(lr, tmp_path / "sr.zarr", model(), FP32, resume=True)
    assert 0 < resumed.computed < 11
    assert files(tmp_path / "sr.zarr") == files(tmp_path / "through.zarr")


@pytest.mark.usefixtures("several")
def test_slices_without_data_are_named_and_the_rest_of_their_batch_is_done(tmp_path: Path) -> None:
    pixels = image((6, 33, 41), np.float32)
    pixels[[1, 2]] = np.nan
    pixels[3, :9] = np.nan
    lr = SemStack.from_array(pixels, "aligned")
    work = iter_upscale(lr, tmp_path / "sr.zarr", model(), FP32)
    told = []
    with pytest.raises(InputError, match=r"Slices 1 and 2 of 'aligned' .*all NaN.*4 of 6"):
        for event in work:
            told.append(event)
    assert sum(isinstance(e, Notice) and "all NaN" in e.message for e in told) == 2
    alone = replace(FP32, slices=(3, 6))
    upscale(lr, tmp_path / "alone.zarr", model(), alone)
    for z in range(3):
        name = f"0/c/{z}/0/0"
        there = f"0/c/{z + 3}/0/0"
        assert files(tmp_path / "alone.zarr")[name] == files(tmp_path / "sr.zarr")[there]


@pytest.mark.usefixtures("several")
@pytest.mark.parametrize("at", range(3))
def test_memory_may_run_out_at_any_batch_and_the_pictures_are_the_same(at: int) -> None:
    slices = image((12, 33, 41))
    prepared = [prepare_slice(lr, UINT8, z) for z, lr in enumerate(slices)]
    engine = Engine(network(), device="cpu", precision="fp32", tile=128)
    watched = Watched(engine, fails_at=at)
    events, results = collected(engine.iter_prepared(prepared, slices.dtype))
    alone = Engine(network(), device="cpu", precision="fp32", tile=128)
    for lr, result in zip(slices, results, strict=True):
        wanted = alone.upscale_slice(lr, UINT8, lr.dtype).image
        assert np.abs(result.image.astype(int) - wanted).max() <= 1
    assert engine.tile == 64
    assert watched.sizes[: at + 1] == [FOUR] * (at + 1)
    assert set(watched.sizes[at + 1 :]) <= {1, 2, 3}
    assert [e.message for e in events if isinstance(e, Notice)] == [
        f"Memory ran out in slices {4 * at} to {4 * at + 3}; they are done again in tiles of 64 px."
    ]


@pytest.mark.usefixtures("several")
def test_the_slice_whose_numbers_are_not_finite_is_named() -> None:
    engine = Engine(network(), device="cpu", precision="fp32", tile=128)
    graph = engine._graph

    class Broken:
        def iter_forward(self, x: torch.Tensor) -> Generator[None, None, torch.Tensor]:
            result = yield from graph.iter_forward(x)
            result[2, 0, 5, 5] = torch.inf
            return result

    engine._graph = Broken()  # type: ignore[assignment]
    prepared = [prepare_slice(lr, UINT8, 10 + z) for z, lr in enumerate(image((4, 33, 41)))]
    with pytest.raises(ModelError, match="not finite in slice 12"):
        collected(engine.iter_prepared(prepared, np.dtype(np.uint8)))
