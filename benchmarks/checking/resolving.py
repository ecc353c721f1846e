"""Which sizes x4 and x8 resolve, as measured at the end of each model's training and kept on its card.

Discs, pores and lines planted into HR of specimens that the model never saw, degraded and upscaled again, and objects
erased from HR: `checking.evidence.resolving_power` does it, and `benchmarks/recalibrate.py` does it again.
"""

from pathlib import Path

from common import keep, row

from napari_sem_sr.model.bundle import Model
from napari_sem_sr.model.zoo import load_model

COARSER = "sem-x8"
PICTURES = {"bicubic": "bicubic", "twin": "twin", "gan": "SRGAN"}
RATE = 0.9


def run(model: Model, data: Path, out: Path, quick: bool) -> None:
    rows, details = [], {}
    for one in (model, load_model(COARSER)):
        found, factor = one.card.resolving_power, one.card.factor
        details[one.card.name] = found.model_dump()
        for recovery in found.planted:
            sizes = {shown: recovery.smallest(picture, RATE) for picture, shown in PICTURES.items()}
            said = ", ".join(
                f"{shown} {'–' if size is None else f'{size:g} ({factor * size:g})'}"
                for shown, size in sizes.items()
            )
            rows.append(
                row(
                    f"{one.card.name}: smallest {recovery.kind} recovered in {RATE:.0%} of trials, LR pixels (HR pixels)",
                    "",
                    said,
                    f"{sum(recovery.n)} planted, {found.specimens} images",
                )
            )
        if found.drawn_back is not None:
            drawn = ", ".join(
                f"{shown} {100 * found.drawn_back[picture]:.0f} %"
                for picture, shown in PICTURES.items()
            )
            rows.append(
                row(f"{one.card.name}: erased objects drawn back", "", drawn, f"{found.n_erased}")
            )
    keep(out, "resolving", rows, details)
