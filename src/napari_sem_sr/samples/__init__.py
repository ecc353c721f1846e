"""Small real samples, with the licences and credits that belong to them."""

from importlib.resources import files
from pathlib import Path

from napari_sem_sr.io import read_stack
from napari_sem_sr.stack import SemStack

MEDULLA_CREDIT = "FlyEM, Janelia Research Campus (HHMI), neuroproof_examples (CC Attribution)"


def medulla_path() -> Path:
    """File of the bundled FIB-SEM sample."""
    return Path(str(files("napari_sem_sr"))) / "samples" / "data" / "medulla_10nm.ome.tif"


def medulla_hr() -> SemStack:
    """FIB-SEM of *Drosophila* medulla: (24, 248, 248) uint8, voxels of 10 nm; no bundled model knows it."""
    return read_stack(medulla_path())
