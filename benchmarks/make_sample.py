"""Cut the bundled samples from data that no bundled model is trained on.

python benchmarks/make_sample.py --data ../shared/data
"""

import argparse
from pathlib import Path

import tifffile
from tin_pairs import FACTOR, read_pair

SLICES = slice(100, 124)
SIDE = 248  # a multiple of every upscale factor, 2, 4 and 8
FIELD, TIN_NM = "time_046", 5.828125
SAMPLES = Path(__file__).parents[1] / "src/napari_sem_sr/samples/data"


def main() -> None:
    """Write the samples with their voxel sizes."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    data = parser.parse_args().data
    source = data / "medulla_fibsem" / "training_sample2_250x250x250.tif"
    tifffile.imwrite(
        SAMPLES / "medulla_10nm.ome.tif",
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
    pair = read_pair(data, FIELD)
    for name, image, pixel in (
        ("tin_lr", pair.lr, FACTOR * TIN_NM),
        ("tin_hr", pair.hr, TIN_NM),
    ):
        tifffile.imwrite(
            SAMPLES / f"{name}.ome.tif",
            image,
            compression="zlib",
            predictor=True,
            metadata={
                "axes": "YX",
                "Name": "tin on carbon",
                **{f"PhysicalSize{axis}": pixel for axis in "XY"},
                **{f"PhysicalSize{axis}Unit": "nm" for axis in "XY"},
            },
        )


if __name__ == "__main__":
    main()
