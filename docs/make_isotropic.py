"""Draw docs/images/isotropic.png (xz before, after, truth) and isotropic_left_out.png from a finished demo.

sem-sr demo --volume --out demo3d
python docs/make_isotropic.py demo3d
"""

import shutil
import sys
from pathlib import Path

from napari_sem_sr.io import read_stack
from napari_sem_sr.study.picture import write_depth

if __name__ == "__main__":
    demo, images = Path(sys.argv[1]), Path(__file__).parent / "images"
    stacks = [read_stack(demo / name) for name in ("slices.tif", "isotropic.zarr", "truth.tif")]
    write_depth(*stacks, stacks[0].shape[1] // 2, images / "isotropic.png")
    shutil.copy(demo / "isotropic.zarr.axial" / "left_out.png", images / "isotropic_left_out.png")
