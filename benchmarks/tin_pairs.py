"""Real pairs of tin on carbon: LR = fast scan binned by 4, HR = slow scan laid over it.

    python benchmarks/tin_pairs.py sem-x4 --data ../shared/data [--out docs/measurements/tin.json]

The slow frame drifts while it is recorded and the fast one is not scanned evenly, by up to 2 px: scored pixel by pixel
after one translation, half of what a model gains is lost at edges that lie beside each other. So the slow scan is warped
by a smooth polynomial, fitted to the displacements of overlapping blocks (phase correlation, Guizar-Sicairos et al. 2008).
It is then brought to the grey values of the fast scan by one line. Fields 34 to 50 are held out by every bundled model.
"""

import argparse
import csv
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image
from scipy.ndimage import gaussian_filter, map_coordinates
from skimage.registration import phase_cross_correlation

from napari_sem_sr.degradation.measure_conditions import measure_conditions
from napari_sem_sr.inference.engine.engine import Engine
from napari_sem_sr.intensity import stack_range
from napari_sem_sr.metrics.psnr_ssim import psnr, ssim
from napari_sem_sr.model.bicubic import upscale_bicubic
from napari_sem_sr.model.zoo import load_model
from napari_sem_sr.stack import SemStack

FACTOR = 4
TEST = tuple(f"time_{n:03d}" for n in range(34, 51))
ROWS, COLUMNS = slice(8, 424), slice(8, 488)
BLOCK, GRID, DEGREE, ROUNDS = 96, (9, 11), 3, 3
# Displacements beyond this (px) are mistakes, and blocks of less contrast show nothing to lay over each other.
FARTHEST, LEAST_CONTRAST = 2.5, 12.0

Image2D = npt.NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Pair:
    """LR and HR of one field, 8 bit, in the grey values of the fast scan."""

    name: str
    lr: npt.NDArray[np.uint8]
    hr: npt.NDArray[np.uint8]


def read_pair(data: Path, name: str) -> Pair:
    """One field, the slow scan laid over the fast one."""
    folder = data / "tin"
    with (folder / "pairs.csv").open() as file:
        row = next(r for r in csv.DictReader(file) if r["pair"] == name)
    fast, slow = (
        np.asarray(Image.open(folder / f"{name}_{kind}.png")).astype(np.float64)
        for kind in ("fast", "slow")
    )
    start = (float(row["shift_y_px"]), float(row["shift_x_px"]))
    warped = _warped(slow, _displacement(fast, slow, start), order=3)[ROWS, COLUMNS]
    fast = fast[ROWS, COLUMNS]
    gain, offset = np.polyfit(
        gaussian_filter(warped, 4).ravel(), gaussian_filter(fast, 4).ravel(), 1
    )
    y, x = fast.shape
    binned = fast.reshape(y // FACTOR, FACTOR, x // FACTOR, FACTOR).mean((1, 3))
    hr = np.clip(np.rint(warped * gain + offset), 0, 255).astype(np.uint8)
    return Pair(name, np.rint(binned).astype(np.uint8), hr)


def _displacement(fast: Image2D, slow: Image2D, start: tuple[float, float]) -> Image2D:
    """Displacement (y, x, 2) in px of the slow scan, a polynomial in y and x."""
    height, width = slow.shape
    grid = np.stack(np.mgrid[:height, :width].astype(np.float64), axis=-1)
    found = np.broadcast_to(np.array(start), grid.shape).copy()
    a, b = gaussian_filter(fast, 1.5), gaussian_filter(slow, 1.5)
    window = np.hanning(BLOCK)[:, None] * np.hanning(BLOCK)
    for _ in range(ROUNDS):
        warped = _warped(b, found, order=1)
        places, shifts = [], []
        for top in np.linspace(0, height - BLOCK, GRID[0]).astype(int):
            for left in np.linspace(0, width - BLOCK, GRID[1]).astype(int):
                parts = [p[top : top + BLOCK, left : left + BLOCK] for p in (a, warped)]
                if parts[1].std() < LEAST_CONTRAST:
                    continue
                shift, _, _ = phase_cross_correlation(
                    *((p - p.mean()) * window for p in parts),
                    upsample_factor=20,
                    normalization=None,
                )
                if np.hypot(*shift) < FARTHEST:
                    places.append((top + BLOCK / 2, left + BLOCK / 2))
                    shifts.append(shift)
        design, wanted = _basis(np.array(places), slow.shape), np.array(shifts)
        kept = np.ones(len(wanted), bool)
        for _ in range(ROUNDS):
            weights, *_ = np.linalg.lstsq(design[kept], wanted[kept], rcond=None)
            off = np.hypot(*(design @ weights - wanted).T)
            kept = off < max(0.3, 2.5 * float(np.median(off)))
        found += _basis(grid, slow.shape) @ weights
    return found


def _basis(places: Image2D, shape: tuple[int, ...]) -> Image2D:
    y, x = (places[..., axis] / (shape[axis] / 2) - 1 for axis in (0, 1))
    terms = [y**i * x**j for i in range(DEGREE + 1) for j in range(DEGREE + 1 - i)]
    return np.stack(terms, axis=-1)


def _warped(image: Image2D, displacement: Image2D, order: int) -> Image2D:
    height, width = image.shape
    grid = np.mgrid[:height, :width] - np.moveaxis(displacement, -1, 0)
    return np.asarray(map_coordinates(image, grid, order=order, mode="reflect"))


def measure(name: str, data: Path) -> dict[str, Any]:
    """Mean PSNR and SSIM over the held-out fields: bicubic, twin, SRGAN and default output."""
    model = load_model(name)
    pairs = [read_pair(data, field) for field in TEST]
    lr = SemStack.from_array(np.stack([p.lr for p in pairs]), name="tin, fast scan")
    within = stack_range(lr)
    measured = measure_conditions(lr, within)
    adapted = model.under(measured.conditions)
    networks = {
        "twin": adapted.network("twin"),
        "SRGAN": adapted.network("gan"),
        "default": adapted.blended(adapted.default_sharpness),
    }
    scores: dict[str, list[tuple[float, float]]] = {}
    for kind, network in networks.items():
        engine = Engine(network, device="cpu", precision="fp32")
        for pair in pairs:
            sr = engine.upscale_slice(pair.lr, within, pair.lr.dtype).image
            scores.setdefault(kind, []).append((psnr(sr, pair.hr), ssim(sr, pair.hr)))
    for pair in pairs:
        picture = upscale_bicubic(pair.lr, FACTOR)
        scores.setdefault("bicubic", []).append((psnr(picture, pair.hr), ssim(picture, pair.hr)))
    means = {kind: [float(v) for v in np.mean(rows, axis=0)] for kind, rows in scores.items()}
    return {
        "model": name,
        "fields": list(TEST),
        "conditions": measured.to_json(),
        "default_sharpness": adapted.default_sharpness,
        "psnr": {kind: values[0] for kind, values in means.items()},
        "ssim": {kind: values[1] for kind, values in means.items()},
    }


def main() -> None:
    """Measure one model and print the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("model")
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--out", type=Path)
    arguments = parser.parse_args()
    found = measure(arguments.model, arguments.data)
    if arguments.out is not None:
        arguments.out.write_text(json.dumps(found, indent=1))
    bicubic = found["psnr"]["bicubic"]
    for kind, value in found["psnr"].items():
        print(f"{kind:8} {value:.2f} dB ({value - bicubic:+.2f}), SSIM {found['ssim'][kind]:.3f}")
    print(found["conditions"], "default sharpness", found["default_sharpness"])


if __name__ == "__main__":
    main()
