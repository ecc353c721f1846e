"""All numbers of one phase of one volume."""

from collections.abc import Callable, Generator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import numpy.typing as npt

from napari_sem_sr.events import Event, Progress
from napari_sem_sr.measure.blocks import BlockGrid, Interval, Merging, Ratio
from napari_sem_sr.measure.numbers import objects as sizes
from napari_sem_sr.measure.numbers import transport
from napari_sem_sr.measure.numbers.components import Components
from napari_sem_sr.measure.numbers.correlation import Correlation, Curve
from napari_sem_sr.measure.numbers.crossings import Crossings
from napari_sem_sr.measure.numbers.geodesic import iter_arrivals
from napari_sem_sr.measure.numbers.objects import GROUND, Objects, iter_objects
from napari_sem_sr.measure.scratch import PlaneFile
from napari_sem_sr.stack import Triple

Mask = npt.NDArray[np.bool_]
AXES = "zyx"
NM_PER_UM = 1000.0
# With less of a phase in whole objects these are specks beside it, and tell nothing of its sizes.
LEAST_WHOLE = 0.05


@dataclass(frozen=True)
class Asked:
    """Which of the numbers that take long are wanted.

    Parameters
    ----------
    sizes, tortuosity
        Objects with their diameters; geodesic tortuosity.
    transport
        Transport tortuosity; needs taufactor.
    """

    sizes: bool = True
    tortuosity: bool = True
    transport: bool = False


@dataclass(frozen=True, eq=False)
class PhaseNumbers:
    """What was measured of one phase.

    Parameters
    ----------
    numbers
        Intervals by name, such as ``volume_fraction`` or ``chord_nm.z``; None where there is none.
    untrusted
        Share of each that rests on untrusted voxels, by the same names; empty where trust is not known.
    curves
        Two-point correlation by axis, lags in nm.
    objects
        The phase's objects; None where they were not asked for or the phase is the ground.
    limits
        Why numbers are missing, as ends of sentences.
    """

    numbers: Mapping[str, Interval | None]
    untrusted: Mapping[str, float | None]
    curves: Mapping[str, Curve]
    objects: Objects | None
    limits: tuple[str, ...]


@dataclass(eq=False)
class _Found:
    numbers: dict[str, Interval | None] = field(default_factory=dict)
    untrusted: dict[str, float | None] = field(default_factory=dict)
    limits: list[str] = field(default_factory=list)


def iter_phase(
    masks: PlaneFile,
    valid: Callable[[int], Mask],
    voxel_nm: Triple[float],
    folder: Path,
    what: str,
    asked: Asked,
    untrusted: Callable[[int], Mask] | None = None,
) -> Generator[Event, None, PhaseNumbers]:
    """Measure one phase.

    Parameters
    ----------
    masks
        Where the phase is, (z, y, x).
    valid
        What of a slice (y, x) belongs to any phase.
    voxel_nm
        Voxel size (z, y, x).
    folder
        Where files are kept meanwhile.
    what
        What is measured, for progress.
    asked
        Which numbers are wanted.
    untrusted
        What of a slice is not trusted.
    """
    n = masks.shape[0]
    grid = BlockGrid(masks.shape)
    crossings, correlation = Crossings(grid, voxel_nm), Correlation(grid)
    components = Components(n, folder)
    doubted = inside = 0
    for index in range(n):
        yield Progress(f"{what}: counting", index, n, "slices")
        mask, known = masks.read(index), valid(index)
        doubtful = None if untrusted is None else untrusted(index)
        crossings.add(index, mask, known, doubtful)
        correlation.add(index, mask, known)
        components.add(index, mask)
        if doubtful is not None:
            doubted += int(np.count_nonzero(mask & doubtful))
            inside += int(np.count_nonzero(mask))
    components.settled()

    curves = {axis: correlation.curve(i, voxel_nm[i]) for i, axis in enumerate(AXES)}
    lengths = [c.length.value for c in curves.values() if c.length is not None]
    merged = Merging.beyond(grid, voxel_nm, max(lengths, default=0.0))
    found = _Found()
    trust = untrusted is not None
    found.numbers["volume_fraction"] = _at_most_one(crossings.fraction.interval(merged))
    surface = crossings.specific_surface.interval(merged)
    found.numbers["specific_surface_per_um"] = _scaled(surface, NM_PER_UM)
    if trust:
        found.untrusted["volume_fraction"] = doubted / inside if inside else None
        found.untrusted["specific_surface_per_um"] = crossings.untrusted_surface
    for i, axis in enumerate(AXES):
        found.numbers[f"chord_nm.{axis}"] = crossings.mean_chord(i).interval(merged)
        found.numbers[f"correlation_nm.{axis}"] = curves[axis].length
        if trust:
            found.untrusted[f"chord_nm.{axis}"] = crossings.untrusted_chords(i)
    yield from _iter_through(
        masks, components, grid, merged, voxel_nm, folder, what, asked, untrusted, found
    )
    components.close()

    fraction = crossings.fraction.value or 0.0
    objects = None
    if asked.sizes and fraction > GROUND:
        found.limits.append(
            f"fills {fraction:.0%} of the volume and is the ground, so it has no objects"
        )
    elif asked.sizes:
        objects = yield from iter_objects(masks, voxel_nm, folder, f"{what}: objects")
        whole = float(objects.volume[objects.whole].sum() / max(objects.volume.sum(), 1.0))
        if whole < LEAST_WHOLE:
            found.limits.append(
                f"has only {whole:.1%} of its volume in objects that the border does not cut, so no sizes"
            )
        for name, values in (("diameter_nm", objects.diameter), ("feret_nm", objects.feret)):
            for key, interval in sizes.sizes(objects, values, merged).items():
                found.numbers[f"{name}.{key}"] = interval if whole >= LEAST_WHOLE else None
                if trust:
                    found.untrusted[f"{name}.{key}"] = crossings.untrusted_surface
    if asked.transport:
        for i, axis in enumerate(AXES):
            tau, reason = yield from transport.iter_transport(
                masks, voxel_nm, i, f"{what}: transport along {axis}"
            )
            found.numbers[f"transport_tortuosity.{axis}"] = None if tau is None else Interval(tau)
            if reason:
                found.limits.append(reason)
    return PhaseNumbers(found.numbers, found.untrusted, curves, objects, tuple(found.limits))


def _iter_through(
    masks: PlaneFile,
    components: Components,
    grid: BlockGrid,
    merged: Merging,
    voxel_nm: Triple[float],
    folder: Path,
    what: str,
    asked: Asked,
    untrusted: Callable[[int], Mask] | None,
    found: _Found,
) -> Generator[Event, None, None]:
    """Connectivity and geodesic tortuosity along each axis."""
    n = masks.shape[0]
    for i, axis in enumerate(AXES):
        chosen = np.append(False, components.through(i))
        through, phase = grid.zeros(), grid.zeros()
        doubted = 0
        way = PlaneFile(folder / "through", masks.shape, bool)
        for index in range(n):
            yield Progress(f"{what}: connected along {axis}", index, n, "slices")
            mask = masks.read(index)
            reaching = chosen[components.plane(index, mask)]
            way.write(index, reaching)
            block = grid.block_of(0, index)
            through[block] += grid.plane_sums(reaching)
            phase[block] += grid.plane_sums(mask)
            if untrusted is not None:
                doubted += int(np.count_nonzero(reaching & untrusted(index)))
        found.numbers[f"connected.{axis}"] = _at_most_one(Ratio(through, phase).interval(merged))
        if untrusted is not None:
            share = doubted / float(through.sum()) if through.any() else None
            found.untrusted[f"connected.{axis}"] = found.untrusted[f"tortuosity.{axis}"] = share
        found.numbers[f"tortuosity.{axis}"] = None
        if asked.tortuosity and chosen.any():
            turned = way.turned(i, folder / "turned")
            others = [a for a in range(3) if a != i]
            size = (voxel_nm[i], voxel_nm[others[0]], voxel_nm[others[1]])
            lengths, reached = yield from iter_arrivals(
                turned, size, folder, f"{what}: ways along {axis}"
            )
            interval = Ratio(lengths, reached).interval(lambda sums: sums)
            found.numbers[f"tortuosity.{axis}"] = _at_least_one(interval)
            if turned is not way:
                turned.remove()
        elif asked.tortuosity:
            found.limits.append(f"does not reach through the volume along {axis}, so no tortuosity")
        way.remove()


def _scaled(interval: Interval | None, by: float) -> Interval | None:
    if interval is None:
        return None
    low, high = (None if v is None else v * by for v in (interval.low, interval.high))
    return Interval(interval.value * by, low, high)


def _at_most_one(interval: Interval | None) -> Interval | None:
    if interval is None or interval.high is None:
        return interval
    return Interval(interval.value, interval.low, min(1.0, interval.high))


def _at_least_one(interval: Interval | None) -> Interval | None:
    if interval is None or interval.low is None:
        return interval
    return Interval(interval.value, max(1.0, interval.low), interval.high)
