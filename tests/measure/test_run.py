"""A measurement from volumes to files."""

import csv
import json

import numpy as np
import pytest
import zarr
from scipy.ndimage import gaussian_filter

from napari_sem_sr.errors import InputError, OutputError
from napari_sem_sr.io import read_stack
from napari_sem_sr.measure import iter_measure, measure
from napari_sem_sr.measure.bicubic import interpolated
from napari_sem_sr.measure.measurement import words
from napari_sem_sr.stack import SemStack
from tests.measure.shapes import spheres

VOXEL = (8.0, 4.0, 4.0)
SHAPE = (14, 40, 40)


def phantom():
    extent = tuple(n * v for n, v in zip(SHAPE, VOXEL, strict=True))
    rng = np.random.default_rng(1)
    centres = rng.uniform(0, extent, (30, 3))
    return spheres(extent, VOXEL, centres, rng.uniform(14, 24, 30))


def grey(mask, seed=0, noise=6.0):
    rng = np.random.default_rng(seed)
    return np.clip(70 + 90.0 * mask + rng.normal(0, noise, mask.shape), 0, 255).astype(np.uint8)


def stack(array, name="sample", **known):
    return SemStack.from_array(array, name, voxel_nm=VOXEL, **known)


@pytest.fixture(scope="module")
def done(tmp_path_factory):
    """Two volumes of one field measured side by side: grey, and blurred grey."""
    out = tmp_path_factory.mktemp("measured") / "out"
    mask = phantom()
    sharp = grey(mask)
    blurred = gaussian_filter(sharp.astype(np.float32), (0, 2, 2)).astype(np.uint8)
    found = measure([stack(blurred, "bicubic"), stack(sharp, "sr")], out)
    return out, found, mask


def test_the_document_has_its_fixed_keys(done):
    out, found, _ = done
    told = json.loads((out / "measure.json").read_text())
    assert told == json.loads(json.dumps(found.document()))
    assert [v["name"] for v in told["volumes"]] == ["bicubic", "sr"]
    volume = told["volumes"][1]
    assert volume["voxel_nm"] == list(VOXEL)
    assert volume["shape"] == list(SHAPE)
    assert 100 < volume["threshold"][0] < 130
    assert [p["label"] for p in volume["phases"]] == [1, 2]
    phase = volume["phases"][1]
    for key, parts in {
        "diameter_nm": ("d10", "d50", "d90"),
        "chord_nm": "zyx",
        "connected": "zyx",
        "tortuosity": "zyx",
    }.items():
        assert set(phase[key]) == set(parts)
    for number in (
        phase["volume_fraction"],
        phase["specific_surface_per_um"],
        phase["chord_nm"]["z"],
    ):
        assert {"value", "low", "high", "untrusted_share"} <= set(number)
        assert number["low"] <= number["value"] <= number["high"]
        assert number["untrusted_share"] is None
    assert any("No check" in limit for limit in told["limits"])


def test_numbers_are_those_of_the_structure(done):
    _, found, mask = done
    phase = found.volumes[1].phases[1]
    assert phase.numbers["volume_fraction"].value == pytest.approx(mask.mean(), abs=0.01)
    total = sum(p.numbers["volume_fraction"].value for p in found.volumes[1].phases)
    assert total == pytest.approx(1)
    # a blur takes surface away
    blurred = found.volumes[0].phases[1].numbers["specific_surface_per_um"].value
    assert blurred < phase.numbers["specific_surface_per_um"].value


def test_the_table_has_a_row_for_each_number_of_each_volume(done):
    out, found, _ = done
    with (out / "measure.csv").open(newline="") as stream:
        rows = list(csv.DictReader(stream))
    assert {r["volume"] for r in rows} == {"bicubic", "sr"}
    row = next(
        r
        for r in rows
        if r["volume"] == "sr" and r["phase"] == "2" and r["number"] == "volume_fraction"
    )
    assert float(row["value"]) == found.volumes[1].phases[1].numbers["volume_fraction"].value
    assert float(row["low_95"]) < float(row["value"]) < float(row["high_95"])


def test_the_page_needs_nothing_else_and_says_the_sentence(done):
    out, found, _ = done
    page = (out / "report.html").read_text()
    assert found.verdict.split(",")[0].replace("'", "&#39;") in page
    for elsewhere in ('src="http', 'href="http', "<script", "@import"):
        assert elsewhere not in page
    for name in ("specific surface (1/µm)", "mean chord along z (nm)"):
        assert name in page


def test_the_sentence_names_fraction_and_surface(done):
    _, found, _ = done
    assert found.verdict.startswith("Phase ")
    assert "% (" in found.verdict
    assert "1/µm" in found.verdict


def test_labels_lie_where_the_volume_lies(done):
    out, found, mask = done
    phases = read_stack(out / "labels.zarr" / "sr" / "phases")
    assert phases.shape == SHAPE
    assert phases.voxel_nm == VOXEL
    assert ((phases.data.compute() == 2) == mask).mean() > 0.98
    objects = zarr.open_array(out / "labels.zarr" / "sr" / "objects 2" / "0", mode="r")[:]
    assert ((objects > 0) == (phases.data.compute() == 2)).all()
    assert len(np.unique(objects)) - 1 >= found.volumes[1].phases[1].objects


def test_labels_from_elsewhere_take_the_place_of_a_threshold(tmp_path):
    mask = phantom()
    found = measure(
        stack(grey(mask), noise := "sample"),
        tmp_path,
        labels=stack(np.where(mask, 5, 2).astype(np.uint8)),
        sizes=False,
        tortuosity=False,
    )
    assert noise == found.volumes[0].name
    assert found.volumes[0].threshold == "labels"
    assert [p.label for p in found.volumes[0].phases] == [2, 5]
    assert found.volumes[0].phases[1].numbers["volume_fraction"].value == pytest.approx(mask.mean())
    assert found.document()["volumes"][0]["phases"][0]["diameter_nm"] == {
        "d10": None,
        "d50": None,
        "d90": None,
    }


def test_a_second_measurement_does_not_replace_the_first_unasked(done):
    out, _, mask = done
    with pytest.raises(OutputError, match="--overwrite"):
        measure(stack(grey(mask)), out)
    measure(stack(grey(mask), "again"), out, overwrite=True, sizes=False, tortuosity=False)
    assert json.loads((out / "measure.json").read_text())["volumes"][0]["name"] == "again"
    assert not list(out.glob(".measuring-*"))


def test_cancelling_leaves_nothing_half_written(tmp_path):
    work = iter_measure(stack(grey(phantom())), tmp_path / "out")
    for _ in range(40):
        next(work)
    work.close()
    assert not any((tmp_path / "out").iterdir())


def test_what_cannot_be_measured_writes_nothing(tmp_path):
    out = tmp_path / "out"
    with pytest.raises(InputError, match="single slice"):
        measure(stack(np.zeros((1, 9, 9), np.uint8)), out)
    with pytest.raises(InputError, match="2 volumes of labels for 1"):
        measure(stack(grey(phantom())), out, labels=[stack(np.zeros(SHAPE, np.uint8))] * 2)
    with pytest.raises(InputError, match="give labels of the same voxels"):
        measure(stack(grey(phantom())), out, labels=stack(np.zeros((9, 9, 9), np.uint8)))
    with pytest.raises(InputError, match="no volume"):
        measure([], out)
    with pytest.raises(InputError, match="no finished check"):
        measure(stack(grey(phantom())), out, trust=tmp_path)
    assert not out.exists()


def test_volumes_of_one_name_are_told_apart(tmp_path):
    volume = stack(grey(phantom()))
    found = measure([volume, volume], tmp_path, sizes=False, tortuosity=False)
    assert [v.name for v in found.volumes] == ["sample", "sample (2)"]


def test_words_have_units():
    assert words("chord_nm.z") == "mean chord along z (nm)"
    assert words("volume_fraction") == "volume fraction"


def test_the_door_of_the_package_measures_however_often_it_is_opened():
    for _ in range(2):
        from napari_sem_sr import measure as opened

        with pytest.raises(InputError, match="no volume"):
            opened([], "nowhere")


def test_lr_of_an_isotropic_volume_is_interpolated_between_its_slices():
    planes = np.array([10, 40, 100], np.uint8)[:, None, None] * np.ones((1, 6, 5), np.uint8)
    slices = SemStack.from_array(planes, "slices", voxel_nm=(12.0, 4.0, 4.0), origin_nm=(7.0, 0, 0))
    volume = SemStack.from_array(np.zeros((7, 6, 5), np.uint8), "volume", voxel_nm=(4.0, 4.0, 4.0))
    between = interpolated(slices, volume)
    assert between.voxel_nm == (4.0, 4.0, 4.0)
    assert between.origin_nm == (7.0, 0, 0)
    assert [int(between.slice(z)[3, 2]) for z in range(7)] == [10, 20, 30, 40, 60, 80, 100]
    with pytest.raises(InputError, match="nor filled in between its slices"):
        interpolated(slices, volume.cropped((0, 6)))
