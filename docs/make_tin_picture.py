"""Draw the sample of tin: LR, bicubic, twin, default output and HR.

python docs/make_tin_picture.py docs/images/tin.png
"""

import sys

import matplotlib as mpl

mpl.use("Agg")
import matplotlib.pyplot as plt

from napari_sem_sr import load_model
from napari_sem_sr.metrics.psnr_ssim import psnr, ssim
from napari_sem_sr.model.bicubic import upscale_bicubic
from napari_sem_sr.samples import tin_pair

ROWS, COLUMNS = slice(110, 310), slice(60, 260)
UM_PX = 5.828125e-3


def main() -> None:
    lr, hr = tin_pair()
    model = load_model("sem-x4")
    image, truth = lr.slice(0), hr.slice(0)
    pictures = {
        "LR: fast scan, 23 nm": image.repeat(4, 0).repeat(4, 1),
        "bicubic": upscale_bicubic(image, 4),
        "twin": model.upscale(image, sharpness=0),
        "default output": model.upscale(image),
        "HR: slow scan, 5.8 nm": truth,
    }
    figure, axes = plt.subplots(1, 5, figsize=(15, 3.5), layout="constrained")
    for axis, (name, picture) in zip(axes, pictures.items(), strict=True):
        axis.imshow(picture[ROWS, COLUMNS], cmap="gray", vmin=0, vmax=255, interpolation="nearest")
        axis.set_xticks([])
        axis.set_yticks([])
        said = ""
        if not name.startswith(("LR", "HR")):
            said = f"\n{psnr(picture, truth):.1f} dB, SSIM {ssim(picture, truth):.2f}"
        axis.set_title(f"{name}{said}", fontsize=11)
    bar = 0.25 / UM_PX
    axes[0].plot([10, 10 + bar], [190, 190], color="white", lw=4)
    axes[0].text(10 + bar / 2, 184, "250 nm", color="white", ha="center", va="bottom", fontsize=10)
    figure.savefig(sys.argv[1], dpi=80)


if __name__ == "__main__":
    main()
