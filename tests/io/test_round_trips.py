"""What is written by every writer is read back as it was: pixels, dtype, voxel size, origin, tilt."""

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from napari_sem_sr.io import ZarrStackWriter, read_stack, write_tiff
from napari_sem_sr.stack import SemStack

SIZES = st.one_of(st.none(), st.floats(0.01, 1e5))


@st.composite
def stacks(draw):
    dtype = np.dtype(draw(st.sampled_from(["uint8", "uint16", "int16", "float32"])))
    shape = draw(st.tuples(st.integers(1, 2), st.integers(1, 9), st.integers(1, 9)))
    seed = draw(st.integers(0, 2**32 - 1))
    data = np.random.default_rng(seed).normal(0, 90, shape)
    if dtype.kind in "ui":
        data = data.clip(np.iinfo(dtype).min, np.iinfo(dtype).max)
    voxel = draw(st.tuples(SIZES, SIZES, SIZES))
    offset = st.floats(-1e5, 1e5)
    return SemStack.from_array(
        data.astype(dtype),
        "a",
        voxel_nm=voxel,
        origin_nm=draw(st.tuples(offset, offset, offset)),
        tilt_deg=draw(st.one_of(st.none(), st.floats(0, 80))),
    )


def to_zarr(stack, folder):
    path = folder / f"{len(list(folder.iterdir()))}.zarr"
    writer = ZarrStackWriter.create(path, like=stack, provenance={"synthetic": False})
    for z in range(stack.shape[0]):
        writer.write_slice(z, stack.slice(z))
    writer.finish()
    return path


def to_tiff(stack, folder):
    path = folder / f"{len(list(folder.iterdir()))}.tif"
    write_tiff(stack, path, provenance={"synthetic": False})
    return path


@pytest.mark.parametrize("write", [to_zarr, to_tiff])
@settings(
    max_examples=10, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(stack=stacks())
def test_there_and_back_and_there_again(tmp_path, write, stack):
    once = read_stack(write(stack, tmp_path))
    twice = read_stack(write(once, tmp_path))
    for back in (once, twice):
        assert back.dtype == stack.dtype
        np.testing.assert_array_equal(back.data.compute(), stack.data.compute())
        for there, here in zip(stack.voxel_nm, back.voxel_nm, strict=True):
            assert here == (None if there is None else pytest.approx(there, rel=1e-9))
        assert back.origin_nm == pytest.approx(stack.origin_nm, rel=1e-9, abs=1e-9)
        assert back.tilt_deg == stack.tilt_deg
        known = [s is not None for s in vars(back.sources).values()]
        assert known == [v is not None for v in (*stack.voxel_nm, stack.tilt_deg)]
