import errno
import multiprocessing
import os
import pickle
import signal
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import dask.array as da
import google_crc32c
import numpy as np
import ome_zarr.io
import ome_zarr.reader
import pytest
import zarr
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from ome_zarr_models.v05 import Image

from napari_sem_sr.errors import InputError, OutputError
from napari_sem_sr.io import ZarrStackWriter, atomic_write, read_stack
from napari_sem_sr.io.pyramid import halve
from napari_sem_sr.stack import SemStack

PROVENANCE = {"synthetic": True, "model": "tiny", "factor": 4, "intensity_range": [0.0, 255.0]}
DTYPES = st.sampled_from([np.uint8, np.uint16, np.int16, np.float32])
SIZES = st.one_of(st.none(), st.floats(0.1, 1e4))


def stack(shape=(4, 700, 530), dtype=np.uint16, **known):
    if np.dtype(dtype).kind == "f":
        pixels = np.random.default_rng(1).normal(0, 1e3, shape).astype(dtype)
    else:
        limits = np.iinfo(dtype)
        pixels = np.random.default_rng(1).integers(
            limits.min, limits.max, shape, dtype, endpoint=True
        )
    return SemStack.from_array(pixels, "specimen", **known)


def write(path, source, slices=None, finish=True):
    writer = ZarrStackWriter.create(path, like=source, provenance=PROVENANCE)
    for z in slices if slices is not None else range(source.shape[0]):
        writer.write_slice(z, source.slice(z))
    if finish:
        writer.finish()
    return writer


def files(folder):
    return {p.relative_to(folder): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    dtype=DTYPES,
    shape=st.tuples(st.integers(1, 3), st.integers(1, 1100), st.integers(1, 600)),
    voxel=st.tuples(SIZES, SIZES, SIZES),
    origin=st.tuples(*[st.floats(-1e5, 1e5)] * 3),
)
def test_pixels_dtype_voxel_size_and_origin_come_back(
    tmp_path_factory, dtype, shape, voxel, origin
):
    source = stack(
        shape,
        dtype,
        voxel_nm=voxel,
        origin_nm=origin,
        pixel_step=tuple(0.25 if v is None else 1.0 for v in voxel),
    )
    path = tmp_path_factory.mktemp("out") / "out.zarr"
    write(path, source)
    back = read_stack(path)
    np.testing.assert_array_equal(back.data.compute(), source.data.compute())
    assert back.dtype == source.dtype
    assert back.voxel_nm == pytest.approx(source.voxel_nm)
    assert back.world == source.world
    assert back.provenance == PROVENANCE
    assert not back.notices


def test_an_sr_stack_of_unknown_voxel_size_lies_over_its_lr_stack(tmp_path):
    lr = stack((2, 20, 30))
    sr = lr.upscaled(da.zeros((2, 80, 120), dtype=np.uint16, chunks=(1, 80, 120)), 4)
    write(tmp_path / "sr.zarr", sr)
    ome = zarr.open_group(tmp_path / "sr.zarr", mode="r").attrs["ome"]
    assert all("unit" not in axis for axis in ome["multiscales"][0]["axes"])
    back = read_stack(tmp_path / "sr.zarr")
    assert back.voxel_nm == (None, None, None)
    assert back.pixel_step == (1.0, 0.25, 0.25)
    assert back.origin_nm == (0.0, -0.375, -0.375)


def test_every_level_is_the_mean_of_the_one_before(tmp_path):
    source = stack((2, 1301, 600), np.float32)
    write(tmp_path / "out.zarr", source)
    expected = source.slice(1)
    for level in range(3):
        np.testing.assert_array_equal(zarr.open_array(tmp_path / f"out.zarr/{level}")[1], expected)
        expected = halve(expected)
    assert not (tmp_path / "out.zarr/3").exists()


def test_layout_is_one_shard_per_slice_of_512_chunks(tmp_path):
    write(tmp_path / "out.zarr", stack((3, 700, 530)))
    array = zarr.open_array(tmp_path / "out.zarr/0")
    assert array.chunks == (1, 512, 512)
    assert array.shards == (1, 1024, 1024)
    assert sorted(files(tmp_path / "out.zarr")) == sorted(
        Path(name)
        for name in (
            "zarr.json",
            *(f"{k}/zarr.json" for k in (0, 1)),
            *(f"{k}/c/{z}/0/0" for k in (0, 1) for z in range(3)),
        )
    )


def test_ome_zarrs_own_reader_opens_it_with_scale_and_translation(tmp_path):
    source = stack((2, 700, 530), voxel_nm=(10.0, 2.0, 2.5), origin_nm=(0.0, -0.75, 1.0))
    write(tmp_path / "out.zarr", source)
    (node,) = ome_zarr.reader.Reader(ome_zarr.io.parse_url(tmp_path / "out.zarr"))()
    np.testing.assert_array_equal(node.data[0].compute(), source.data.compute())
    assert [a["unit"] for a in node.metadata["axes"]] == ["nanometer"] * 3
    scale, translation = node.metadata["coordinateTransformations"][1]
    assert scale["scale"] == [10.0, 4.0, 5.0]
    assert translation["translation"] == [0.0, 0.25, 2.25]


def test_it_is_valid_ome_zarr_0_5(tmp_path):
    write(tmp_path / "out.zarr", stack((2, 700, 530), voxel_nm=(None, 2.0, 2.5)))
    image = Image.from_zarr(zarr.open_group(tmp_path / "out.zarr", mode="r"))
    assert image.ome_attributes.version == "0.5"
    assert image.ome_attributes.multiscales[0].name == "specimen"


def test_a_slice_of_zeros_is_a_slice_that_is_done(tmp_path):
    source = SemStack.from_array(np.zeros((2, 600, 600), np.uint8), "empty")
    writer = write(tmp_path / "out.zarr", source, slices=[1], finish=False)
    assert writer.done_slices() == {1}


def test_unfinished_output_says_so_and_reads_as_zeros(tmp_path):
    source = stack((4, 30, 40))
    writer = write(tmp_path / "out.zarr", source, slices=[2], finish=False)
    assert not writer.complete
    with pytest.raises(OutputError, match="1 of 4 slices"):
        writer.finish()
    back = read_stack(tmp_path / "out.zarr")
    assert "1 of 4 slices" in back.notices[0]
    assert not back.slice(0).any()
    np.testing.assert_array_equal(back.slice(2), source.slice(2))


def test_killed_and_resumed_gives_the_same_bytes(tmp_path):
    source = stack((4, 1200, 530))
    write(tmp_path / "whole.zarr", source)
    path = tmp_path / "resumed.zarr"
    write(path, source, slices=[0, 3], finish=False)
    # what a run leaves that died between the levels of slice 1 and within a file of slice 2
    half = ZarrStackWriter.reopen(path)
    half.write_slice(1, source.slice(1) // 2)
    (path / "0/c/1/0/0").unlink()
    (path / "1/c/2/0").mkdir(parents=True)
    (path / "1/c/2/0/.0.partial").write_bytes(b"half a shard")
    (path / ".zarr.json.partial").write_bytes(b"{")

    writer = ZarrStackWriter.reopen(path)
    assert writer.done_slices() == {0, 3}
    assert writer.provenance == PROVENANCE
    for z in sorted(set(range(4)) - writer.done_slices()):
        writer.write_slice(z, source.slice(z))
    writer.finish()
    assert files(path) == files(tmp_path / "whole.zarr")


def test_finishing_twice_changes_nothing(tmp_path):
    write(tmp_path / "out.zarr", stack((1, 20, 20)))
    before = {p: p.stat().st_mtime_ns for p in (tmp_path / "out.zarr").rglob("*")}
    writer = ZarrStackWriter.reopen(tmp_path / "out.zarr")
    writer.finish()
    assert writer.complete
    assert {p: p.stat().st_mtime_ns for p in (tmp_path / "out.zarr").rglob("*")} == before


def _write_until_killed(path, ready):
    source = stack((500, 700, 530), np.uint8)
    writer = ZarrStackWriter.create(path, like=source, provenance=PROVENANCE)
    for z in range(500):
        writer.write_slice(z, source.slice(z))
        if z == 2:
            ready.set()


@pytest.mark.skipif(sys.platform == "win32", reason="SIGKILL is of Unix")
def test_every_slice_that_a_killed_process_called_done_is_whole(tmp_path):
    context = multiprocessing.get_context("spawn")
    ready = context.Event()
    process = context.Process(target=_write_until_killed, args=(tmp_path / "out.zarr", ready))
    process.start()
    assert ready.wait(280)
    os.kill(process.pid, signal.SIGKILL)
    process.join()
    source = stack((500, 700, 530), np.uint8)
    writer = ZarrStackWriter.reopen(tmp_path / "out.zarr")
    done = writer.done_slices()
    assert {0, 1, 2} <= done < set(range(500))
    back = read_stack(tmp_path / "out.zarr")
    for z in done:
        np.testing.assert_array_equal(back.slice(z), source.slice(z))
    assert not list(tmp_path.rglob("*.partial"))


@pytest.mark.parametrize("number", range(1, 10))
def test_a_full_disk_at_any_write_leaves_an_output_that_can_be_resumed(
    tmp_path, monkeypatch, number
):
    """Slice 0 and 1 of three levels, then the attributes: the numbered rename fails."""
    source = stack((2, 1100, 530))
    write(tmp_path / "whole.zarr", source)
    path = tmp_path / "out.zarr"
    writer = ZarrStackWriter.create(path, like=source, provenance=PROVENANCE)
    calls = 0
    replace = os.replace

    def full(*args, **kwargs):
        nonlocal calls
        calls += 1
        if calls == number:
            raise OSError(errno.ENOSPC, "No space left on device")
        replace(*args, **kwargs)

    with monkeypatch.context() as patch:
        patch.setattr(os, "replace", full)
        try:
            for z in range(2):
                writer.write_slice(z, source.slice(z))
            writer.finish()
        except OutputError as error:
            said = str(error)
            assert "disk is full" in said
            assert str(path) in said
            assert "--resume" in said
            assert "\n" not in said
        else:
            assert calls < number
    assert not list(path.rglob("*.partial"))
    assert writer.done_slices() == {z for z in range(2) if number > 3 * (z + 1)}
    assert writer.complete == (number > 7)

    resumed = ZarrStackWriter.reopen(path)
    for z in sorted(set(range(2)) - resumed.done_slices()):
        resumed.write_slice(z, source.slice(z))
    resumed.finish()
    assert files(path) == files(tmp_path / "whole.zarr")


def test_a_full_disk_while_bytes_are_written_leaves_nothing_behind(tmp_path, monkeypatch):
    source = stack((1, 20, 20))
    writer = ZarrStackWriter.create(tmp_path / "out.zarr", like=source, provenance={})

    def full(data):
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        # after the chunks, before the index
        patch.setattr(google_crc32c, "value", full)
        with pytest.raises(OutputError, match="disk is full"):
            writer.write_slice(0, source.slice(0))
    assert not writer.done_slices()
    assert not list(tmp_path.rglob("*.partial"))


def test_a_disk_that_is_full_at_the_start_leaves_nothing(tmp_path, monkeypatch):
    def full(*args, **kwargs):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "replace", full)
    with pytest.raises(OutputError, match="disk is full"):
        ZarrStackWriter.create(tmp_path / "out.zarr", like=stack(), provenance={})
    assert not list(tmp_path.iterdir())


def test_a_folder_that_may_not_be_written_is_named(tmp_path, monkeypatch):
    def refused(*args, **kwargs):
        raise PermissionError(errno.EACCES, "Permission denied")

    monkeypatch.setattr(os, "replace", refused)
    with pytest.raises(OutputError, match=r"out\.zarr' may not be written .* choose a folder"):
        ZarrStackWriter.create(tmp_path / "out.zarr", like=stack(), provenance={})


def test_an_output_that_exists_is_not_touched(tmp_path):
    write(tmp_path / "out.zarr", stack((1, 20, 20)))
    before = files(tmp_path)
    with pytest.raises(OutputError, match="exists already"):
        ZarrStackWriter.create(tmp_path / "out.zarr", like=stack(), provenance={})
    (tmp_path / "notes.zarr").write_text("mine")
    with pytest.raises(OutputError, match="exists already"):
        ZarrStackWriter.create(tmp_path / "notes.zarr", like=stack(), provenance={})
    (tmp_path / "notes.zarr").unlink()
    assert files(tmp_path) == before


def test_an_empty_folder_may_become_an_output(tmp_path):
    (tmp_path / "out.zarr").mkdir()
    assert write(tmp_path / "out.zarr", stack((1, 20, 20))).complete


@pytest.mark.parametrize("what", ["nothing", "folder", "file", "foreign", "damaged"])
def test_only_our_own_outputs_are_reopened(tmp_path, what):
    path = tmp_path / "out.zarr"
    if what == "folder":
        path.mkdir()
    elif what == "file":
        path.write_text("x")
    elif what == "foreign":
        zarr.create_group(path, attributes={"ome": {"version": "0.5"}})
    elif what == "damaged":
        write(path, stack((1, 20, 20)))
        (path / "0/zarr.json").write_text("{")
    before = files(tmp_path)
    with pytest.raises(OutputError, match="is not a stack written by napari-sem-sr"):
        ZarrStackWriter.reopen(path)
    assert files(tmp_path) == before


def test_slices_may_be_written_from_several_threads_and_by_a_pickled_writer(tmp_path):
    source = stack((12, 300, 200))
    write(tmp_path / "whole.zarr", source)
    writer = ZarrStackWriter.create(tmp_path / "out.zarr", like=source, provenance=PROVENANCE)
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda z: writer.write_slice(z, source.slice(z)), range(11)))
    pickle.loads(pickle.dumps(writer)).write_slice(11, source.slice(11))
    writer.finish()
    assert files(tmp_path / "out.zarr") == files(tmp_path / "whole.zarr")


def test_a_slice_that_does_not_fit_is_a_mistake_of_the_program(tmp_path):
    writer = ZarrStackWriter.create(tmp_path / "o.zarr", like=stack((2, 20, 30)), provenance={})
    with pytest.raises(ValueError, match="does not lie in 0:2"):
        writer.write_slice(2, np.zeros((20, 30), np.uint16))
    with pytest.raises(ValueError, match="slice 0 is uint8"):
        writer.write_slice(0, np.zeros((20, 30), np.uint8))
    assert not writer.done_slices()


def test_nan_stays_nan(tmp_path):
    image = np.full((40, 40), np.nan, np.float32)
    image[5:, 5:] = 1.5
    source = SemStack.from_array(image, "aligned")
    write(tmp_path / "out.zarr", source)
    np.testing.assert_array_equal(read_stack(tmp_path / "out.zarr").slice(0), image)


def test_a_dim_16_bit_image_is_unchanged(tmp_path):
    image = np.random.default_rng(3).integers(100, 131, (64, 64)).astype(np.uint16)
    write(tmp_path / "out.zarr", SemStack.from_array(image, "dim"))
    np.testing.assert_array_equal(read_stack(tmp_path / "out.zarr").slice(0), image)


@pytest.mark.parametrize("name", ["zarr.json", "0/zarr.json", "1/zarr.json"])
def test_damaged_metadata_are_one_sentence(tmp_path, name):
    source = stack((2, 530, 40))
    write(tmp_path / "out.zarr", source)
    file = tmp_path / "out.zarr" / name
    whole = file.read_bytes()
    random = np.random.default_rng(0)
    for _ in range(40):
        damaged = bytearray(whole)
        for place in random.integers(0, len(whole), random.integers(1, 4)):
            damaged[place] = random.integers(0, 256)
        file.write_bytes(damaged[: random.integers(1, 2 * len(whole))])
        for attempt in (
            lambda: ZarrStackWriter.reopen(tmp_path / "out.zarr").done_slices(),
            lambda: read_stack(tmp_path / "out.zarr"),
        ):
            try:
                attempt()
            except (InputError, OutputError) as error:
                assert "\n" not in str(error)


def test_a_finished_slice_keeps_its_place_until_another_takes_it(tmp_path, monkeypatch):
    source = stack((2, 530, 40))
    write(tmp_path / "out.zarr", source)
    writer = ZarrStackWriter.reopen(tmp_path / "out.zarr")
    seen = []

    def watching(source, target):
        seen.append(writer.lost_slices())
        intact(source, target)

    intact = atomic_write.rename
    monkeypatch.setattr(atomic_write, "rename", watching)
    writer.write_slice(1, source.slice(1))
    assert seen == [(), ()]
