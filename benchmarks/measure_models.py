"""Score a model on whole images of specimens it never saw: PSNR, SSIM and spectrum beside bicubic.

    python benchmarks/measure_models.py sem-x4 --data ../shared/data --out docs/measurements/sem-x4.json

LR is made by the degradation on the model's card and rounded to the dtype of the image. "Power" is that of SR over that of HR in
dB, in four equal bands between the LR and the HR Nyquist frequency; "ring" the correlation with HR
there. The control is bicubic plus noise whose power matches HR in each annulus: it must fail. Beside the networks
stand interpolations and two classical sharpeners: unsharp masking of the bicubic picture, and deconvolution of it
(Richardson 1972, Lucy 1974) by the square that an LR pixel averages over.
"""

import argparse
import json
from collections import defaultdict
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from PIL import Image
from scipy.ndimage import zoom
from skimage.filters import unsharp_mask
from skimage.restoration import richardson_lucy
from train_zoo import TEST, split_of

from napari_sem_sr.intensity import to_dtype
from napari_sem_sr.metrics.spectral_bands import band_masks, power_and_agreement
from napari_sem_sr.model.bicubic import upscale_bicubic
from napari_sem_sr.model.zoo import load_model
from napari_sem_sr.training.validation.evaluation import Pair, pair_of, upscale_pair

BORDER_PX = 32


def control(pair: Pair, bicubic: npt.NDArray[Any], factor: int) -> npt.NDArray[Any]:
    """Bicubic plus Gaussian noise that fills up each annulus to the power of HR."""
    noise = np.fft.fft2(np.random.default_rng(0).standard_normal(pair.hr.shape))
    missing = np.zeros_like(noise)
    a, b = (np.fft.fft2(i.astype(np.float64)) for i in (bicubic, pair.hr))
    for mask in band_masks(pair.hr.shape, factor):
        lack = max(0.0, float((np.abs(b[mask]) ** 2).sum() - (np.abs(a[mask]) ** 2).sum()))
        missing[mask] = noise[mask] * np.sqrt(lack / (np.abs(noise[mask]) ** 2).sum())
    picture = bicubic + np.fft.ifft2(missing).real
    return to_dtype(picture.astype(np.float32), pair.hr.dtype)[0]


def classical(lr: npt.NDArray[Any], factor: int) -> dict[str, npt.NDArray[Any]]:
    """Pictures of ``lr`` by methods that learn nothing."""
    high = float(np.iinfo(lr.dtype).max)
    size = (lr.shape[1] * factor, lr.shape[0] * factor)
    grey = Image.fromarray(lr.astype(np.float32))
    bicubic = upscale_bicubic(lr, factor).astype(np.float64) / high
    # an even width about the middle of a pixel: half of each end pixel
    box = np.r_[0.5, np.ones(factor - 1), 0.5] / factor
    pictures = {
        "nearest": np.asarray(grey.resize(size, Image.Resampling.NEAREST)) / high,
        "lanczos": np.asarray(grey.resize(size, Image.Resampling.LANCZOS)) / high,
        "spline": zoom(lr.astype(np.float64), factor, order=3, mode="grid-mirror", grid_mode=True)
        / high,
        "unsharp": unsharp_mask(bicubic, radius=factor / 2, amount=1),
        # mirrored at the border, which the library takes to be dark
        "deconvolved": richardson_lucy(
            np.pad(np.maximum(bicubic, 1e-6), BORDER_PX, mode="reflect"),
            np.outer(box, box),
            num_iter=5,
        )[BORDER_PX:-BORDER_PX, BORDER_PX:-BORDER_PX],
    }
    return {k: to_dtype((v * high).astype(np.float32), lr.dtype)[0] for k, v in pictures.items()}


def measure(pair: Pair, networks: dict[str, Any], factor: int) -> dict[str, Any]:
    """Everything about one held-out image."""
    pictures = {k: upscale_pair(pair, n, torch.device("cpu")) for k, n in networks.items()}
    pictures["bicubic"] = upscale_bicubic(pair.lr, factor)
    pictures |= classical(pair.lr, factor)
    pictures["control"] = control(pair, pictures["bicubic"], factor)
    row: dict[str, Any] = {"name": pair.name, "group": pair.group}
    for kind, picture in pictures.items():
        psnr, ssim = pair.score(picture)
        power, ring = power_and_agreement(picture, pair.hr, factor)
        row[kind] = {"psnr": psnr, "ssim": ssim, "power_db": power, "ring": ring}
    return row


def table(rows: list[dict[str, Any]]) -> str:
    """Markdown table of the rows, and means by material over images."""
    lines = [
        "| held-out image | bicubic | twin | SRGAN | SSIM bicubic / twin / SRGAN |",
        "| --- | --- | --- | --- | --- |",
    ]
    gains: dict[str, list[tuple[float, float]]] = defaultdict(list)
    for row in rows:
        b, t, g = (row[k] for k in ("bicubic", "twin", "gan"))
        gains[row["group"].split("/")[0]].append((t["psnr"] - b["psnr"], g["psnr"] - b["psnr"]))
        lines.append(
            f"| {row['group']}: {row['name']} | {b['psnr']:.2f} dB | {t['psnr'] - b['psnr']:+.2f} | "
            f"{g['psnr'] - b['psnr']:+.2f} | {b['ssim']:.3f} / {t['ssim']:.3f} / {g['ssim']:.3f} |"
        )
    for material, found in gains.items():
        twin, gan = np.mean(found, axis=0)
        lines.append(
            f"| **{material}, mean of {len(found)}** | | **{twin:+.2f}** | **{gan:+.2f}** | |"
        )
    return "\n".join(lines)


def material_table(rows: list[dict[str, Any]]) -> str:
    """Markdown table of the mean gain over bicubic by material and method, in dB."""
    kinds = ("nearest", "lanczos", "spline", "unsharp", "deconvolved", "twin", "gan")
    lines = [f"| material | {' | '.join(kinds)} |", "| --- |" + " --- |" * len(kinds)]
    for material in sorted({row["group"].split("/")[0] for row in rows}):
        found = [r for r in rows if r["group"].startswith(f"{material}/")]
        gains = [np.mean([r[k]["psnr"] - r["bicubic"]["psnr"] for r in found]) for k in kinds]
        lines.append(f"| {material} | " + " | ".join(f"{g:+.2f}" for g in gains) + " |")
    return "\n".join(lines)


def main() -> None:
    """Measure one model and write the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("model")
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    arguments = parser.parse_args()
    model = load_model(arguments.model)
    networks = {"twin": model.network("twin"), "gan": model.network("gan")}
    split = split_of(model.card.name, arguments.data)
    assert all(t.group in TEST for t in split.test)
    factor, degradation = model.card.factor, model.card.degradation
    rows = [measure(pair_of(t, factor, degradation), networks, factor) for t in split.test]
    arguments.out.parent.mkdir(parents=True, exist_ok=True)
    arguments.out.write_text(json.dumps({"model": model.card.name, "images": rows}, indent=1))
    print(table(rows))
    print(material_table(rows))
    for kind in ("bicubic", "twin", "gan", "control"):
        for quantity in ("power_db", "ring"):
            print(kind, quantity, np.round(np.mean([r[kind][quantity] for r in rows], 0), 2))


if __name__ == "__main__":
    main()
