"""The bundled sample."""

import pytest

from napari_sem_sr import samples


def test_the_sample_knows_its_voxel_size() -> None:
    hr = samples.medulla_hr()
    assert hr.shape == (24, 248, 248)
    assert hr.voxel_nm == (10.0, 10.0, 10.0)
    assert hr.dtype == "uint8"


def test_licence_and_credit_lie_beside_it() -> None:
    folder = samples.medulla_path().parent
    assert "CREATIVE COMMONS" in (folder / "LICENSE.medulla.txt").read_text()
    assert "Janelia" in (folder / "CREDITS.md").read_text()
    assert "Janelia" in samples.MEDULLA_CREDIT


def test_the_pair_of_tin_shows_one_field_at_two_pixel_sizes() -> None:
    lr, hr = samples.tin_pair()
    assert hr.shape[1:] == tuple(4 * n for n in lr.shape[1:])
    assert lr.voxel_nm[2] == pytest.approx(4 * hr.voxel_nm[2])
    assert "MIT" in (samples.medulla_path().parent / "LICENSE.tin.txt").read_text()
    assert "Shin" in samples.TIN_CREDIT
