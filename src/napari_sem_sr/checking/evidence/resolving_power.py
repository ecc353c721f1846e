"""Which sizes a model resolves: known features planted into HR, degraded, and looked for in SR; and erased ones.

Discs, pores and lines of known size are added to HR pictures that the model was not trained on. HR with and without them
is degraded and upscaled; what the features changed in SR is compared with what they changed in HR. A feature is
*recovered* where what SR shows of it lies nearer to what was planted than to nothing: at least half of the planted
squares are explained, 1 - sum((dSR - dHR)²) / sum(dHR²) >= 0.5, around the feature. A blur of the right strength in
the right place fails as soon as it is too wide.

The other way round, objects of HR itself are erased before it is degraded. One is *drawn back* where SR, at a place that
now holds ground, shows at least half of it again: the generator then draws what it has seen elsewhere.

Source: planted features as in any contrast-detail test (Rose 1948); definitions and erased features are ours.

What it can and cannot tell: the size at which the model carries single, isolated, sharp-edged features of the picture's own
contrast, for a microscope that averages over LR pixels, free of extra noise: a bound from above. Sizes are given in LR
pixels, as this is what the model sees; times the LR pixel of a stack they are nm.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from napari_sem_sr.inference.engine.engine import Engine
from napari_sem_sr.intensity import IntensityRange, range_of
from napari_sem_sr.measure.particles import Polarity, detect
from napari_sem_sr.metrics.resample import area_average
from napari_sem_sr.model.bicubic import upscale_bicubic
from napari_sem_sr.model.bundle import Which
from napari_sem_sr.model.generator import Generator
from napari_sem_sr.model.recovery import Recovery, ResolvingPower

Image = npt.NDArray[Any]
Float = npt.NDArray[np.float32]
Kind = Literal["disc", "pore", "line"]
Upscale = Callable[[Float], Float]

KINDS: tuple[Kind, ...] = ("disc", "pore", "line")
POLARITIES: tuple[Polarity, ...] = ("bright", "dark")
# Diameters, or widths of lines, in LR pixels.
SIZES = (0.5, 0.75, 1.0, 1.5, 2.0, 3.0, 4.0)
LINE_LENGTH = 8.0
# LR pixels between the middles of planted features: none changes what is seen of its neighbour.
SPACING = 20
AROUND = 8
# A field with room for a few dozen features; LR pixels.
FIELD = 128
ROUNDS = 2
# Contrast is that of the picture itself, between these percentiles, and no less than that share of its grey levels.
CONTRAST = (10.0, 90.0)
RECOVERED = 0.5
MOST_ERASED = 24


def resolving_power(
    networks: Mapping[Which, Generator],
    specimens: Sequence[Image],
    factor: int,
    device: str = "cpu",
) -> ResolvingPower | None:
    """Measure the resolving power of a model's networks.

    Parameters
    ----------
    networks
        "gan" and "twin".
    specimens
        HR pictures (y, x) of specimens that they were not trained on; fields without data are left out.
    factor
        Upscale factor.
    device
        Where the networks run.

    Returns
    -------
    None where no picture is large enough.
    """
    engines = {name: Engine(net, device=device, precision="fp32") for name, net in networks.items()}
    planted: list[Tried] = []
    erased: list[Tried] = []
    fields = [f for f in (_field(s, factor) for s in specimens) if f is not None]
    for number, hr in enumerate(fields):
        shown = range_of(area_average(hr, factor))
        upscalers: dict[str, Upscale] = {
            name: _through(engine, shown) for name, engine in engines.items()
        }
        upscalers["bicubic"] = lambda lr: upscale_bicubic(lr, factor)
        planted += plant(hr, factor, upscalers, np.random.default_rng(number))
        erased += erase(hr, factor, upscalers)
    if not fields:
        return None
    return ResolvingPower(
        planted=[_recovery(kind, [t for t in planted if t.kind == kind]) for kind in KINDS],
        n_erased=len(erased),
        drawn_back={
            name: float(np.mean([t.explained[name] >= RECOVERED for t in erased]))
            for name in (*networks, "bicubic")
        }
        if erased
        else None,
        specimens=len(fields),
    )


def _through(engine: Engine, shown: IntensityRange) -> Upscale:
    def upscale(lr: Float) -> Float:
        return np.asarray(engine.upscale_slice(lr, shown, lr.dtype).image, np.float32)

    return upscale


@dataclass(frozen=True)
class Tried:
    """One feature: its size in LR pixels, and by picture how much of it was explained, or is shown again.

    Parameters
    ----------
    kind
        ``"disc"``, ``"pore"``, ``"line"``, or ``"erased"``.
    size
        Diameter, or width of a line.
    explained
        0 to 1.
    """

    kind: str
    size: float
    explained: Mapping[str, float]


def _recovery(kind: Kind, tried: Sequence[Tried]) -> Recovery:
    cells = [[t for t in tried if t.size == size] for size in SIZES]
    names = tried[0].explained if tried else ("gan", "twin", "bicubic")
    rates = {
        name: [
            float(np.mean([t.explained[name] >= RECOVERED for t in cell])) if cell else None
            for cell in cells
        ]
        for name in names
    }
    return Recovery(kind=kind, size_lr_px=list(SIZES), n=[len(c) for c in cells], rate=rates)


def plant(
    hr: Float, factor: int, upscalers: Mapping[str, Upscale], rng: np.random.Generator
) -> list[Tried]:
    """Plant features into ``hr`` (y, x) and see how much of each the upscalers, (y, x) LR to SR, give back.

    Parameters
    ----------
    factor
        HR pixels per LR pixel.
    upscalers
        By picture.
    rng
        Draws places and features.
    """
    contrast = _contrast(hr)
    cells = [(kind, size) for kind in KINDS for size in SIZES]
    plain = _pictures(hr, factor, upscalers)
    tried = []
    for _ in range(ROUNDS):
        change = np.zeros(hr.shape, np.float32)
        what: list[tuple[Kind, float, tuple[slice, slice]]] = []
        order = rng.permutation(2 * len(cells)) % len(cells)
        for place, cell in zip(_places(hr.shape, factor, rng), order, strict=False):
            kind, size = cells[int(cell)]
            box, shape = _feature(kind, size, place, factor, rng)
            change[box] = (-contrast if kind == "pore" else contrast) * shape
            what.append((kind, size, box))
        changed = _pictures(hr + change, factor, upscalers)
        seen = {name: changed[name] - plain[name] for name in upscalers}
        tried += [
            Tried(kind, size, {name: _explained(d[box], change[box]) for name, d in seen.items()})
            for kind, size, box in what
        ]
    return tried


def erase(hr: Float, factor: int, upscalers: Mapping[str, Upscale]) -> list[Tried]:
    """Put out objects of ``hr`` (y, x), all at once, and see how much of each the upscalers show again.

    Parameters
    ----------
    factor
        HR pixels per LR pixel.
    upscalers
        By picture.
    """
    found = [detect(hr, None, polarity) for polarity in POLARITIES]
    objects = max(found, key=len)
    erased = hr.copy()
    boxes: list[tuple[slice, slice]] = []
    sizes: list[float] = []
    taken = np.zeros(hr.shape, bool)
    reach = AROUND * factor // 2
    for i in np.argsort(objects.diameters):
        size = float(objects.diameters[i]) / factor
        if not SIZES[0] <= size <= SIZES[-1] or len(boxes) == MOST_ERASED:
            continue
        y, x = (round(float(v)) for v in objects.centres[i])
        box = np.s_[y - reach : y + reach + 1, x - reach : x + reach + 1]
        if min(y, x) < reach or erased[box].shape != (2 * reach + 1,) * 2 or taken[box].any():
            continue
        yy, xx = np.indices(erased[box].shape) - reach
        radius = np.hypot(yy, xx)
        rim = float(objects.diameters[i]) / 2 + 2
        ring = (radius > rim) & (radius <= rim + 3) & (objects.labels[box] == 0)
        if not ring.any():
            continue
        inside = np.clip(rim + 0.5 - radius, 0, 1).astype(np.float32)
        ground = float(np.median(hr[box][ring]))
        erased[box] = hr[box] * (1 - inside) + ground * inside
        taken[box] = True
        boxes.append(box)
        sizes.append(size)
    if not boxes:
        return []
    tried = []
    pictures = _pictures(erased, factor, upscalers)
    for box, size in zip(boxes, sizes, strict=True):
        feature = hr[box] - erased[box]
        again = {
            name: float(((p[box] - erased[box]) * feature).sum() / max(1e-9, (feature**2).sum()))
            for name, p in pictures.items()
        }
        tried.append(Tried("erased", size, again))
    return tried


def _pictures(hr: Float, factor: int, upscalers: Mapping[str, Upscale]) -> dict[str, Float]:
    lr = area_average(hr, factor).astype(np.float32)
    return {name: upscale(lr) for name, upscale in upscalers.items()}


def _explained(seen: Float, planted: Float) -> float:
    return float(1 - ((seen - planted) ** 2).sum() / max(1e-9, float((planted**2).sum())))


def _contrast(hr: Float) -> float:
    low, high = np.percentile(hr, CONTRAST)
    return float(max(high - low, 0.05 * np.ptp(hr), 1e-3))


def _field(specimen: Image, factor: int) -> Float | None:
    """Middle of a picture in whole LR pixels; None where it is too small or has NaN."""
    side = [min(n // factor, FIELD) * factor for n in specimen.shape]
    top, left = ((n - s) // 2 for n, s in zip(specimen.shape, side, strict=True))
    field = specimen[top : top + side[0], left : left + side[1]].astype(np.float32)
    if min(side) < 2 * SPACING * factor or not np.isfinite(field).all() or np.ptp(field) == 0:
        return None
    return field


def _places(
    shape: tuple[int, ...], factor: int, rng: np.random.Generator
) -> Iterator[tuple[float, float]]:
    """Middles of features in SR pixels, a grid that begins anywhere in an LR pixel."""
    step, edge = SPACING * factor, (AROUND + 1) * factor
    for y in range(edge, shape[0] - edge, step):
        for x in range(edge, shape[1] - edge, step):
            dy, dx = rng.uniform(0, factor, 2)
            yield y + float(dy), x + float(dx)


def _feature(
    kind: Kind, size: float, place: tuple[float, float], factor: int, rng: np.random.Generator
) -> tuple[tuple[slice, slice], Float]:
    """Box around a feature, and how much of each pixel in it the feature covers."""
    reach = AROUND * factor
    top, left = (round(v) - reach for v in place)
    box = np.s_[top : top + 2 * reach, left : left + 2 * reach]
    yy, xx = np.mgrid[box].astype(np.float64) - np.array(place)[:, None, None]
    radius = size * factor / 2
    if kind == "line":
        angle = rng.uniform(0, np.pi)
        along, across = (
            np.abs(yy * np.sin(angle) + xx * np.cos(angle)),
            np.abs(yy * np.cos(angle) - xx * np.sin(angle)),
        )
        rim = np.minimum(LINE_LENGTH * factor / 2 - along, radius - across)
    else:
        rim = radius - np.hypot(yy, xx)
    return box, np.clip(rim + 0.5, 0, min(1.0, 2 * radius)).astype(np.float32)
