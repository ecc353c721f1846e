from pathlib import Path

import numpy as np
import ome_zarr.writer
import pytest
import tifffile
import zarr
from dask.cache import Cache
from ome_zarr.format import FormatV04, FormatV05

from napari_sem_sr.errors import InputError
from napari_sem_sr.io import ZarrStackWriter, read_stack
from napari_sem_sr.io.zarr_layout import slice_file
from napari_sem_sr.stack import SemStack


def noise(shape=(4, 20, 30), dtype=np.uint16):
    return np.random.default_rng(0).integers(0, 999, shape, dtype)


def save(path, pixels, axes, unit="micrometer", scale=None, translation=None, fmt=None, top=None):
    named = [
        {"name": a, "type": {"t": "time", "c": "channel"}.get(a, "space")}
        | ({"unit": unit} if unit and a in "zyx" else {})
        for a in axes
    ]
    steps = [{"type": "scale", "scale": scale or [1.0] * len(axes)}]
    if translation:
        steps.append({"type": "translation", "translation": translation})
    fmt = fmt or FormatV05()
    group = zarr.create_group(path, zarr_format=fmt.zarr_format)
    ome_zarr.writer.write_multiscale(
        [pixels], group, axes=named, coordinate_transformations=[steps], fmt=fmt
    )
    if top:
        ome = dict(group.attrs["ome"])
        ome["multiscales"][0]["coordinateTransformations"] = top
        group.attrs["ome"] = ome


@pytest.mark.parametrize("fmt", [FormatV04(), FormatV05()])
@pytest.mark.parametrize("axes", ["zyx", "czyx", "tczyx"])
def test_ome_zarr_of_both_versions_with_voxel_size_and_place_in_nm(tmp_path, fmt, axes):
    pixels = noise()
    full = pixels.reshape((1,) * (len(axes) - 3) + pixels.shape)
    pad = [1.0] * (len(axes) - 3)
    save(
        tmp_path / "a.zarr",
        full,
        axes,
        scale=[*pad, 0.02, 0.005, 0.004],
        translation=[*(0 * p for p in pad), 1.0, -0.5, 0.25],
        fmt=fmt,
    )
    stack = read_stack(tmp_path / "a.zarr")
    np.testing.assert_array_equal(stack.data.compute(), pixels)
    assert stack.voxel_nm == pytest.approx((20.0, 5.0, 4.0))
    assert stack.origin_nm == pytest.approx((1000.0, -500.0, 250.0))
    assert stack.provenance is None
    assert stack.paths == (tmp_path / "a.zarr",)
    assert stack.name == "a"


def test_transformations_of_the_whole_image_come_after_those_of_the_level(tmp_path):
    top = [{"type": "scale", "scale": [1.0, 2.0, 2.0]}]
    save(
        tmp_path / "a.zarr", noise(), "zyx", "nanometer", [9.0, 4.0, 4.0], [0.0, 3.0, 5.0], top=top
    )
    stack = read_stack(tmp_path / "a.zarr")
    assert stack.voxel_nm == (9.0, 8.0, 8.0)
    assert stack.origin_nm == (0.0, 6.0, 10.0)


def test_a_plane_without_z_is_one_slice(tmp_path):
    save(tmp_path / "a.zarr", noise((20, 30)), "yx", scale=[0.005, 0.004])
    stack = read_stack(tmp_path / "a.zarr")
    assert stack.shape == (1, 20, 30)
    assert stack.voxel_nm == pytest.approx((None, 5.0, 4.0))


def test_axes_without_unit_have_unknown_voxel_size(tmp_path):
    save(tmp_path / "a.zarr", noise(), "zyx", unit=None)
    assert read_stack(tmp_path / "a.zarr").voxel_nm == (None, None, None)


def test_a_typed_voxel_size_moves_the_origin_with_the_pixels(tmp_path):
    save(tmp_path / "a.zarr", noise(), "zyx", None, [1.0, 0.25, 0.25], [0.0, -0.375, -0.375])
    stack = read_stack(tmp_path / "a.zarr", voxel_nm=(20.0, 2.0, 2.0))
    assert stack.world.scale == (20.0, 2.0, 2.0)
    assert stack.world.translate == (0.0, -3.0, -3.0)


@pytest.mark.parametrize(("axes", "said"), [("czyx", "3 channels"), ("tzyx", "3 time points")])
def test_several_channels_or_times_are_refused(tmp_path, axes, said):
    save(tmp_path / "a.zarr", noise((3, 4, 20, 30)), axes)
    with pytest.raises(InputError, match=said):
        read_stack(tmp_path / "a.zarr")


@pytest.mark.parametrize("zarr_format", [2, 3])
def test_plain_arrays(tmp_path, zarr_format):
    pixels = noise()
    zarr.create_array(tmp_path / "a.zarr", data=pixels, zarr_format=zarr_format)
    stack = read_stack(tmp_path / "a.zarr")
    np.testing.assert_array_equal(stack.data.compute(), pixels)
    assert stack.voxel_nm == (None, None, None)
    zarr.create_array(tmp_path / "mask.zarr", data=pixels > 500, zarr_format=zarr_format)
    mask = read_stack(tmp_path / "mask.zarr")
    np.testing.assert_array_equal(mask.data.compute(), (pixels > 500).astype(np.uint8) * 255)
    zarr.create_array(tmp_path / "line.zarr", data=pixels[0, 0], zarr_format=zarr_format)
    with pytest.raises(InputError, match="shape"):
        read_stack(tmp_path / "line.zarr")


def test_a_level_of_an_image_can_be_read_as_an_array(tmp_path):
    pixels = noise()
    save(tmp_path / "a.zarr", pixels, "zyx")
    level = next(
        p.parent for p in (tmp_path / "a.zarr").rglob("zarr.json") if p.parent.name != "a.zarr"
    )
    np.testing.assert_array_equal(read_stack(level).data.compute(), pixels)


def test_a_group_that_holds_one_image_gives_that_image(tmp_path):
    zarr.create_group(
        tmp_path / "a.zarr", attributes={"ome": {"version": "0.5", "bioformats2raw.layout": 3}}
    )
    save(tmp_path / "a.zarr/0", noise(), "zyx", "nanometer", [9.0, 4.0, 4.0])
    assert read_stack(tmp_path / "a.zarr").voxel_nm == (9.0, 4.0, 4.0)
    save(tmp_path / "a.zarr/1", noise(), "zyx")
    with pytest.raises(InputError, match="holds 2 separate images"):
        read_stack(tmp_path / "a.zarr")


@pytest.mark.parametrize(
    "attributes",
    [
        {},
        {"ome": {"version": "0.5", "multiscales": []}},
        {"ome": {"version": "0.5", "multiscales": [{"axes": [], "datasets": []}]}},
        {"ome": {"multiscales": [{"axes": "zyx", "datasets": [{"path": "missing"}]}]}},
        {"ome": {"multiscales": [3]}},
        {"ome": 3},
        {"ome": {"multiscales": [{"axes": ["a", "b"], "datasets": [{"path": "0"}]}]}},
    ],
)
def test_groups_without_an_image_are_one_sentence(tmp_path, attributes):
    group = zarr.create_group(tmp_path / "a.zarr", attributes=attributes)
    group.create_array("0", data=noise((20, 30)))
    with pytest.raises(InputError) as caught:
        read_stack(tmp_path / "a.zarr")
    assert "a.zarr" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_damaged_metadata_and_chunks_are_one_sentence(tmp_path):
    save(tmp_path / "a.zarr", noise(), "zyx")
    (chunk,) = (
        p for p in (tmp_path / "a.zarr").rglob("*") if p.is_file() and "c" in p.parts[-5:-1]
    )
    chunk.write_bytes(chunk.read_bytes()[:-30])
    with pytest.raises(InputError, match=r"Slice 0 of .* cannot be read"):
        read_stack(tmp_path / "a.zarr")
    (tmp_path / "a.zarr/zarr.json").write_text("{")
    with pytest.raises(InputError, match="cannot be read as Zarr"):
        read_stack(tmp_path / "a.zarr")


def output_of(path: Path, pixels: np.ndarray, slices: int) -> Path:
    """An output of ours with the first slices done; finished if they are all."""
    writer = ZarrStackWriter.create(path, like=SemStack.from_array(pixels, "a"), provenance={})
    for z in range(slices):
        writer.write_slice(z, pixels[z])
    if slices == len(pixels):
        writer.finish()
    return path


def test_an_output_looked_at_finished_and_opened_again_is_not_taken_for_what_it_was(
    tmp_path: Path,
) -> None:
    pixels = np.full((3, 20, 30), 200, np.uint8)
    output = output_of(tmp_path / "sr.zarr", pixels, 1)
    # what napari keeps of arrays that it has drawn
    with Cache(2**20):
        first = read_stack(output)
        assert first.data[2].compute().max() == 0
        writer = ZarrStackWriter.reopen(output)
        writer.write_slice(1, pixels[1])
        writer.write_slice(2, pixels[2])
        writer.finish()
        second = read_stack(output)
        assert second.data.name != first.data.name
        np.testing.assert_array_equal(second.data[2].compute(), pixels[2])


def test_any_zarr_whose_chunks_have_changed_is_read_anew(tmp_path: Path) -> None:
    array = zarr.create_array(
        tmp_path / "a.zarr", shape=(2, 8, 8), chunks=(1, 8, 8), dtype=np.uint8
    )
    array[:] = 1
    with Cache(2**20):
        assert read_stack(tmp_path / "a.zarr").data.compute().max() == 1
        array[:] = 2
        assert read_stack(tmp_path / "a.zarr").data.compute().min() == 2


def test_other_slices_of_one_file_are_another_array(tmp_path: Path) -> None:
    tifffile.imwrite(tmp_path / "a.tif", np.zeros((4, 8, 8), np.uint8))
    names = {read_stack(tmp_path / "a.tif", without=[z]).data.name for z in range(4)}
    assert len(names) == 4


@pytest.mark.parametrize("damage", [lambda f: f.unlink(), lambda f: f.write_bytes(b"half")])
def test_a_slice_that_went_missing_is_named_and_is_not_black(tmp_path: Path, damage) -> None:
    pixels = np.full((4, 20, 30), 200, np.uint8)
    output = output_of(tmp_path / "sr.zarr", pixels, 4)
    damage(slice_file(output, 0, 2))
    stack = read_stack(output)
    assert any("slice 2 went missing" in notice for notice in stack.notices)
    with pytest.raises(InputError, match=r"Slice 2 .*--resume"):
        stack.slice(2)
    np.testing.assert_array_equal(stack.slice(3), pixels[3])
    np.testing.assert_array_equal(read_stack(output, without=[2]).slice(2), pixels[3])
