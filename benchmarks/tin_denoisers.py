"""Denoisers before bicubic beside sem-x4 on the real pairs of tin: PSNR, SSIM and seconds a slice.

    python benchmarks/tin_denoisers.py --data ../shared/data [--out docs/measurements/tin-denoisers.json]

Each denoiser comes before bicubic, at the strength of `STRENGTHS` that gives it the highest mean PSNR against HR: a choice in its favour
that nobody has who has no HR. sem-x4 is told what is measured in LR alone. Non-local means: Buades et al. 2005; BM3D: Dabov et al. 2007 (package bm3d, free for research only,
so not a dependency: pip install bm3d). Pairs and held-out fields are those of tin_pairs.py.
"""

import argparse
import importlib.util
import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from scipy.ndimage import gaussian_filter
from skimage.restoration import denoise_nl_means
from tin_pairs import FACTOR, TEST, read_pair

from napari_sem_sr.degradation.measure_conditions import measure_conditions
from napari_sem_sr.inference.engine.engine import Engine
from napari_sem_sr.intensity import stack_range, to_dtype
from napari_sem_sr.metrics.psnr_ssim import psnr, ssim
from napari_sem_sr.model.bicubic import upscale_bicubic
from napari_sem_sr.model.zoo import load_model
from napari_sem_sr.stack import SemStack

# Standard deviation that a denoiser is told, in those of the noise measured in LR.
STRENGTHS = (1.0, 1.5)
Picture = npt.NDArray[Any]


def denoisers(sd: float) -> dict[str, Callable[[Picture], Picture]]:
    """Ways to make SR of an LR picture; ``sd`` is its noise in grey levels."""

    def before_bicubic(clean: Callable[[Picture], Picture]) -> Callable[[Picture], Picture]:
        def upscaled(lr: Picture) -> Picture:
            quiet = to_dtype(np.asarray(clean(lr), np.float32), lr.dtype)[0]
            return upscale_bicubic(quiet, FACTOR)

        return upscaled

    def non_local_means(lr: Picture) -> Picture:
        return denoise_nl_means(
            lr.astype(np.float64),
            h=0.8 * sd,
            sigma=sd,
            patch_size=5,
            patch_distance=9,
            fast_mode=False,
        )

    found = {
        "Gaussian": before_bicubic(lambda lr: gaussian_filter(lr.astype(float), 0.05 * sd)),
        "non-local means": before_bicubic(non_local_means),
    }
    if importlib.util.find_spec("bm3d"):
        from bm3d import bm3d

        found["BM3D"] = before_bicubic(lambda lr: bm3d(lr.astype(float), sd))
    return found


def main() -> None:
    """Measure and print a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--out", type=Path)
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    pairs = [read_pair(arguments.data, field) for field in TEST]
    lr = SemStack.from_array(np.stack([p.lr for p in pairs]), name="tin, fast scan")
    within = stack_range(lr)
    conditions = measure_conditions(lr, within).conditions
    sd = conditions.noise * (within.high - within.low)
    ways: dict[str, Callable[[Picture], Picture]] = {
        "bicubic": lambda lr: upscale_bicubic(lr, FACTOR)
    }
    for strength in STRENGTHS:
        for kind, way in denoisers(strength * sd).items():
            ways[f"{kind} × {strength:g}, bicubic"] = way
    adapted = load_model("sem-x4").under(conditions)
    for kind, network in (
        ("sem-x4, twin", adapted.network("twin")),
        ("sem-x4, default output", adapted.blended(adapted.default_sharpness)),
    ):
        engine = Engine(network, device="cpu", precision="fp32")
        ways[kind] = lambda lr, e=engine: e.upscale_slice(lr, within, lr.dtype).image

    table = {}
    for kind, upscaled in ways.items():
        upscaled(pairs[0].lr)  # what is set up once is not counted
        scores, seconds = [], []
        for pair in pairs:
            start = time.process_time()
            sr = upscaled(pair.lr)
            seconds.append(time.process_time() - start)
            scores.append((psnr(sr, pair.hr), ssim(sr, pair.hr)))
        means = np.mean(scores, axis=0)
        table[kind] = {
            "psnr": float(means[0]),
            "ssim": float(means[1]),
            "seconds": float(np.median(seconds)),
        }
        print(
            f"| {kind} | {means[0]:.2f} | {means[1]:.3f} | {np.median(seconds):.3f} |", flush=True
        )
    print(f"noise {sd:.1f} grey levels, {len(pairs)} fields, LR {pairs[0].lr.shape}")
    if arguments.out is not None:
        arguments.out.write_text(json.dumps({"noise_sd": sd, "table": table}, indent=1) + "\n")


if __name__ == "__main__":
    main()
