"""Seconds that PSSR2's own prediction takes for one slice, with its own network; runs where ``pssr`` is installed.

    PSSR_PYTHON benchmarks/speed/pssr_predict.py --threads 2 [--sides 256 512] [--rounds 3]

`predict_images` over tiles of 128 LR pixels side by side, as its LR mode cuts them, with `ResUNet` and its defaults at a
scale of 4; the weights do not matter for the time. A turn is two passes, and the second counts. How to
install ``pssr``: benchmarks/compare_pssr.py. ``measure.py --pssr PSSR_PYTHON`` puts the figures into docs/measurements/speed.json.
"""

import argparse
import contextlib
import json
import os
import sys
import tempfile
from pathlib import Path
from statistics import median
from time import perf_counter

import numpy as np
import tifffile

TILE, FACTOR = 128, 4


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--threads", type=int, required=True)
    parser.add_argument("--sides", type=int, nargs="+", default=[256, 512])
    parser.add_argument("--rounds", type=int, default=3)
    given = parser.parse_args()
    import torch
    from pssr.data import SlidingDataset
    from pssr.models import ResUNet
    from pssr.predict import predict_images

    torch.set_num_threads(given.threads)
    torch.manual_seed(0)
    network = ResUNet(scale=FACTOR).eval()
    found = {"parameters": sum(p.numel() for p in network.parameters()), "slices": {}}
    for side in given.sides:
        with tempfile.TemporaryDirectory() as folder:
            lr = np.random.default_rng(0).integers(0, 255, (side, side), np.uint8)
            tifffile.imwrite(Path(folder) / "lr.tif", lr)
            times = []
            # its progress goes to stdout as well
            with Path(os.devnull).open("w") as nowhere, contextlib.redirect_stdout(nowhere):
                dataset = SlidingDataset(
                    folder, hr_res=TILE, lr_scale=-1, overlap=0, val_split=1, n_frames=1
                )
                for _ in range(given.rounds):
                    predict_images(network, dataset, out_dir=None)
                    begun = perf_counter()
                    predict_images(network, dataset, out_dir=None)
                    times.append(perf_counter() - begun)
            seconds = median(times)
        found["slices"][str(side)] = {
            "tiles": len(dataset),
            "seconds": round(seconds, 4),
            "seconds_per_megapixel_of_sr": round(seconds / (FACTOR * side) ** 2 * 1e6, 4),
        }
    json.dump(found, sys.stdout)


if __name__ == "__main__":
    main()
