"""What of a number rests on untrusted voxels, and what it could be."""

import json

import numpy as np
import pytest
import zarr

from napari_sem_sr.errors import InputError
from napari_sem_sr.measure import measure
from napari_sem_sr.measure.doubt import Doubt
from napari_sem_sr.stack import SemStack

VOXEL = (8.0, 4.0, 4.0)


def layers():
    """Layers of four pixels across x, with grey of the border in between."""
    mask = np.indices((8, 32, 64))[2] % 8 < 4
    return SemStack.from_array(np.where(mask, 170, 60).astype(np.uint8), "sr", voxel_nm=VOXEL), mask


def check_of(sr, folder, trust, error=None):
    """What `sem-sr check` leaves of a stack, as far as it is read."""
    (folder / "maps.zarr").mkdir(parents=True)
    (folder / "report.json").write_text(json.dumps({"sr": {"hash": sr.content_hash}}))
    for name, values in (("trust", trust), ("expected_error", error)):
        if values is not None:
            group = zarr.create_group(folder / "maps.zarr" / name)
            group.create_array("0", data=np.asarray(values, np.float32))
    return folder


@pytest.fixture
def half(tmp_path):
    """A check that trusts the upper half of every slice, and its SR."""
    sr, _ = layers()
    trust = np.ones((8, 8, 16), np.float32)
    trust[:, 4:] = 0
    return check_of(sr, tmp_path / "check", trust), sr


def test_half_of_the_surface_rests_on_the_half_that_is_not_trusted(half, tmp_path):
    check, sr = half
    found = measure(sr, tmp_path / "out", threshold="115", trust=check, sizes=False)
    phase = found.volumes[0].phases[0]
    assert phase.numbers["volume_fraction"].untrusted_share == pytest.approx(0.5)
    assert phase.numbers["specific_surface_per_um"].untrusted_share == pytest.approx(0.5, abs=0.03)
    assert phase.numbers["chord_nm.x"].untrusted_share == pytest.approx(0.5)
    assert phase.numbers["connected.z"].untrusted_share == pytest.approx(0.5)
    fraction = phase.numbers["volume_fraction"]
    assert fraction.range_low < fraction.value < fraction.range_high
    # two pixels either way of each border of four-pixel layers, in half of the volume
    assert fraction.range_low == pytest.approx(0.25, abs=0.03)
    assert "not supported" in found.verdict
    assert "twin" in found.verdict


def test_only_what_the_expected_error_could_turn_is_open(tmp_path):
    sr, _ = layers()
    trust = np.zeros((8, 8, 16), np.float32)
    small = check_of(sr, tmp_path / "small", trust, np.full((8, 8, 16), 5.0))
    large = check_of(sr, tmp_path / "large", trust, np.full((8, 8, 16), 90.0))
    for check, moves in ((small, False), (large, True)):
        found = measure(
            sr,
            tmp_path / f"{check.name} out",
            threshold="115",
            trust=check,
            sizes=False,
            tortuosity=False,
        )
        fraction = found.volumes[0].phases[0].numbers["volume_fraction"]
        assert fraction.untrusted_share == 1
        assert (fraction.range_high - fraction.range_low > 0.5) == moves


def test_a_trusted_volume_has_no_range_and_the_sentence_says_so(tmp_path):
    sr, _ = layers()
    check = check_of(sr, tmp_path / "check", np.ones((8, 8, 16)))
    found = measure(
        sr, tmp_path / "out", threshold="115", trust=check, sizes=False, tortuosity=False
    )
    fraction = found.volumes[0].phases[0].numbers["volume_fraction"]
    assert fraction.range_low == fraction.value == fraction.range_high
    assert "100% of that surface rests on supported detail" in found.verdict


def test_unknown_trust_is_no_trust(tmp_path):
    sr, _ = layers()
    check = check_of(sr, tmp_path / "check", np.full((8, 8, 16), np.nan))
    assert Doubt.read(check, sr).untrusted(0).all()


def test_checks_that_do_not_fit_are_refused_in_one_sentence(half, tmp_path):
    check, sr = half
    other = SemStack.from_array(np.asarray(sr.data) + 1, "other", voxel_nm=VOXEL)
    with pytest.raises(InputError, match="is of none of 'other'"):
        measure(other, tmp_path / "out", trust=check)
    with pytest.raises(InputError, match="other voxels"):
        Doubt.read(check, SemStack.from_array(np.zeros((8, 30, 64), np.uint8), "sr"))
    (check / "maps.zarr" / "trust").rename(check / "maps.zarr" / "gone")
    with pytest.raises(InputError, match="no trust mask"):
        Doubt.read(check, sr)
