"""What the measurements of the answer checks share: images nobody trained on, and how results are kept."""

import json
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from scipy.stats import binomtest, rankdata

from napari_sem_sr.checking.evidence.consistency import ROUNDING, lr_sigma
from napari_sem_sr.intensity import IntensityRange, range_of
from napari_sem_sr.io import read_stack
from napari_sem_sr.metrics.resample import area_average
from napari_sem_sr.model.bundle import Model
from napari_sem_sr.samples.specimens import simulate
from napari_sem_sr.stack import SemStack
from napari_sem_sr.teachers.teacher import group_name
from napari_sem_sr.training.validation.evaluation import Pair, upscale_pair

# What trains the models lies one folder up.
sys.path.append(str(Path(__file__).parents[1]))

FIELD_PX = 512
CPU = torch.device("cpu")
MATERIALS = ("coating", "superalloy", "powder", "microspherules", "medulla")
Image = npt.NDArray[Any]


@dataclass(frozen=True, eq=False)
class Picture:
    """One HR field, the LR made of it, and what a model makes of that."""

    name: str
    specimen: str
    hr: Image
    lr: Image
    gan: Image
    twin: Image
    intensity: IntensityRange
    sigma: float

    @property
    def unit(self) -> float:
        """Grey levels in a 255th of the intensity range."""
        return (self.intensity.high - self.intensity.low) / 255

    @property
    def least(self) -> float:
        """Scatter of the residual by rounding, in that unit."""
        return ROUNDING**0.5 / 4 / self.unit


def fields(data: Path, material: str, size: int = FIELD_PX) -> Iterator[tuple[str, str, Image]]:
    """(specimen, name, HR) of every real image of a material, cut to its middle."""
    if material == "medulla":
        for number in (1, 2):
            path = data / "medulla_fibsem" / f"training_sample{number}_250x250x250.tif"
            stack = read_stack(path)
            for z in (20, 120, 220):
                yield f"volume {number}", f"volume {number} slice {z}", middle(stack.slice(z), size)
        return
    for path in sorted([*(data / material).glob("*.png"), *(data / material).glob("*.tif")]):
        yield group_name(path.stem), path.stem, middle(read_stack(path).slice(0), size)


def held_out(model: Model, data: Path) -> Iterator[tuple[str, str, Image]]:
    """Real images of specimens that the model was not trained on."""
    groups = {*model.card.teachers.groups.calibration, *model.card.teachers.groups.test}
    for material in MATERIALS:
        for specimen, name, hr in fields(data, material):
            if f"{material}/{specimen}" in groups:
                yield f"{material}/{specimen}", name, hr


def simulated(kind: Any, count: int, size: int) -> Iterator[tuple[str, str, Image]]:
    """The same of simulated specimens, independent of each other."""
    for number in range(count):
        found = simulate(kind, number, 0, (size, size))
        yield found.specimen, found.name, found.image


def middle(image: Image, size: int) -> Image:
    y, x = (min(size, n - n % 4) for n in image.shape)
    top, left = (image.shape[0] - y) // 2, (image.shape[1] - x) // 2
    return image[top : top + y, left : left + x]


def grey_level(image: Image) -> float:
    """One of 256 grey levels of its dtype."""
    return float(np.iinfo(image.dtype).max) / 255


def to_dtype(grey: Image, like: Image) -> Image:
    limits = np.iinfo(like.dtype)
    return np.rint(grey).clip(limits.min, limits.max).astype(like.dtype)


def picture(
    model: Model, specimen: str, name: str, hr: Image, noise: float = 0.0, seed: int = 0
) -> Picture:
    """LR of ``hr`` by averaging, with ``noise`` (of 256 grey levels) if asked for, and both networks' answer."""
    rng = np.random.default_rng(seed)
    plain = area_average(hr, 4)
    lr = to_dtype(plain + rng.normal(0, noise * grey_level(hr), plain.shape), hr)
    return seen(model, specimen, name, hr, lr)


def seen(model: Model, specimen: str, name: str, hr: Image, lr: Image) -> Picture:
    intensity = range_of(lr)
    pair = Pair(lr, hr, intensity, name, specimen)
    gan, twin = (upscale_pair(pair, model.network(w), CPU) for w in ("gan", "twin"))
    sigma = lr_sigma(SemStack.from_array(lr, name), 4)
    return Picture(name, specimen, hr, lr, gan, twin, intensity, sigma)


def interval(count: int, total: int) -> list[float]:
    """Clopper-Pearson, 95 %."""
    if total == 0:
        return [0.0, 1.0]
    found = binomtest(count, total).proportion_ci(0.95, method="exact")
    return [round(float(found.low), 3), round(float(found.high), 3)]


def auroc(score: Image, positive: Image) -> float | None:
    """Area under the ROC curve; None where there is only one class."""
    s, p = score.ravel(), positive.ravel().astype(bool)
    n, m = int(p.sum()), int((~p).sum())
    if n == 0 or m == 0:
        return None
    return float((rankdata(s)[p].sum() - n * (n + 1) / 2) / (n * m))


def row(what: str, target: str, measured: str, n: str) -> dict[str, str]:
    """One row of the table."""
    return {"what": what, "target": target, "measured": measured, "n": n}


def keep(folder: Path, part: str, rows: list[dict[str, str]], details: Any) -> None:
    """Write one part's figures."""
    folder.mkdir(parents=True, exist_ok=True)
    text = json.dumps({"rows": rows, "details": details}, indent=1, default=float)
    (folder / f"{part}.json").write_text(text + "\n")
