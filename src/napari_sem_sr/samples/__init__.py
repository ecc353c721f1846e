"""Small real samples, with the licences and credits that belong to them."""

from dataclasses import replace
from importlib.resources import files
from pathlib import Path

from napari_sem_sr.io import read_stack
from napari_sem_sr.stack import SemStack

MEDULLA_CREDIT = "FlyEM, Janelia Research Campus (HHMI), neuroproof_examples (CC Attribution)"

TIN_CREDIT = (
    "S. Shin et al., Meas. Sci. Technol. (2024), doi:10.1088/1361-6501/ad7e41, SEMdenoising (MIT)"
)


def _path(name: str) -> Path:
    return Path(str(files("napari_sem_sr"))) / "samples" / "data" / name


def medulla_path() -> Path:
    """File of the bundled FIB-SEM sample."""
    return _path("medulla_10nm.ome.tif")


def medulla_hr() -> SemStack:
    """FIB-SEM of *Drosophila* medulla: (24, 248, 248) uint8, voxels of 10 nm; no bundled model knows it."""
    return read_stack(medulla_path())


def tin_pair() -> tuple[SemStack, SemStack]:
    """Tin on carbon, recorded twice: a fast, noisy scan binned by 4, and a slow one laid over it.

    LR (1, 104, 120) with pixels of 23.3 nm and HR (1, 416, 480) with pixels of 5.83 nm, uint8; no bundled model knows
    this field.
    """
    lr, hr = (read_stack(_path(f"tin_{kind}.ome.tif")) for kind in ("lr", "hr"))
    # extents coincide: the first LR pixel lies over the first four of HR
    offset = [
        None if a is None or b is None else (a - b) / 2
        for a, b in zip(lr.voxel_nm, hr.voxel_nm, strict=True)
    ]
    return replace(lr, origin_nm=(0.0, offset[1] or 0.0, offset[2] or 0.0)), hr
