"""Score a model under noise and blur on specimens it never saw, beside bicubic and non-local means.

    python benchmarks/noise_table.py sem-x4 --data ../shared/data --out docs/measurements/noise-sem-x4.json

LR is made of held-out teachers by blur, averaging, noise and rounding. "Twin" and "default" are told conditions measured in
LR alone, "twin, told" the true ones; non-local means (Buades et al. 2005) knows the true noise and comes before bicubic, or
before a network that is told of no noise. Gains in dB of PSNR over bicubic, of the middle 512 px of up to two images of a
material. The figures of conditions as measured and as they were are kept too (docs/plot_conditions.py draws them).
"""

import argparse
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from held_out import few, recorded
from skimage.restoration import denoise_nl_means
from train_zoo import split_of

from napari_sem_sr.degradation.conditions import CLEAN, Conditions
from napari_sem_sr.degradation.degrade import clean_range, degrade
from napari_sem_sr.degradation.measure_conditions import measure_conditions
from napari_sem_sr.intensity import IntensityRange, range_of, to_dtype
from napari_sem_sr.metrics.psnr_ssim import psnr, ssim
from napari_sem_sr.model.bicubic import upscale_bicubic
from napari_sem_sr.model.bundle import Model
from napari_sem_sr.model.zoo import load_model
from napari_sem_sr.stack import SemStack
from napari_sem_sr.teachers.teacher import Teacher

SIDE_PX = 512
MOST = 2
# Noise in grey levels of 255, its correlation along the line, blur in LR pixels.
CELLS = (
    (0, 0.0, 0.0),
    (2, 0.0, 0.0),
    (5, 0.0, 0.0),
    (10, 0.0, 0.0),
    (20, 0.0, 0.0),
    (5, 0.45, 0.0),
    (10, 0.45, 0.0),
    (20, 0.45, 0.0),
    (0, 0.0, 0.3),
    (0, 0.0, 0.6),
    (5, 0.0, 0.3),
)
Picture = npt.NDArray[Any]


def chosen(model: str, data: Path) -> list[Teacher]:
    """Middles of up to ``MOST`` test teachers of each material, of different specimens first."""
    kept = []
    for teacher in few(split_of(model, data).test, MOST, SIDE_PX):
        y, x = (n // 8 * 8 for n in teacher.image.shape)
        kept.append(replace(teacher, image=teacher.image[:y, :x]))
    return kept


def lr_of(teacher: Teacher, factor: int, cell: tuple[float, float, float]) -> Picture:
    """LR of a teacher under the noise and blur of ``cell``, in its dtype."""
    sd, correlation, blur = cell
    within = clean_range(teacher.image, factor)
    part = sd / (within.high - within.low)
    lr, _ = degrade(teacher.image, factor, recorded(part, correlation, blur), seed=teacher.seed)
    return to_dtype(lr.astype(np.float32), teacher.image.dtype)[0]


def run(model: Model, sharpness: float, lr: Picture, within: IntensityRange) -> Picture:
    """SR of ``lr`` in its dtype."""
    network = model.blended(sharpness)
    with torch.inference_mode():
        sr = network(torch.from_numpy(within.normalise(lr))[None, None])[0, 0].numpy()
    return to_dtype(within.restore(sr).astype(np.float32), lr.dtype)[0]


def denoised(lr: Picture, sd: float) -> Picture:
    """Non-local means that knows the noise, in the dtype of LR."""
    if sd == 0:
        return lr
    clean = denoise_nl_means(
        lr.astype(np.float64), patch_size=5, patch_distance=6, h=0.8 * sd, sigma=sd
    )
    return to_dtype(clean.astype(np.float32), lr.dtype)[0]


def score(model: Model, teacher: Teacher, cell: tuple[float, float, float]) -> dict[str, Any]:
    """Everything about one image under one cell."""
    factor = model.card.factor
    sd, correlation, blur = cell
    lr = lr_of(teacher, factor, cell)
    within = range_of(lr)
    width = within.high - within.low
    true = Conditions(sd / width, sd / width, correlation if sd else 0.0, blur)
    found = measure_conditions(SemStack.from_array(lr, teacher.name), within).conditions
    plain, told, measured = model.under(CLEAN), model.under(true), model.under(found)
    quiet = denoised(lr, sd)
    pictures = {
        "bicubic": upscale_bicubic(lr, factor),
        "non-local means": upscale_bicubic(quiet, factor),
        "non-local means, twin told of none": run(plain, 0.0, quiet, within),
        "twin, told": run(told, 0.0, lr, within),
        "twin": run(measured, 0.0, lr, within),
        "default": run(measured, measured.default_sharpness, lr, within),
        "SRGAN": run(measured, 1.0, lr, within),
    }
    return {
        "name": teacher.name,
        "group": teacher.group,
        "cell": list(cell),
        "psnr": {kind: psnr(p, teacher.image) for kind, p in pictures.items()},
        "ssim": {kind: ssim(p, teacher.image) for kind, p in pictures.items()},
        "default_sharpness": measured.default_sharpness,
        "measured": {"noise_grey": found.noise_grey(within), **found.to_json()},
    }


def table(rows: list[dict[str, Any]]) -> str:
    """Markdown: mean gain over bicubic by material and cell, and the least of any image."""
    kinds = [k for k in rows[0]["psnr"] if k != "bicubic"]
    lines = [
        f"| material | noise, correlation, blur | bicubic | {' | '.join(kinds)} | least default |",
        "| --- |" + " --- |" * (len(kinds) + 3),
    ]
    for material in dict.fromkeys(r["group"].split("/")[0] for r in rows):
        for cell in CELLS:
            found = [r for r in rows if r["group"].startswith(material) and r["cell"] == list(cell)]
            base = [r["psnr"]["bicubic"] for r in found]
            gains = {k: [r["psnr"][k] - r["psnr"]["bicubic"] for r in found] for k in kinds}
            means = " | ".join(f"{np.mean(g):+.2f}" for g in gains.values())
            lines.append(
                f"| {material} | {cell[0]}, {cell[1]:g}, {cell[2]:g} | {np.mean(base):.2f} | {means} | "
                f"{min(gains['default']):+.2f} |"
            )
    return "\n".join(lines)


def main() -> None:
    """Measure one model and keep the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("model")
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    arguments = parser.parse_args()
    model = load_model(arguments.model)
    rows = []
    for teacher in chosen(model.card.name, arguments.data):
        rows += [score(model, teacher, cell) for cell in CELLS]
        print(teacher.group, flush=True)
    arguments.out.write_text(json.dumps({"model": model.card.name, "images": rows}, indent=1))
    print(table(rows))


if __name__ == "__main__":
    main()
