"""Draw LR, bicubic, non-local means, twin, SRGAN and HR of each material at four noises.

PYTHONPATH=benchmarks python docs/make_noise_pictures.py sem-x4 --data ../shared/data --out docs/images
"""

import argparse
from pathlib import Path

import matplotlib as mpl

mpl.use("Agg")
import matplotlib.pyplot as plt
import numpy as np
from noise_table import chosen, denoised, lr_of, run

from napari_sem_sr.degradation.measure_conditions import measure_conditions
from napari_sem_sr.intensity import range_of
from napari_sem_sr.metrics.psnr_ssim import psnr
from napari_sem_sr.model.bicubic import upscale_bicubic
from napari_sem_sr.model.zoo import load_model
from napari_sem_sr.stack import SemStack

NOISES = (0, 5, 10, 20)
SHOWN_PX = 160


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("model")
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    arguments = parser.parse_args()
    model = load_model(arguments.model)
    factor = model.card.factor
    first = {}
    for teacher in chosen(model.card.name, arguments.data):
        first.setdefault(teacher.group.split("/")[0], teacher)
    for material, teacher in first.items():
        hr = teacher.image
        top, left = ((n - SHOWN_PX) // 2 for n in hr.shape)
        window = np.s_[top : top + SHOWN_PX, left : left + SHOWN_PX]
        figure, axes = plt.subplots(
            len(NOISES), 6, figsize=(12, 2.1 * len(NOISES)), layout="constrained"
        )
        for row, sd in zip(axes, NOISES, strict=True):
            lr = lr_of(teacher, factor, (sd, 0.0, 0.0))
            within = range_of(lr)
            found = measure_conditions(SemStack.from_array(lr, teacher.name), within).conditions
            adapted = model.under(found)
            pictures = {
                "LR": lr.repeat(factor, 0).repeat(factor, 1),
                "bicubic": upscale_bicubic(lr, factor),
                "non-local means": upscale_bicubic(denoised(lr, sd), factor),
                "twin": run(adapted, 0.0, lr, within),
                "SRGAN": run(adapted, 1.0, lr, within),
                "HR": hr,
            }
            for axis, (kind, picture) in zip(row, pictures.items(), strict=True):
                axis.imshow(picture[window], cmap="gray", vmin=within.low, vmax=within.high)
                axis.set_xticks([])
                axis.set_yticks([])
                said = "" if kind in ("LR", "HR") else f", {psnr(picture, hr):.1f} dB"
                axis.set_title(f"{kind}{said}", fontsize=8)
            row[0].set_ylabel(f"noise {sd}", fontsize=9)
        figure.suptitle(f"{material}: {teacher.name}", fontsize=10)
        figure.savefig(arguments.out / f"noise-{material}.png", dpi=80)
        plt.close(figure)


if __name__ == "__main__":
    main()
