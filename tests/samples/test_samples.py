"""The bundled sample."""

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
