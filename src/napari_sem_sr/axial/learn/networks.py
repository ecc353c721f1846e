"""The two networks of a volume: one for the test on left-out slices, then the one that makes the volume.

The test's network learns from the kept slices only. The volume's network starts from it and then learns from all
slices, so that nothing of the test is lost and nothing of what was left out reaches it before it was judged.
"""

import time
from collections.abc import Generator
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from napari_sem_sr.axial.bundle import AxialCard, AxialModel, Which
from napari_sem_sr.axial.fill.tile import TILE
from napari_sem_sr.axial.grid import phases_for
from napari_sem_sr.axial.learn.learner import AxialLearner
from napari_sem_sr.axial.learn.session import LearningTime, Lesson, iter_learn
from napari_sem_sr.axial.left_out.comparison import kept_slices
from napari_sem_sr.axial.network import AxialGenerator
from napari_sem_sr.axial.patch_sampler import PatchSampler
from napari_sem_sr.axial.plan import IsotropicPlan
from napari_sem_sr.errors import InputError
from napari_sem_sr.events import Event, Notice
from napari_sem_sr.inference.background import in_background

Float = npt.NDArray[np.float32]

# Planes to learn from: enough to know a material, and they fit into memory.
PLANES, SIDE = 64, 768
# Part of the learning that goes to the test's network; the other one starts from it.
TEST_SHARE = 0.4
# Fewer kept slices do not make a test.
FEWEST_KEPT = 3


def iter_teach(plan: IsotropicPlan, which: Which, lesson: Lesson) -> Generator[Event, None, bool]:
    """Learn one of the networks within its budget; False where there is nothing to learn it from.

    Parameters
    ----------
    plan
        What is to be done.
    which
        The volume's network, or that of the test.
    lesson
        Where learning stands.
    """
    if which in lesson.done:
        return True
    every = plan.settings.leave_out if which == "test" else 1
    slices = kept_slices(plan.stack.shape[0], every)
    ratio = plan.grid.ratio * every
    if which == "test" and len(slices) < FEWEST_KEPT:
        yield Notice(
            f"{plan.stack.shape[0]} slices are too few to leave any out, so that the volume is not tested."
        )
        return False
    planes = yield from in_background(lambda: _planes(plan, slices), "reading slices to learn from")
    try:
        # the same places for the test as for the volume, so that left-out slices are among them
        phases = phases_for(plan.grid.ratio) * every
        sampler = PatchSampler.of(planes, ratio, phases, plan.settings.section)
    except InputError as error:
        if which == "volume":
            raise
        yield Notice(f"The volume is not tested on left-out slices: {error}")
        return False
    learner = AxialLearner(
        sampler, plan.settings.recipe, plan.settings.seed, torch.device(plan.settings.device)
    )
    if "test" in lesson.done and which == "volume":
        learner.begin_from(lesson.done["test"])
    budget = yield from in_background(lambda: _budget(plan, which, lesson), "planning the time")
    yield from iter_learn(lesson, which, learner, budget)
    return True


def _planes(plan: IsotropicPlan, slices: list[int]) -> list[Float]:
    """Lateral planes on the network's scale, parts of slices that are too wide."""
    random = np.random.default_rng(plan.settings.seed)
    chosen = np.unique(np.linspace(0, len(slices) - 1, PLANES).round().astype(int))
    planes = []
    for number in chosen:
        image = plan.stack.slice(slices[number])
        corner = [int(random.integers(max(0, n - SIDE) + 1)) for n in image.shape]
        cut = image[corner[0] : corner[0] + SIDE, corner[1] : corner[1] + SIDE]
        planes.append(plan.intensity.normalise(cut))
    return planes


def _budget(plan: IsotropicPlan, which: Which, lesson: Lesson) -> LearningTime:
    """How long a network may learn, and what is still to come after it."""
    settings = plan.settings
    apply_s = applying_s(plan)
    test_s = apply_s / settings.leave_out if settings.leave_out else 0.0
    whole = settings.minutes * 60
    learning = whole - min(whole / 2, apply_s + test_s)
    share = TEST_SHARE if settings.leave_out else 0.0
    if which == "test":
        return LearningTime(
            settings.steps, learning * share, learning * (1 - share) + test_s + apply_s
        )
    share = share if "test" in lesson.done else 0.0
    return LearningTime(settings.steps, learning * (1 - share), apply_s)


def applying_s(plan: IsotropicPlan) -> float:
    """About how many seconds the volume takes, from how long a piece of a plane does.

    Parameters
    ----------
    plan
        What is to be done.
    """
    recipe = plan.settings.recipe
    device = torch.device(plan.settings.device)
    network = AxialGenerator(plan.grid.phases, recipe.channels, recipe.blocks).to(device).eval()
    n, y, x = plan.stack.shape
    piece = torch.zeros(4, 1, min(n, 32), min(x, TILE), device=device)
    piece = piece.contiguous(memory_format=torch.channels_last)
    taken = []
    with torch.inference_mode():
        for _ in range(2):  # the first one lays out buffers
            begun = time.perf_counter()
            network(piece).cpu()
            taken.append(time.perf_counter() - begun)
    halo = 1 + 2 * network.reach_pixels / min(TILE, x)
    return taken[-1] / piece.numel() * 2 * n * y * x * halo


def model_of(plan: IsotropicPlan, lesson: Lesson, **card: Any) -> AxialModel:
    """Return what was learned as a model; ``card`` completes its card.

    Parameters
    ----------
    plan
        What was to be done.
    lesson
        What was learned.
    """
    recipe = plan.settings.recipe
    return AxialModel(
        AxialCard(
            ratio=plan.grid.ratio,
            section=plan.settings.section,
            channels=recipe.channels,
            blocks=recipe.blocks,
            leave_out=plan.settings.leave_out if "test" in lesson.done else 0,
            steps=lesson.steps,
            seed=plan.settings.seed,
            source_name=plan.stack.name,
            source_hash=plan.recorded["source_hash"],
            software_version=plan.recorded["software_version"],
            **card,
        ),
        dict(lesson.done),
    )
