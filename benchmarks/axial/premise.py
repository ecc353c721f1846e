"""How far depth and lateral directions differ in isotropic volumes, and in the same ones with a wrong spacing.

python benchmarks/axial/premise.py --data ../shared/data
"""

import argparse
from pathlib import Path

import tifffile

from napari_sem_sr.axial.premise import compare_directions


def main() -> None:
    """Print one line per volume, true ratio and claimed ratio."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    data = parser.parse_args().data
    print("volume ratio claimed/true chord_ratio spectrum_db lateral_db warns")
    for file in sorted((data / "medulla_fibsem").glob("*.tif")):
        volume = tifffile.imread(file)
        for part, (z, y) in enumerate(((0, 0), (125, 0), (0, 125), (125, 125))):
            block = volume[z : z + 125, y : y + 125]
            for ratio in (2, 4, 6):
                kept = block[::ratio]
                for stretch in (1.0, 1.6, 1 / 1.6):
                    found = compare_directions(lambda k, s=kept: s[k], len(kept), ratio * stretch)
                    if found is None:
                        continue
                    print(
                        f"{file.stem[:16]}.{part} {ratio} {stretch:.2f} {found.chord_ratio:.2f} "
                        f"{found.spectrum_db:.2f} {found.lateral_spectrum_db:.2f} {bool(found.warning)}"
                    )


if __name__ == "__main__":
    main()
