"""Measure volumes side by side."""

import shutil
import tempfile
from collections.abc import Generator, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from napari_sem_sr.errors import InputError, OutputError
from napari_sem_sr.events import Event, Progress, drain
from napari_sem_sr.inference.background import in_background
from napari_sem_sr.io import read_stack
from napari_sem_sr.io.atomic_write import atomic_write, make_folder, translate_os_errors
from napari_sem_sr.measure.doubt import Doubt
from napari_sem_sr.measure.labels_zarr import LabelsWriter
from napari_sem_sr.measure.measurement import (
    CSV,
    JSON,
    LABELS,
    PAGE,
    MeasuredPhase,
    MeasuredVolume,
    Measurements,
    measured_phase,
    sentence,
    write_tables,
)
from napari_sem_sr.measure.numbers.transport import check_installed
from napari_sem_sr.measure.phase import Asked, PhaseNumbers, iter_phase
from napari_sem_sr.measure.phases.given import check_labels
from napari_sem_sr.measure.phases.label import Phases, iter_given, iter_threshold
from napari_sem_sr.measure.phases.segmentation import Threshold, check_volume
from napari_sem_sr.measure.report.page import DrawnVolume, render, shown_slice
from napari_sem_sr.measure.scratch import PlaneFile
from napari_sem_sr.stack import SemStack, Triple

Volume = SemStack | str | Path
SCRATCH = ".measuring-"


def measure(volumes: Volume | Sequence[Volume], out: str | Path, **settings: Any) -> Measurements:
    """Measure volumes; see `iter_measure`.

    Parameters
    ----------
    volumes
        As for `iter_measure`.
    out
        Folder of the results.
    settings
        As for `iter_measure`.
    """
    return drain(iter_measure(volumes, out, **settings))


def iter_measure(
    volumes: Volume | Sequence[Volume],
    out: str | Path,
    *,
    labels: Volume | Sequence[Volume] | None = None,
    threshold: str | Threshold = "otsu",
    trust: str | Path | None = None,
    sizes: bool = True,
    tortuosity: bool = True,
    transport: bool = False,
    overwrite: bool = False,
) -> Generator[Event, None, Measurements]:
    """Measure what volumes are made of, side by side, in memory that does not grow with them.

    Parameters
    ----------
    volumes
        One or more stacks, or their files: bicubic, twin, SR, HR of one field, say.
    out
        Folder for ``measure.json``, ``measure.csv``, ``report.html`` and ``labels.zarr``.
    labels
        Phases from elsewhere: one stack of labels for all volumes, or one for each.
    threshold
        How phases are found where no labels are given: ``otsu``, ``otsu:3``, ``128``, ``80,160`` or ``100:140`` (hysteresis).
    trust
        Folder of a check of one of the volumes.
    sizes, tortuosity
        Whether to measure objects and geodesic tortuosity, which take longest.
    transport
        Whether to measure transport tortuosity with TauFactor.
    overwrite
        Replace what was measured before in ``out``.

    Yields
    ------
    `Progress`.

    Raises
    ------
    InputError
        If a volume cannot be measured, before anything is written.
    OutputError
        If ``out`` holds a measurement already, or cannot be written.

    Examples
    --------
    >>> found = measure(["bicubic.tif", "sr.zarr"], "numbers")  # doctest: +SKIP
    >>> found.volumes[1].phases[0].numbers["volume_fraction"]  # doctest: +SKIP
    Measurement(value=0.124, low=0.119, high=0.129, ...)
    """
    stacks = _named([_stack(v) for v in _listed(volumes)])
    given = [_stack(v) for v in _listed(labels)] if labels is not None else []
    if given and len(given) not in (1, len(stacks)):
        raise InputError(
            f"{len(given)} volumes of labels for {len(stacks)} volumes; give one for all, or one for each in the same order."
        )
    method = Threshold.parse(threshold) if isinstance(threshold, str) else threshold
    if transport:
        check_installed()
    for number, stack in enumerate(stacks):
        check_volume(stack)
        if given:
            check_labels(given[number % len(given)], stack)
    out = Path(out)
    if (out / JSON).exists() and not overwrite:
        raise OutputError(
            f"'{out}' holds a measurement already; give another folder, or --overwrite it."
        )
    doubts = yield from _iter_doubts(stacks, trust)
    asked = Asked(sizes, tortuosity, transport)

    with translate_os_errors(out):
        make_folder(out.absolute())
        for left in out.glob(f"{SCRATCH}*"):
            shutil.rmtree(left, ignore_errors=True)
    with translate_os_errors(out), tempfile.TemporaryDirectory(prefix=SCRATCH, dir=out) as name:
        folder = Path(name)
        writer = LabelsWriter(folder / LABELS)
        measured: list[MeasuredVolume] = []
        shown: list[DrawnVolume] = []
        limits: list[str] = []
        for number, stack in enumerate(stacks):
            if given:
                phases = yield from iter_given(stack, given[number % len(given)], folder / "phases")
            else:
                phases = yield from iter_threshold(stack, method, folder / "phases")
            parts: list[MeasuredPhase] = []
            found: list[PhaseNumbers] = []
            for index, label in enumerate(phases.values):
                what = stack.name if len(phases.values) < 2 else f"{stack.name}, phase {label}"
                numbers, others = yield from _iter_phase(
                    stack, phases, index, method, doubts.get(number), folder, what, asked
                )
                parts.append(measured_phase(label, numbers, others))
                found.append(numbers)
                limits += [
                    f"Phase {label} of '{stack.name}' {reason}." for reason in numbers.limits
                ]
                if numbers.objects is not None:
                    yield from writer.iter_objects(stack, label, numbers.objects)
                    numbers.objects.labels.remove()
            yield from writer.iter_phases(stack, phases)
            shown.append(shown_slice(stack, phases, found))
            measured.append(
                MeasuredVolume(
                    stack.name,
                    _known(stack.voxel_nm),
                    stack.shape,
                    phases.levels or "labels",
                    parts,
                    bool(stack.provenance and stack.provenance.get("synthetic")),
                )
            )
            phases.file.remove()
        if trust is None:
            limits.append("No check was given, so what rests on untrusted voxels is not known.")
        result = Measurements(measured, sentence(measured), limits)
        page = yield from in_background(lambda: render(result, shown), "drawing the report")
        write_tables(result, folder / CSV, folder / JSON)
        (folder / PAGE).write_text(page, encoding="utf-8")
        shutil.rmtree(out / LABELS, ignore_errors=True)
        (folder / LABELS).rename(out / LABELS)
        # last: a folder with measure.json holds a finished measurement
        for part in (CSV, PAGE, JSON):
            with atomic_write(out / part) as path:
                shutil.copyfile(folder / part, path)
    return result


def _iter_phase(
    stack: SemStack,
    phases: Phases,
    index: int,
    method: Threshold,
    doubt: Doubt | None,
    folder: Path,
    what: str,
    asked: Asked,
) -> Generator[Event, None, tuple[PhaseNumbers, list[PhaseNumbers]]]:
    """One phase as it is, and with its doubtful voxels gone either way."""
    n = stack.shape[0]
    known = [PlaneFile(folder / "mask", stack.shape, bool)]
    if doubt is not None:
        known += [PlaneFile(folder / name, stack.shape, bool) for name in ("less", "more")]
    for z in range(n):
        yield Progress(f"{what}: taking it out", z, n, "slices")
        mask = phases.mask(z, index)
        known[0].write(z, mask)
        if doubt is not None:
            grey = method.blurred(stack.slice(z)) if phases.levels else None
            apart = (
                None if grey is None else np.abs(grey[..., None] - np.array(phases.levels)).min(-1)
            )
            open_ = doubt.undecided(z, doubt.untrusted(z), mask, apart) & phases.valid(z)
            known[1].write(z, mask & ~open_)
            known[2].write(z, mask | open_)
    voxel = _known(stack.voxel_nm)
    untrusted = None if doubt is None else doubt.untrusted
    found = []
    for number, masks in enumerate(known):
        whose = what if number == 0 else f"{what}, doubtful voxels {('out', 'in')[number - 1]}"
        found.append(
            (
                yield from iter_phase(
                    masks,
                    phases.valid,
                    voxel,
                    folder,
                    whose,
                    asked,
                    untrusted if number == 0 else None,
                )
            )
        )
        masks.remove()
        objects = found[-1].objects
        if number and objects is not None:
            objects.labels.remove()
    return found[0], found[1:]


def _iter_doubts(
    stacks: Sequence[SemStack], trust: str | Path | None
) -> Generator[Event, None, dict[int, Doubt]]:
    """What a check says of the volume that it was made of, by number."""
    if trust is None:
        return {}
    folder = Path(trust)
    checked = Doubt.checked(folder)
    for number, stack in enumerate(stacks):
        hashed = yield from in_background(
            partial(getattr, stack, "content_hash"), f"recognising {stack.name}"
        )
        if hashed == checked:
            return {number: Doubt.read(folder, stack)}
    names = ", ".join(f"'{s.name}'" for s in stacks)
    raise InputError(
        f"The check in '{folder}' is of none of {names}; give the check that was made of one of them."
    )


def _listed(values: Any) -> list[Any]:
    return list(values) if isinstance(values, list | tuple) else [values]


def _stack(volume: Volume) -> SemStack:
    return volume if isinstance(volume, SemStack) else read_stack(volume)


def _named(stacks: list[SemStack]) -> list[SemStack]:
    """Give volumes of one name different ones."""
    from dataclasses import replace

    if not stacks:
        raise InputError("There is no volume to measure; give one or more.")
    seen: dict[str, int] = {}
    named = []
    for stack in stacks:
        seen[stack.name] = seen.get(stack.name, 0) + 1
        count = seen[stack.name]
        named.append(stack if count == 1 else replace(stack, name=f"{stack.name} ({count})"))
    return named


def _known(voxel: Triple[float | None]) -> Triple[float]:
    z, y, x = (float(v) for v in voxel if v is not None)
    return z, y, x
