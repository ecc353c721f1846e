"""A block of slices looked at by one worker of a cluster: everything here runs over there."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import dask
import numpy.typing as npt
import torch

from napari_sem_sr.checking.field import Field
from napari_sem_sr.checking.pipeline.kinds import MAPS_FOLDER
from napari_sem_sr.checking.pipeline.session import MapWriters
from napari_sem_sr.checking.pipeline.slice_evaluator import SliceEvaluator
from napari_sem_sr.checking.view.setup import Role, Setup
from napari_sem_sr.degradation.conditions import Conditions
from napari_sem_sr.errors import OutputError
from napari_sem_sr.inference.block import (
    ONE_AT_A_TIME,
    ModelPlace,
    holds_claim,
    model_at,
    threads,
)
from napari_sem_sr.inference.pipeline import Stopwatch
from napari_sem_sr.intensity import IntensityRange
from napari_sem_sr.model.bundle import Model


@dataclass(frozen=True, eq=False)
class CheckJob:
    """What all blocks of a check have in common; small, as it travels with each.

    Parameters
    ----------
    run
        Name of the run that may write at this time; see `napari_sem_sr.inference.block.claim`.
    out
        Folder of the report.
    field
        Where stacks lie; without their pixels.
    model, conditions
        The model that made SR, and for which conditions; None where it is not at hand.
    intensity, data_range, sharpness, sigma
        As of `Setup`.
    device, precision, tile
        Of the networks.
    evaluator
        What looks at slices.
    """

    run: str
    out: Path
    field: Field
    model: ModelPlace | None
    conditions: Conditions
    intensity: IntensityRange
    data_range: float
    sharpness: float | None
    sigma: float
    device: str
    precision: str
    tile: int | None
    evaluator: SliceEvaluator


@dataclass(frozen=True, eq=False)
class Part:
    """Slices of one stack, from ``first`` (in the field) on.

    Parameters
    ----------
    data
        Pixels of the slices.
    """

    first: int
    data: Any


@dataclass(frozen=True, eq=False)
class Looked:
    """Records by slice of the field, and seconds by stage.

    Parameters
    ----------
    records
        Plain values by kind of evidence.
    seconds
        By stage.
    """

    records: Mapping[int, Mapping[str, Any]]
    seconds: Mapping[str, float]


def look_at_block(job: CheckJob, parts: Mapping[Role, Part], slices: Sequence[int]) -> Looked:
    """Look at ``slices`` of the field and write their maps.

    Parameters
    ----------
    job
        What all blocks have in common.
    parts
        Pixels that the block needs, by role.
    """
    with ONE_AT_A_TIME, dask.config.set(scheduler="synchronous"):
        torch.set_num_threads(threads())
        clock = Stopwatch()

        def read(role: Role, index: int) -> npt.NDArray[Any]:
            part = parts[role]
            image: npt.NDArray[Any] = part.data[index - part.first].compute()
            return image

        model = None if job.model is None else _model(job.model, job.conditions)
        setup = Setup(
            field=job.field,
            model=model,
            intensity=job.intensity,
            data_range=job.data_range,
            sharpness=job.sharpness,
            sigma=job.sigma,
            clock=clock,
            device=job.device,
            precision=job.precision,
            tile=job.tile,
            reader=read,
        )
        maps = MapWriters(job.out, job.evaluator.maps, shared=True)
        records = {}
        try:
            for index in slices:
                setup.want(index)
                with clock.timed("compute"):
                    findings = job.evaluator.look(setup, index)
                if not holds_claim(job.out / MAPS_FOLDER, job.run):
                    raise OutputError(f"'{job.out}' has been taken over by another run.")
                with clock.timed("write"):
                    maps.write(index, findings.maps)
                records[index] = findings.records
        finally:
            setup.shelf.close()
    return Looked(records, clock.seconds)


@lru_cache(maxsize=1)
def _model(place: ModelPlace, conditions: Conditions) -> Model:
    """Keep the model of the last run, so that a worker loads it once."""
    return model_at(place).under(conditions)
