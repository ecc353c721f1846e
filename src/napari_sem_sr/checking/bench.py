"""How fast this machine checks, beside how fast it upscales the same slices.

Both take turns in one run and their medians count, so that a machine that is busy with other things is so for both. Seconds are
those of the clock, or, where asked for, of the processor: those hardly depend on what else runs.
"""

import time
from collections.abc import Callable, Generator
from contextlib import closing
from dataclasses import dataclass
from statistics import median
from typing import Any

import numpy as np
import torch

from napari_sem_sr.checking.evidence.consistency import lr_sigma
from napari_sem_sr.checking.field import align
from napari_sem_sr.checking.pipeline.slice_evaluator import SliceEvaluator
from napari_sem_sr.checking.view.setup import Setup
from napari_sem_sr.events import Event, Progress
from napari_sem_sr.inference.bench.bench import SIDES, UINT8
from napari_sem_sr.inference.bench.stack import specimen
from napari_sem_sr.inference.engine.engine import Engine
from napari_sem_sr.model.bundle import Model
from napari_sem_sr.stack import SemStack

# Slices of the stack that is looked at: as many as are sampled for what is usual.
SLICES = 4


@dataclass(frozen=True)
class CheckBenchSettings:
    """What is measured.

    Parameters
    ----------
    device
        As for `upscale`.
    sides
        Widths of the square slices in LR pixels; None for those that suit the device.
    rounds
        Times that upscaling and checking have their turn.
    cpu_time
        Count seconds of the processor, not of the clock.
    """

    device: str = "auto"
    sides: tuple[int, ...] | None = None
    rounds: int = 5
    cpu_time: bool = False


DEFAULTS = CheckBenchSettings()


def iter_bench_checking(
    model: Model, settings: CheckBenchSettings = DEFAULTS
) -> Generator[Event, None, dict[str, Any]]:
    """Measure; no slice is read from or written to disk.

    Parameters
    ----------
    model
        The model that made SR.
    settings
        What is measured.

    Returns
    -------
    By width of the slices seconds of upscaling one (``upscale``), of looking at one (``check``, of which ``twin`` is the
    twin's network and ``evidence`` the rest), their ratio, and of everything before the first slice (``fixed``).
    """
    clock = time.process_time if settings.cpu_time else time.perf_counter
    engine = Engine(model.network("gan"), device=settings.device)
    document: dict[str, Any] = {
        "seconds_of": "processor" if settings.cpu_time else "clock",
        "threads": torch.get_num_threads(),
        "precision": engine.precision,
        "slices": {},
    }
    for side in settings.sides or SIDES[engine.device.type]:
        document["slices"][str(side)] = yield from _iter_side(model, engine, settings, clock, side)
    return document


def _iter_side(
    model: Model,
    engine: Engine,
    settings: CheckBenchSettings,
    clock: Callable[[], float],
    side: int,
) -> Generator[Event, None, dict[str, float]]:
    planes = np.stack([specimen(side, seed) for seed in range(SLICES)])
    fine = np.stack([engine.upscale_slice(p, UINT8, p.dtype).image for p in planes])
    # so close that every slice is compared with its neighbours
    lr = SemStack.from_array(planes, "LR", voxel_nm=(5.0, 10.0, 10.0))
    sr = lr.upscaled(SemStack.from_array(fine, "SR").data, engine.factor)
    setup = Setup(
        field=align(lr, sr),
        model=model,
        intensity=UINT8,
        data_range=255.0,
        sigma=lr_sigma(lr, engine.factor),
        sharpness=1.0,
        device=settings.device,
    )
    what = f"{side} × {side} px: checking"
    index = SLICES // 2
    with closing(setup.shelf):
        yield Progress(what, 0, settings.rounds, "rounds")
        begun = clock()
        evaluator = SliceEvaluator.prepare(setup)
        before = clock() - begun
        begun = clock()
        for number in range(SLICES):
            evaluator.look(setup, number)
        first = clock() - begun
        # the slices of the sample carry the eight views, which others do not
        plain = SliceEvaluator([e for e in evaluator.evidence if e.name != "stability"])
        setup.want(index)
        contestants: dict[str, Callable[[], Any]] = {
            "upscale": lambda: engine.upscale_slice(planes[index], UINT8, planes.dtype),
            "check": lambda: plain.look(setup, index),
            "twin": lambda: setup.twin(index),
        }
        times: dict[str, list[float]] = {name: [] for name in contestants}
        for turn in range(settings.rounds):
            yield Progress(what, turn, settings.rounds, "rounds")
            for name, work in contestants.items():
                begun = clock()
                work()
                times[name].append(clock() - begun)
    found = {name: round(median(taken), 4) for name, taken in times.items()}
    return {
        **found,
        "evidence": round(found["check"] - found["twin"], 4),
        "ratio": round(found["check"] / found["upscale"], 3),
        "fixed": round(before + max(0.0, first - SLICES * found["check"]), 2),
    }
