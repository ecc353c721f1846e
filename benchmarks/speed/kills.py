"""Kill an upscaling at random moments, again and again, and resume it: the end has to be the same bytes.

    python benchmarks/speed/kills.py [--kills 50] [--seed 0]

Every kill is SIGKILL at a random moment of a run that is never told. When a run gets to its end its files are
compared with those of a run that nothing disturbed, and the next one begins from nothing.
"""

import argparse
import random
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import tifffile

from napari_sem_sr.inference.bench.stack import specimen
from napari_sem_sr.io import ZarrStackWriter

SLICES, SIDE = 12, 96


def command(folder: Path, output: Path) -> list[str]:
    base = [sys.executable, "-m", "napari_sem_sr", "upscale", str(folder / "lr.tif"), str(output)]
    return [*base, "--model", "sem-x4", "--device", "cpu", "--tile", "48", "--resume"]


def files(folder: Path) -> dict[str, bytes]:
    return {str(p.relative_to(folder)): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--kills", type=int, default=50)
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    rng = random.Random(given.seed)
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        stack = np.stack([specimen(SIDE, seed) for seed in range(SLICES)])
        tifffile.imwrite(folder / "lr.tif", stack, metadata={"axes": "ZYX"})
        begun = time.monotonic()
        subprocess.run(command(folder, folder / "whole.zarr"), check=True)
        whole_seconds = time.monotonic() - begun
        expected = files(folder / "whole.zarr")
        kills = ends = wrong = 0
        output = folder / "sr0.zarr"
        while kills < given.kills:
            with subprocess.Popen(
                command(folder, output), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
            ) as run:
                try:
                    code = run.wait(rng.uniform(0.2, 1.0) * whole_seconds)
                except subprocess.TimeoutExpired:
                    run.kill()
                    kills += 1
                    there = output.exists()
                    done = len(ZarrStackWriter.reopen(output).done_slices()) if there else 0
                    print(f"kill {kills}: {done} of {SLICES} slices", file=sys.stderr)
                    continue
            ends += 1
            same = code == 0 and files(output) == expected
            wrong += not same
            print(f"end {ends}: {'same bytes' if same else 'DIFFERENT'}", file=sys.stderr)
            output = folder / f"sr{ends}.zarr"
        last = subprocess.run(command(folder, output), check=False)
        wrong += last.returncode != 0 or files(output) != expected
        print(f"{kills} kills, {ends + 1} outputs finished, {wrong} of them not the same bytes")
    return int(wrong > 0)


if __name__ == "__main__":
    sys.exit(main())
