"""Cut the bundled sample from the volume that no bundled model is trained on.

python benchmarks/make_sample.py --data ../shared/data
"""

import argparse
from pathlib import Path

import tifffile

SLICES = slice(100, 124)
SIDE = 248  # a multiple of every upscale factor, 2, 4 and 8


def main() -> None:
    """Write the sample with its voxel size."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    source = parser.parse_args().data / "medulla_fibsem" / "training_sample2_250x250x250.tif"
    out = Path(__file__).parents[1] / "src/napari_sem_sr/samples/data/medulla_10nm.ome.tif"
    tifffile.imwrite(
        out,
        tifffile.imread(source)[SLICES, :SIDE, :SIDE],
        compression="zlib",
        predictor=True,
        metadata={
            "axes": "ZYX",
            "Name": "FIB-SEM of Drosophila medulla",
            **{f"PhysicalSize{axis}": 10.0 for axis in "XYZ"},
            **{f"PhysicalSize{axis}Unit": "nm" for axis in "XYZ"},
        },
    )


if __name__ == "__main__":
    main()
