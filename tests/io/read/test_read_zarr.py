import numpy as np
import ome_zarr.writer
import pytest
import zarr
from ome_zarr.format import FormatV04, FormatV05

from napari_sem_sr.errors import InputError
from napari_sem_sr.io import read_stack


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
