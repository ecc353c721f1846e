import errno
import json
import os
from xml.etree import ElementTree

import dask.array as da
import numpy as np
import pytest
import tifffile
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from napari_sem_sr.errors import InputError, OutputError
from napari_sem_sr.events import Progress
from napari_sem_sr.io import iter_write_tiff, read_stack, write_tiff
from napari_sem_sr.stack import SemStack

PROVENANCE = {"synthetic": True, "model": "tiny <&>", "factor": 4, "range": [0.5, 255.0]}
SIZES = st.one_of(st.none(), st.floats(0.1, 1e4))


def noise(shape, dtype=np.uint16):
    if np.dtype(dtype).kind == "f":
        return np.random.default_rng(0).normal(size=shape).astype(dtype)
    limits = np.iinfo(dtype)
    return np.random.default_rng(0).integers(limits.min, limits.max, shape, dtype, endpoint=True)


@settings(
    max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    dtype=st.sampled_from([np.uint8, np.uint16, np.int16, np.float32]),
    shape=st.tuples(st.integers(1, 5), st.integers(1, 90), st.integers(1, 90)),
    voxel=st.tuples(SIZES, SIZES, SIZES),
    origin=st.tuples(*[st.floats(-1e5, 1e5)] * 3),
)
def test_pixels_dtype_place_and_provenance_come_back(tmp_path_factory, dtype, shape, voxel, origin):
    source = SemStack.from_array(
        noise(shape, dtype),
        "specimen",
        voxel_nm=voxel,
        origin_nm=origin,
        pixel_step=tuple(0.25 if v is None else 1.0 for v in voxel),
    )
    path = tmp_path_factory.mktemp("out") / "out.tif"
    assert write_tiff(source, path, provenance=PROVENANCE) == path
    back = read_stack(path)
    np.testing.assert_array_equal(back.data.compute(), source.data.compute())
    assert back.dtype == source.dtype
    assert back.voxel_nm == source.voxel_nm
    assert back.world == source.world
    assert back.provenance == PROVENANCE
    assert not back.notices


def test_it_is_a_big_ome_tiff_that_says_its_scale_to_every_program(tmp_path):
    source = SemStack.from_array(noise((3, 40, 50)), "specimen", voxel_nm=(20.0, 5.0, 4.0))
    write_tiff(source, tmp_path / "out.tif", provenance=PROVENANCE)
    with tifffile.TiffFile(tmp_path / "out.tif") as tiff:
        assert tiff.is_bigtiff
        assert tiff.is_ome
        assert tiff.series[0].axes == "ZYX"
        assert len(tiff.pages) == 3
        tags = tiff.pages[0].tags
        assert tags["ResolutionUnit"].value == tifffile.RESUNIT.CENTIMETER
        for name, nm in (("XResolution", 4.0), ("YResolution", 5.0)):
            numerator, denominator = tags[name].value
            assert 1e7 * denominator / numerator == pytest.approx(nm, rel=1e-6)
        pixels = next(
            e for e in ElementTree.fromstring(tiff.ome_metadata).iter() if e.tag.endswith("Pixels")
        )
    assert pixels.get("PhysicalSizeX") == "4.0"
    assert pixels.get("PhysicalSizeZUnit") == "nm"


def test_it_says_that_it_is_synthetic_where_a_person_looks(tmp_path):
    source = SemStack.from_array(noise((1, 9, 9)), "specimen")
    write_tiff(source, tmp_path / "sr.tif", provenance={"model": "tiny"})
    write_tiff(source, tmp_path / "lr.tif", provenance={"synthetic": False})
    with tifffile.TiffFile(tmp_path / "sr.tif") as tiff:
        assert "super-resolved (synthetic)" in tiff.ome_metadata
    assert read_stack(tmp_path / "sr.tif").provenance == {"synthetic": True, "model": "tiny"}
    with tifffile.TiffFile(tmp_path / "lr.tif") as tiff:
        assert "super-resolved" not in tiff.ome_metadata


def test_unknown_voxel_size_writes_no_physical_unit(tmp_path):
    source = SemStack.from_array(noise((2, 9, 9)), "specimen")
    write_tiff(source, tmp_path / "out.tif", provenance=PROVENANCE)
    with tifffile.TiffFile(tmp_path / "out.tif") as tiff:
        assert "PhysicalSize" not in tiff.ome_metadata
        assert tiff.pages[0].tags["ResolutionUnit"].value == tifffile.RESUNIT.NONE


def test_slices_are_computed_one_at_a_time_and_reported(tmp_path):
    computed = []

    def compute(block, block_info=None):
        computed.append(block_info[0]["chunk-location"][0])
        return block

    data = da.map_blocks(
        compute,
        da.zeros((4, 20, 20), chunks=(1, 20, 20), dtype=np.uint8),
        dtype=np.uint8,
        meta=np.empty((0, 0, 0), np.uint8),
    )
    events = []
    for event in iter_write_tiff(SemStack(data, "a"), tmp_path / "out.tif", provenance={}):
        events.append(event)
        assert computed == list(range(len(events)))
        assert not (tmp_path / "out.tif").exists()
    assert events == [Progress("writing", n, 4, "slices") for n in (1, 2, 3, 4)]
    assert [p.name for p in tmp_path.iterdir()] == ["out.tif"]


def test_cancelling_leaves_nothing(tmp_path):
    source = SemStack.from_array(noise((4, 20, 20)), "a")
    work = iter_write_tiff(source, tmp_path / "out.tif", provenance={})
    next(work)
    work.close()
    assert not list(tmp_path.iterdir())


def test_the_same_stack_gives_the_same_bytes(tmp_path):
    source = SemStack.from_array(noise((4, 20, 20)), "a", voxel_nm=(1.0, 2.0, 3.0))
    for name in ("a.tif", "b.tif"):
        write_tiff(source, tmp_path / name, provenance=PROVENANCE)
    assert (tmp_path / "a.tif").read_bytes() == (tmp_path / "b.tif").read_bytes()


@pytest.mark.parametrize(
    ("code", "said"), [(errno.ENOSPC, "disk is full"), (errno.EACCES, "may not be written")]
)
def test_a_disk_that_refuses_leaves_nothing(tmp_path, monkeypatch, code, said):
    def refuse(*args, **kwargs):
        raise OSError(code, os.strerror(code))

    source = SemStack.from_array(noise((2, 20, 20)), "a")
    for name in ("replace", "fsync"):
        with monkeypatch.context() as patch:
            patch.setattr(os, name, refuse)
            with pytest.raises(OutputError, match=said) as caught:
                write_tiff(source, tmp_path / "out.tif", provenance={})
        assert str(tmp_path / "out.tif") in str(caught.value)
        assert not list(tmp_path.iterdir())


def test_a_slice_that_cannot_be_read_leaves_nothing(tmp_path):
    tifffile.imwrite(tmp_path / "in.tif", noise((5, 20, 20)))
    source = read_stack(tmp_path / "in.tif")
    (tmp_path / "in.tif").unlink()
    with pytest.raises(InputError, match="Slice 0"):
        write_tiff(source, tmp_path / "out.tif", provenance={})
    assert not list(tmp_path.iterdir())


def test_what_is_there_is_not_overwritten(tmp_path):
    (tmp_path / "out.tif").write_text("mine")
    with pytest.raises(OutputError, match="exists already"):
        write_tiff(SemStack.from_array(noise((1, 9, 9)), "a"), tmp_path / "out.tif", provenance={})
    assert (tmp_path / "out.tif").read_text() == "mine"


def test_a_dtype_that_ome_does_not_know_is_refused(tmp_path):
    source = SemStack.from_array(np.zeros((9, 9), np.int64), "a")
    with pytest.raises(OutputError, match="int64"):
        write_tiff(source, tmp_path / "out.tif", provenance={})
    assert not list(tmp_path.iterdir())


def test_provenance_is_plain_json_in_a_comment_annotation(tmp_path):
    write_tiff(
        SemStack.from_array(noise((1, 9, 9)), "a"), tmp_path / "o.tif", provenance=PROVENANCE
    )
    with tifffile.TiffFile(tmp_path / "o.tif") as tiff:
        root = ElementTree.fromstring(tiff.ome_metadata)
    (note,) = (e for e in root.iter() if e.tag.endswith("CommentAnnotation"))
    assert note.get("Namespace") == "napari-sem-sr"
    assert json.loads(note[0].text)["provenance"] == PROVENANCE
