"""A stack goes in, a file comes out: the same pixels, the same place, and nothing lost on the way."""

import time
from dataclasses import replace
from pathlib import Path

import dask
import dask.array as da
import numpy as np
import pytest
import zarr

from napari_sem_sr.errors import InputError, ModelError, OutputError
from napari_sem_sr.events import Notice, SliceDone, TileDone, UpscaleStarted
from napari_sem_sr.inference.engine.engine import Engine
from napari_sem_sr.inference.runner import UpscaleSettings, iter_upscale, upscale
from napari_sem_sr.intensity import stack_range
from napari_sem_sr.stack import SemStack
from tests.inference.specimens import collected, files, image, model, stack

FP32 = UpscaleSettings(device="cpu", precision="fp32", tile=16)


def pixels(path: Path) -> np.ndarray:
    """Level 0 of an output."""
    return np.asarray(zarr.open_group(path, mode="r")["0"][:])


def attributes(path: Path) -> dict:
    """What we wrote about an output."""
    return dict(zarr.open_group(path, mode="r").attrs)


def test_every_slice_is_what_the_engine_makes_of_it(tmp_path: Path) -> None:
    lr = stack(5)
    result = upscale(lr, tmp_path / "sr.zarr", model(), FP32)
    assert (result.total, result.computed) == (5, 5)
    engine = Engine(model().blended(0.5), device="cpu", precision="fp32", tile=16)
    intensity = stack_range(lr)
    expected = [engine.upscale_slice(lr.slice(z), intensity, lr.dtype).image for z in range(5)]
    assert np.array_equal(pixels(tmp_path / "sr.zarr"), np.stack(expected))


@pytest.mark.parametrize(
    "settings", [FP32, replace(FP32, slices=(1, 3), region=((4, 20), (7, 30)))]
)
def test_lr_and_sr_extents_coincide_in_nm(tmp_path: Path, settings: UpscaleSettings) -> None:
    lr = stack(4)
    upscale(lr, tmp_path / "sr.zarr", model(), settings)
    (multiscale,) = attributes(tmp_path / "sr.zarr")["ome"]["multiscales"]
    scale, translation = multiscale["datasets"][0]["coordinateTransformations"]
    assert [axis["unit"] for axis in multiscale["axes"]] == ["nanometer"] * 3
    shape = pixels(tmp_path / "sr.zarr").shape
    starts = (settings.slices or (0, 4), *(settings.region or ((0, 33), (0, 41))))
    for axis in range(3):
        start, stop = starts[axis]
        step, origin = scale["scale"][axis], translation["translation"][axis]
        lr_step, lr_origin = lr.voxel_nm[axis], lr.origin_nm[axis]
        assert lr_step is not None
        assert origin - step / 2 == pytest.approx(lr_origin + (start - 0.5) * lr_step)
        assert origin + (shape[axis] - 0.5) * step == pytest.approx(
            lr_origin + (stop - 0.5) * lr_step
        )


def test_a_region_is_upscaled_as_if_nothing_lay_outside_of_it(tmp_path: Path) -> None:
    lr = stack(4)
    part = replace(FP32, slices=(1, 3), region=((4, 20), (7, 30)))
    barred = lr.data.compute()
    barred[:, 20:] = np.where(np.arange(barred.shape[2]) % 3, 0, 255)
    upscale(SemStack.from_array(barred, "barred"), tmp_path / "part.zarr", model(), part)
    inside = SemStack.from_array(lr.data.compute()[:, 4:20, 7:30], "inside")
    upscale(inside, tmp_path / "all.zarr", model(), FP32)
    assert np.array_equal(pixels(tmp_path / "all.zarr")[1:3], pixels(tmp_path / "part.zarr"))


def test_slices_that_stand_apart_are_named_and_have_no_part_in_the_range(tmp_path: Path) -> None:
    lr = stack(5)
    data = lr.data.compute()
    data[3] = 0
    events = list(
        iter_upscale(SemStack.from_array(data, "blank one"), tmp_path / "a.zarr", model(), FP32)
    )
    notices = [e.message for e in events if isinstance(e, Notice)]
    assert any("Slice 3 (blank) of 'blank one' stands apart" in said for said in notices)
    four = SemStack.from_array(np.delete(data, 3, 0), "four")
    recorded = attributes(tmp_path / "a.zarr")["napari_sem_sr"]["intensity_range"]
    assert recorded == [stack_range(four).low, stack_range(four).high]


def test_the_output_says_how_it_was_made_and_not_when(tmp_path: Path) -> None:
    lr = stack(2)
    upscale(lr, tmp_path / "a.zarr", model(), FP32)
    time.sleep(1.1)
    upscale(lr, tmp_path / "b.zarr", model(), FP32)
    assert files(tmp_path / "a.zarr") == files(tmp_path / "b.zarr")
    said = attributes(tmp_path / "a.zarr")["napari_sem_sr"]
    assert said["complete"] is True
    assert said["synthetic"] is True
    assert said["model"] == "random"
    assert said["model_hash"] == model().content_hash
    assert said["source_hash"] == lr.content_hash
    assert (said["factor"], said["sharpness"], said["precision"], said["device"]) == (
        4,
        0.5,
        "fp32",
        "cpu",
    )
    assert said["slices"] == [0, 2]
    assert said["region"] == [[0, 33], [0, 41]]


def test_every_tile_and_slice_is_reported_and_stages_are_timed(tmp_path: Path) -> None:
    events, result = collected(iter_upscale(stack(3), tmp_path / "sr.zarr", model(), FP32))
    (started,) = [e for e in events if isinstance(e, UpscaleStarted)]
    assert started == UpscaleStarted(tmp_path / "sr.zarr", 0, 3)
    done = [e for e in events if isinstance(e, SliceDone)]
    assert [(e.slice, e.done, e.total) for e in done] == [(0, 1, 3), (1, 2, 3), (2, 3, 3)]
    for z in range(3):
        tiles = [e for e in events if isinstance(e, TileDone) and e.slice == z]
        assert [e.done for e in tiles] == list(range(1, tiles[0].total + 1))
    assert [stage.name for stage in result.stages] == ["read", "compute", "write"]
    assert all(0 < stage.seconds < result.seconds for stage in result.stages)


def test_a_slow_disk_does_not_silence_the_events(tmp_path: Path) -> None:
    source = image((3, 20, 20))

    def slow(block_info: dict | None = None) -> np.ndarray:
        time.sleep(1.0)
        assert block_info is not None
        z = block_info[None]["chunk-location"][0]
        return source[z : z + 1]

    data = da.map_blocks(slow, chunks=((1,) * 3, 20, 20), dtype=np.uint8, meta=source[:0])
    lr = SemStack(data=data, name="slow")
    beats = sum(1 for _ in iter_upscale(lr, tmp_path / "sr.zarr", model(), FP32))
    lr = SemStack.from_array(source, name="fast")
    without = sum(1 for _ in iter_upscale(lr, tmp_path / "fast.zarr", model(), FP32))
    # three slices of a second each, five beats a second; a busy machine may miss some
    assert beats > without + 6


@pytest.mark.parametrize("name", ["sr.png", "sr", "sr.zip"])
def test_an_output_of_another_kind_is_refused_before_any_work(tmp_path: Path, name: str) -> None:
    with pytest.raises(OutputError, match=r"\.zarr, \.tif or \.tiff"):
        next(iter_upscale(stack(), tmp_path / name, model(), FP32))
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("settings", "kind", "sentence"),
    [
        (replace(FP32, sharpness=1.5), ModelError, "1.5"),
        (replace(FP32, slices=(2, 9)), InputError, "2:9"),
        (replace(FP32, region=((0, 99), (0, 5))), InputError, "0:99"),
        (replace(FP32, precision="int4"), InputError, "int4"),
        (replace(FP32, device="abacus"), InputError, "abacus"),
        (replace(FP32, tile=1), InputError, "at least 16"),
    ],
)
def test_a_setting_that_makes_no_sense_leaves_no_output(
    tmp_path: Path, settings: UpscaleSettings, kind: type, sentence: str
) -> None:
    with pytest.raises(kind, match=sentence):
        upscale(stack(), tmp_path / "sr.zarr", model(), settings)
    assert list(tmp_path.iterdir()) == []


def test_an_output_that_is_there_is_neither_continued_nor_removed_unasked(tmp_path: Path) -> None:
    upscale(stack(2), tmp_path / "sr.zarr", model(), FP32)
    before = files(tmp_path)
    with pytest.raises(OutputError, match=r"exists already.*--resume.*--overwrite"):
        upscale(stack(2), tmp_path / "sr.zarr", model(), FP32)
    with pytest.raises(OutputError, match="not both"):
        upscale(stack(2), tmp_path / "sr.zarr", model(), FP32, resume=True, overwrite=True)
    assert files(tmp_path) == before


def test_overwrite_replaces_an_output_of_ours(tmp_path: Path) -> None:
    upscale(stack(4), tmp_path / "sr.zarr", model(), FP32)
    other = replace(FP32, sharpness=1.0, slices=(0, 2))
    upscale(stack(4), tmp_path / "sr.zarr", model(), other, overwrite=True)
    upscale(stack(4), tmp_path / "fresh.zarr", model(), other)
    assert files(tmp_path / "sr.zarr") == files(tmp_path / "fresh.zarr")
    assert sorted(p.name for p in tmp_path.iterdir()) == ["fresh.zarr", "sr.zarr"]


@pytest.mark.parametrize("how", [{"overwrite": True}, {"resume": True}])
def test_a_folder_that_is_not_ours_is_never_touched(tmp_path: Path, how: dict) -> None:
    mine = tmp_path / "thesis.zarr"
    zarr.create_array(mine, data=np.arange(4))
    before = files(mine)
    with pytest.raises(OutputError, match="not a stack written by"):
        upscale(stack(2), mine, model(), FP32, **how)
    assert files(mine) == before


def test_overwrite_removes_nothing_when_the_new_run_cannot_begin(tmp_path: Path) -> None:
    upscale(stack(2), tmp_path / "sr.zarr", model(), FP32)
    before = files(tmp_path)
    with pytest.raises(InputError):
        upscale(
            stack(2), tmp_path / "sr.zarr", model(), replace(FP32, device="abacus"), overwrite=True
        )
    assert files(tmp_path) == before


@pytest.mark.parametrize("name", ["lr.zarr", "lr.zarr/sr.zarr", "."])
def test_an_output_in_or_around_the_input_is_refused(tmp_path: Path, name: str) -> None:
    folder = tmp_path / "x.zarr"
    (folder / "lr.zarr").mkdir(parents=True)
    lr = replace(stack(2), paths=(folder / "lr.zarr",))
    with pytest.raises(OutputError, match="lie in one another"):
        upscale(lr, folder / name, model(), FP32, overwrite=True)
    assert (folder / "lr.zarr").is_dir()


def test_super_resolving_what_is_synthetic_is_said_aloud(tmp_path: Path) -> None:
    lr = replace(stack(1), provenance={"synthetic": True})
    events, _ = collected(iter_upscale(lr, tmp_path / "sr.zarr", model(), FP32))
    assert any("itself super-resolved" in e.message for e in events if isinstance(e, Notice))


def test_pixels_beyond_the_dtype_are_counted_in_a_notice(tmp_path: Path) -> None:
    events, result = collected(iter_upscale(stack(2), tmp_path / "sr.zarr", model(), FP32))
    assert result.outside > 0
    (notice,) = [e for e in events if isinstance(e, Notice)]
    assert notice.message.startswith(f"{result.outside} SR pixels lay outside")


def filed_stack(folder: Path, slices: int = 5) -> SemStack:
    """A stack whose slices are files that can be broken and mended."""
    folder.mkdir(exist_ok=True)
    for z in range(
        slices
    ):  # one histogram for all, so that the range is known without any one of them
        np.save(folder / f"{z}.npy", np.roll(image((20, 24)), 3 * z))

    def read(z: int) -> np.ndarray:
        return np.load(folder / f"{z}.npy")[np.newaxis]

    planes = [
        da.from_delayed(dask.delayed(read)(z), (1, 20, 24), dtype=np.uint8) for z in range(slices)
    ]
    return SemStack(data=da.concatenate(planes), name="filed", paths=(folder,))


def test_an_unreadable_slice_is_named_the_rest_done_and_resumed_once_mended(tmp_path: Path) -> None:
    folder, output = tmp_path / "lr", tmp_path / "sr.zarr"
    intact = filed_stack(folder)
    upscale(intact, tmp_path / "expected.zarr", model(), FP32)
    whole = (folder / "2.npy").read_bytes()
    (folder / "2.npy").write_bytes(whole[:200])
    with pytest.raises(InputError, match=r"Slice 2 of 'filed' cannot be read .*4 of 5.*--resume"):
        upscale(replace(intact), output, model(), FP32)
    assert attributes(output)["napari_sem_sr"]["complete"] is False
    (folder / "2.npy").write_bytes(whole)
    mended = upscale(replace(intact), output, model(), FP32, resume=True)
    assert mended.computed == 1
    assert files(output) == files(tmp_path / "expected.zarr")


def test_a_slice_that_changed_while_another_was_mended_stops_the_resume(tmp_path: Path) -> None:
    folder, output = tmp_path / "lr", tmp_path / "sr.zarr"
    lr = filed_stack(folder)
    whole = (folder / "2.npy").read_bytes()
    (folder / "2.npy").write_bytes(whole[:200])
    with pytest.raises(InputError, match="Slice 2"):
        upscale(replace(lr), output, model(), FP32)
    (folder / "2.npy").write_bytes(whole)
    np.save(folder / "4.npy", np.load(folder / "4.npy")[::-1])
    before = files(output)
    with pytest.raises(OutputError, match="the input differs"):
        upscale(replace(lr), output, model(), FP32, resume=True)
    assert files(output) == before


def test_all_nan_slices_are_named_and_the_rest_is_done(tmp_path: Path) -> None:
    pixels_ = image((5, 20, 20), np.float32)
    pixels_[[1, 3]] = np.nan
    lr = SemStack.from_array(pixels_, "aligned")
    with pytest.raises(InputError, match=r"Slices 1 and 3 of 'aligned' .*all NaN.*3 of 5"):
        upscale(lr, tmp_path / "sr.zarr", model(), FP32)
    done = pixels(tmp_path / "sr.zarr")
    assert np.isfinite(done[[0, 2, 4]]).all()
    with pytest.raises(InputError, match="Slices 1 and 3"):
        upscale(lr, tmp_path / "sr.zarr", model(), FP32, resume=True)
    rest = upscale(lr, tmp_path / "part.zarr", model(), replace(FP32, slices=(4, 5)))
    assert rest.total == 1


def test_a_stack_that_cannot_be_read_at_all_is_one_sentence(tmp_path: Path) -> None:
    lr = filed_stack(tmp_path / "lr", 2)
    for file in (tmp_path / "lr").iterdir():
        file.write_bytes(b"no image")
    with pytest.raises(InputError, match="No slice of 'filed' can be read"):
        upscale(lr, tmp_path / "sr.zarr", model(), FP32)


def test_memory_may_run_out_within_a_slice_and_nothing_of_the_attempt_stays(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lr = stack(3, (160, 136))
    intact = Engine._iter_run
    calls = 0

    def failing(self: Engine, *args: object) -> object:
        nonlocal calls
        calls += 1
        if self.tile == 64 and calls == 12:  # rows of tiles of the second slice are being written
            raise MemoryError("no more")
        return intact(self, *args)  # type: ignore[arg-type]

    monkeypatch.setattr(Engine, "_iter_run", failing)
    settings = replace(FP32, tile=64)
    events, _ = collected(iter_upscale(lr, tmp_path / "sr.zarr", model(), settings))
    assert [e.message for e in events if isinstance(e, Notice) and "Memory" in e.message] == [
        "Memory ran out in slice 1; it is done again in tiles of 32 px."
    ]
    assert [e.slice for e in events if isinstance(e, SliceDone)] == [0, 1, 2]
    monkeypatch.undo()
    upscale(lr, tmp_path / "large.zarr", model(), settings)
    upscale(lr, tmp_path / "small.zarr", model(), replace(settings, tile=32))
    sr, large, small = (pixels(tmp_path / f"{n}.zarr") for n in ("sr", "large", "small"))
    assert np.array_equal(sr[0], large[0])
    assert np.array_equal(sr[1:], small[1:])
    assert not [p for p in (tmp_path / "sr.zarr").rglob("*") if p.name.startswith(".")]


def test_a_disk_that_is_full_within_a_slice_stops_the_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lr = stack(3, (160, 136))

    def full(self: object, image: np.ndarray) -> np.ndarray:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("napari_sem_sr.io.write.levels.GrowingLevel.take", full)
    with pytest.raises(OutputError, match=r"disk is full.*--resume"):
        upscale(lr, tmp_path / "sr.zarr", model(), replace(FP32, tile=32))
    monkeypatch.undo()
    assert not [p for p in (tmp_path / "sr.zarr").rglob("*") if p.name.endswith(".partial")]
    assert (
        upscale(lr, tmp_path / "sr.zarr", model(), replace(FP32, tile=32), resume=True).computed
        == 3
    )


def test_closing_a_run_within_a_slice_keeps_what_is_done_and_nothing_of_the_rest(
    tmp_path: Path,
) -> None:
    lr, settings = stack(3, (160, 136)), replace(FP32, tile=32)
    run = iter_upscale(lr, tmp_path / "sr.zarr", model(), settings)
    done = []
    for event in run:
        if isinstance(event, SliceDone):
            done.append(event.slice)
        # two rows of tiles of the second slice are with its writer
        if isinstance(event, TileDone) and (event.slice, event.done) == (1, 12):
            break
    run.close()
    assert done == [0]
    names = [p for p in (tmp_path / "sr.zarr").rglob("*") if p.is_file()]
    assert not [p for p in names if p.name.endswith(".partial")]
    assert upscale(lr, tmp_path / "sr.zarr", model(), settings, resume=True).computed == 2
    upscale(lr, tmp_path / "whole.zarr", model(), settings)
    assert files(tmp_path / "sr.zarr") == files(tmp_path / "whole.zarr")
