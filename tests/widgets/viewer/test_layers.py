"""Layers and stacks, with a viewer model and no window."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile
from napari.components import ViewerModel
from napari.plugins._npe2 import get_readers
from npe2 import PluginManager

from napari_sem_sr.errors import InputError
from napari_sem_sr.io import ZarrStackWriter
from napari_sem_sr.stack import SemStack
from napari_sem_sr.widgets.inspect.panes.roles import guess_roles, seats_of
from napari_sem_sr.widgets.viewer import layer_stack, layers, reader


@pytest.fixture
def viewer() -> ViewerModel:
    PluginManager.instance().discover()
    return ViewerModel()


def ramp(*shape: int) -> Any:
    return np.arange(np.prod(shape)).reshape(shape).astype(np.uint16)


def test_a_layer_with_a_path_is_read_from_its_file_with_the_voxel_size_the_file_knows(
    viewer: ViewerModel, tmp_path: Path
) -> None:
    path = tmp_path / "cathode.tif"
    tifffile.imwrite(
        path, ramp(3, 8, 9), imagej=True, resolution=(1 / 0.005, 1 / 0.005),
        metadata={"unit": "um", "spacing": 0.02, "axes": "ZYX"},
    )  # fmt: skip
    (layer,) = viewer.open(path, plugin="napari")
    stack = layer_stack.stack_of(layer)
    assert stack.voxel_nm == pytest.approx((20, 5, 5))
    assert stack.paths == (path,)
    np.testing.assert_array_equal(stack.slice(2), ramp(3, 8, 9)[2])


def test_a_layer_in_micrometres_makes_a_stack_in_nanometres(viewer: ViewerModel) -> None:
    layer = viewer.add_image(
        ramp(3, 8, 9), scale=(0.02, 0.005, 0.005), translate=(0.2, 0, 0.05), units=("um",) * 3
    )
    stack = layer_stack.stack_of(layer)
    assert stack.voxel_nm == pytest.approx((20, 5, 5))
    assert stack.origin_nm == pytest.approx((200, 0, 50))


def test_a_layer_in_pixels_makes_a_stack_of_unknown_voxel_size(viewer: ViewerModel) -> None:
    assert layer_stack.stack_of(viewer.add_image(ramp(8, 9))).voxel_nm == (None, None, None)


def test_a_colour_layer_is_refused_in_one_sentence(viewer: ViewerModel) -> None:
    layer = viewer.add_image(np.zeros((8, 9, 3), np.uint8), rgb=True, name="photo")
    with pytest.raises(InputError, match="'photo' is in colour"):
        layer_stack.stack_of(layer)


def test_several_channels_are_refused_and_empty_axes_are_not(viewer: ViewerModel) -> None:
    with pytest.raises(InputError, match="one stack"):
        layer_stack.stack_of(viewer.add_image(ramp(2, 3, 8, 9)))
    assert layer_stack.stack_of(viewer.add_image(ramp(1, 3, 8, 9))).shape == (3, 8, 9)


@pytest.mark.parametrize("ndim", [2, 3])
def test_sr_laid_beside_a_layer_covers_the_same_extent_whatever_its_units(
    viewer: ViewerModel, ndim: int
) -> None:
    image = ramp(3, 8, 9) if ndim == 3 else ramp(8, 9)
    lr = viewer.add_image(
        image,
        scale=(2.0, 0.5, 0.25)[-ndim:],
        translate=(1.0, -3.0, 7.0)[-ndim:],
        units=("um",) * ndim,
    )
    shown = layers.on_screen(lr)
    sr = SemStack.from_array(np.zeros((shown.shape[0], 32, 36), np.uint16), "sr")
    seat = shown.upscaled(sr.data, 4)
    added = layers.add(
        viewer, layers.image_data(sr, "sr", "SR", seat=layers.placing(lr, seat), limits=(0, 1))
    )

    def edges(layer: Any) -> Any:
        return layer.extent.world[:, -2:] + np.outer([-0.5, 0.5], layer.scale[-2:])

    np.testing.assert_allclose(edges(added), edges(lr))
    assert added.units[-1] == lr.units[-1]


def test_everything_added_is_recognised_and_removed_and_nothing_else(viewer: ViewerModel) -> None:
    users = viewer.add_image(ramp(3, 8, 9), name="mine")
    stack = SemStack.from_array(ramp(3, 8, 9), "sr")
    layers.add(viewer, layers.image_data(stack, "sr", "SR", added_by_dock=True))
    assert [layers.is_ours(layer) for layer in viewer.layers] == [False, True]
    assert layers.remove_ours(viewer, results=True) == 1
    assert list(viewer.layers) == [users]


def test_contrast_limits_come_from_the_whole_stack_not_from_its_blank_first_slice() -> None:
    data = np.zeros((4, 16, 16), np.uint16)
    data[1:] = np.linspace(1000, 2000, 256).reshape(16, 16)
    low, high = layers.limits_of(SemStack.from_array(data, "s"))
    assert low == pytest.approx(1000, abs=10)
    assert high == pytest.approx(2000, abs=10)


@pytest.fixture
def output(tmp_path: Path) -> Path:
    """A finished output of ours with two levels."""
    like = SemStack.from_array(
        np.zeros((2, 600, 40), np.uint8),
        "x",
        voxel_nm=(20.0, 5.0, 5.0),
        origin_nm=(40.0, -7.5, -7.5),
    )
    path = tmp_path / "x_sr.zarr"
    writer = ZarrStackWriter.create(
        path, like=like, provenance={"model": "m", "factor": 4, "intensity_range": [3, 200]}
    )
    for z in range(2):
        writer.write_slice(z, np.full((600, 40), z + 1, np.uint8))
    writer.finish()
    return path


def test_reader_gives_levels_place_unit_limits_and_provenance(
    viewer: ViewerModel, output: Path
) -> None:
    read = reader.get_reader(str(output))
    assert read is not None
    ((data, keywords, kind),) = read(str(output))
    assert kind == "image"
    layer = viewer.add_image(data, **keywords)
    assert layer.multiscale
    assert [level.shape for level in layer.data] == [(2, 600, 40), (2, 300, 20)]
    np.testing.assert_allclose(layer.scale, (20, 5, 5))
    np.testing.assert_allclose(layer.translate, (40, -7.5, -7.5))
    assert tuple(layer.contrast_limits) == (3, 200)
    mark = layer.metadata["napari_sem_sr"]
    assert mark["role"] == "SR" and mark["synthetic"] and mark["model"] == "m"
    assert not layers.is_ours(layer)


def test_an_output_is_opened_by_its_zarr_json_without_a_question(
    viewer: ViewerModel, output: Path
) -> None:
    assert set(get_readers(str(output / "zarr.json"))) == {"napari-sem-sr"}
    (layer,) = viewer.open(output / "zarr.json", plugin="napari-sem-sr")
    assert layer.name == "x_sr"
    assert str(layer.units[-1]) == "nanometer"


@pytest.mark.parametrize("name", ["theirs.zarr", "x_sr.zarr", "slices", "a.tif", "b.png"])
def test_napari_asks_nobody_about_other_files_and_folders(
    viewer: ViewerModel, output: Path, name: str
) -> None:
    path = output.parent / name
    if not path.exists():
        path.write_bytes(b"") if path.suffix in (".tif", ".png") else path.mkdir()
    assert set(get_readers(str(path))) == {"napari"}


def test_an_output_that_naparis_own_reader_opened_is_still_known(
    viewer: ViewerModel, output: Path
) -> None:
    (layer,) = viewer.open(output, plugin="napari")
    assert layers.role_of(layer) == "SR"
    assert layer_stack.stack_of(layer).voxel_nm == (20, 5, 5)


def test_reader_leaves_other_files_to_others(tmp_path: Path, output: Path) -> None:
    import zarr

    foreign = tmp_path / "theirs_sr.zarr"
    zarr.create_group(foreign)
    tifffile.imwrite(tmp_path / "a.tif", ramp(8, 9))
    for path in (foreign, tmp_path / "a.tif", tmp_path / "missing.zarr", tmp_path):
        assert reader.get_reader(str(path)) is None
    assert reader.get_reader([str(output), str(foreign)]) is None


def test_roles_are_guessed_from_metadata_then_names_then_size(viewer: ViewerModel) -> None:
    small = viewer.add_image(ramp(2, 8, 9), name="scan")
    large = viewer.add_image(ramp(2, 32, 36), name="cathode_HR")
    stack = SemStack.from_array(ramp(2, 32, 36), "sr")
    sr = layers.add(viewer, layers.image_data(stack, "result", "SR"))
    assert guess_roles(viewer) == {"LR": small, "HR": large, "SR": sr}


def test_roles_in_different_units_are_placed_by_what_their_files_say(
    viewer: ViewerModel, tmp_path: Path, output: Path
) -> None:
    path = tmp_path / "x.tif"
    tifffile.imwrite(
        path, np.zeros((2, 150, 10), np.uint8), imagej=True, resolution=(1 / 0.02, 1 / 0.02),
        metadata={"unit": "um", "spacing": 0.02, "axes": "ZYX"},
    )  # fmt: skip
    (lr,) = viewer.open(path, plugin="napari")
    ((data, keywords, _),) = reader.read(str(output))
    sr = viewer.add_image(data, **keywords)
    seats, units = seats_of({"LR": lr, "SR": sr})
    assert units == ("nanometer",) * 3
    assert seats["LR"].world.scale == pytest.approx((20, 20, 20))
    assert seats["SR"].world.translate == pytest.approx((40, -7.5, -7.5))


def test_visible_region_is_clipped_to_the_image(viewer: ViewerModel) -> None:
    layer = viewer.add_image(ramp(2, 8, 9))
    layer.corner_pixels = np.array([[0, -5, 3], [1, 4, 100]])
    assert layers.visible_region(layer) == ((0, 5), (3, 9))
