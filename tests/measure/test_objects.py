"""Objects and their sizes, where both are known."""

import numpy as np
import pytest

from napari_sem_sr.events import drain
from napari_sem_sr.measure.blocks import BlockGrid, Merging
from napari_sem_sr.measure.numbers import objects as module
from napari_sem_sr.measure.numbers.objects import Objects, iter_objects, quantile, sizes
from tests.measure.shapes import apart, filed, spheres


def found_in(mask, voxel, folder):
    return drain(iter_objects(filed(mask, folder), voxel, folder, "objects"))


@pytest.mark.parametrize("voxel", [(1.0, 1.0, 1.0), (3.0, 1.0, 1.0)])
def test_each_sphere_is_one_object_of_its_diameter(tmp_path, voxel):
    extent = (72.0, 72.0, 72.0)
    centres, radii = apart(extent, [10, 9, 8, 7, 6], np.random.default_rng(4))
    found = found_in(spheres(extent, voxel, centres, radii), voxel, tmp_path)
    assert found.whole.sum() == len(radii)
    assert np.sort(found.diameter) == pytest.approx(np.sort(2 * np.array(radii)), rel=0.03)
    # to the outer edges of voxels, so up to a diagonal more
    assert np.sort(found.feret) == pytest.approx(np.sort(2 * np.array(radii)), abs=1.8 * max(voxel))


def test_touching_spheres_are_parted_and_an_uneven_rod_is_not(tmp_path):
    two = spheres((40.0, 40.0, 60.0), (1.0, 1.0, 1.0), [(20, 20, 20), (20, 20, 37)], [9.5, 9.5])
    assert found_in(two, (1.0, 1.0, 1.0), tmp_path).whole.sum() == 2
    one = spheres((40.0, 40.0, 60.0), (1.0, 1.0, 1.0), [(20, 20, 26), (20, 20, 31)], [9.5, 9.5])
    assert found_in(one, (1.0, 1.0, 1.0), tmp_path).whole.sum() == 1


def test_objects_of_blocks_are_those_of_the_whole(tmp_path, monkeypatch):
    extent = (64.0, 64.0, 64.0)
    rng = np.random.default_rng(7)
    mask = spheres(extent, (1.0, 1.0, 1.0), *apart(extent, rng.uniform(3, 5, 60), rng, 1.0, True))
    whole = found_in(mask, (1.0, 1.0, 1.0), tmp_path)
    labels = whole.labels.read_slab(0, 64)
    monkeypatch.setattr(module, "BUDGET", 48**3)
    parts = found_in(mask, (1.0, 1.0, 1.0), tmp_path)
    assert parts.merged == (1, 1, 1)
    assert len(parts) == len(whole)
    assert np.sort(parts.volume) == pytest.approx(np.sort(whole.volume))
    assert np.sort(parts.feret) == pytest.approx(np.sort(whole.feret))
    assert (parts.whole.sum()) == whole.whole.sum()
    # the same voxels belong together
    ours = parts.labels.read_slab(0, 64)
    pairs = np.unique(np.column_stack([ours[mask], labels[mask]]), axis=0)
    assert len(pairs) == len(whole)


def test_wide_objects_are_measured_on_merged_voxels(tmp_path, monkeypatch):
    monkeypatch.setattr(module, "BUDGET", 40**3)
    monkeypatch.setattr(module, "WIDEST", 6.0)
    extent = (80.0, 80.0, 80.0)
    found = found_in(
        spheres(extent, (1.0, 1.0, 1.0), [(40, 40, 40)], [18.0]), (1.0, 1.0, 1.0), tmp_path
    )
    assert max(found.merged) > 1
    assert found.whole.sum() == 1
    assert found.diameter[found.whole][0] == pytest.approx(36, rel=0.05)
    assert found.centre[found.whole][0] == pytest.approx([39.5] * 3, abs=1)


def test_weights_make_up_for_the_large_objects_that_the_border_cuts(tmp_path):
    rng = np.random.default_rng(0)
    # as many of each width, anywhere in and around a volume of 80
    width = rng.choice([8.0, 24.0, 40.0], 30_000)
    low = rng.uniform(-40, 80, (width.size, 3))
    whole = ((low > 0) & (low + width[:, None] < 80)).all(1)
    found = Objects(
        volume=width**3,
        centre=low,
        box=np.repeat(width[:, None], 3, axis=1),
        feret=width,
        whole=whole,
        size=(80.0, 80.0, 80.0),
        merged=(1, 1, 1),
        labels=filed(np.zeros((1, 1, 1), bool), tmp_path),
    )
    seen = [whole[width == w].sum() for w in (8, 24, 40)]
    stood_for = [found.weights[width == w].sum() for w in (8, 24, 40)]
    assert seen[2] < 0.3 * seen[0]
    assert stood_for == pytest.approx([stood_for[0]] * 3, rel=0.12)


def test_quantiles_are_by_weight():
    values, weights = np.array([1.0, 2.0, 10.0]), np.array([0.0, 1.0, 1.0])
    assert quantile(values, weights, 0.5) == pytest.approx(6)
    assert quantile(values, np.zeros(3), 0.5) is None


def test_sizes_have_intervals_around_them(tmp_path):
    extent = (64.0, 64.0, 64.0)
    rng = np.random.default_rng(2)
    mask = spheres(extent, (1.0, 1.0, 1.0), *apart(extent, rng.uniform(2.5, 5, 90), rng, 1.0, True))
    found = found_in(mask, (1.0, 1.0, 1.0), tmp_path)
    merged = Merging.beyond(BlockGrid(mask.shape), (1.0, 1.0, 1.0), 4.0)
    told = sizes(found, found.diameter, merged)
    assert told["d10"].value < told["d50"].value < told["d90"].value
    for interval in told.values():
        assert interval.low <= interval.value <= interval.high
    assert told["d50"].high - told["d50"].low < 3
