"""The numbers of volumes as they are told: each with its interval, and with what of it rests on untrusted voxels."""

import csv
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from napari_sem_sr.measure.phase import PhaseNumbers

JSON, CSV, PAGE, LABELS = "measure.json", "measure.csv", "report.html", "labels.zarr"
FRACTION, SURFACE = "volume_fraction", "specific_surface_per_um"
# Unit and words for people, by the part of a number's name before the dot.
WORDS: Mapping[str, tuple[str, str]] = {
    FRACTION: ("", "volume fraction"),
    SURFACE: ("1/µm", "specific surface"),
    "diameter_nm": ("nm", "diameter"),
    "feret_nm": ("nm", "Feret diameter"),
    "chord_nm": ("nm", "mean chord along"),
    "correlation_nm": ("nm", "correlation length along"),
    "connected": ("", "connected along"),
    "tortuosity": ("", "geodesic tortuosity along"),
    "transport_tortuosity": ("", "transport tortuosity along"),
}
# Groups that measure.json always has, with their keys; null where not asked or not possible.
ALWAYS: Mapping[str, Sequence[str]] = {
    "diameter_nm": ("d10", "d50", "d90"),
    "chord_nm": ("z", "y", "x"),
    "connected": ("z", "y", "x"),
    "tortuosity": ("z", "y", "x"),
}
# Rests on detail that is not supported, from which share on it is said.
SAID = 0.05


@dataclass(frozen=True)
class Measurement:
    """One number of one phase.

    Parameters
    ----------
    value
        In the unit that its name says.
    low, high
        95 % interval, from the spread over blocks; None where there are too few.
    untrusted_share
        Part of it that rests on untrusted voxels, 0 to 1; None without a trust mask.
    range_low, range_high
        What it would be if the untrusted voxels that could go the other way did, all of them, either way.
    """

    value: float
    low: float | None = None
    high: float | None = None
    untrusted_share: float | None = None
    range_low: float | None = None
    range_high: float | None = None

    def __str__(self) -> str:
        if self.low is None or self.high is None:
            return f"{self.value:.3g}"
        return f"{self.value:.3g} ({self.low:.3g} to {self.high:.3g})"


@dataclass(frozen=True)
class MeasuredPhase:
    """The numbers of one phase, by names such as ``volume_fraction`` or ``chord_nm.z``.

    Parameters
    ----------
    label
        Of the phase.
    numbers
        By name; None where it could not be measured.
    objects
        How many; None where they were not asked for.
    curves
        Columns by name, by name of the curve.
    """

    label: int
    numbers: Mapping[str, Measurement | None]
    objects: int | None = None
    curves: Mapping[str, Mapping[str, Sequence[float]]] = field(default_factory=dict)

    def document(self) -> dict[str, Any]:
        """As in ``measure.json``."""
        told: dict[str, Any] = {"label": self.label, FRACTION: None, SURFACE: None}
        told |= {group: dict.fromkeys(keys) for group, keys in ALWAYS.items()}
        for name, number in self.numbers.items():
            group, _, key = name.partition(".")
            value = None if number is None else asdict(number)
            if key:
                told.setdefault(group, {})[key] = value
            else:
                told[group] = value
        return {**told, "objects": self.objects, "curves": self.curves}


@dataclass(frozen=True)
class MeasuredVolume:
    """The phases of one volume.

    Parameters
    ----------
    name
        For a person.
    voxel_nm
        (z, y, x) in nm.
    shape
        (z, y, x).
    threshold
        Grey values between its phases, or "labels".
    phases
        In the order of their labels.
    synthetic
        Whether it was made by a network.
    """

    name: str
    voxel_nm: tuple[float, float, float]
    shape: tuple[int, int, int]
    threshold: Sequence[float] | str
    phases: Sequence[MeasuredPhase]
    synthetic: bool = False

    def document(self) -> dict[str, Any]:
        """As in ``measure.json``."""
        return {
            "name": self.name,
            "voxel_nm": list(self.voxel_nm),
            "shape": list(self.shape),
            "synthetic": self.synthetic,
            "threshold": self.threshold
            if isinstance(self.threshold, str)
            else list(self.threshold),
            "phases": [phase.document() for phase in self.phases],
        }


@dataclass(frozen=True)
class Measurements:
    """What was measured of several volumes, side by side.

    Parameters
    ----------
    volumes
        In the order in which they were given.
    verdict
        One plain sentence.
    limits
        What could not be measured, and why.
    """

    volumes: Sequence[MeasuredVolume]
    verdict: str
    limits: Sequence[str]

    def document(self) -> dict[str, Any]:
        """As plain values, those of ``measure.json``."""
        return {
            "volumes": [volume.document() for volume in self.volumes],
            "verdict": self.verdict,
            "limits": list(self.limits),
        }

    def rows(self) -> Iterator[tuple[int, str, list[Measurement | None]]]:
        """Label of the phase, name of the number, and the number of each volume; None where a volume has none."""
        labels = dict.fromkeys(p.label for v in self.volumes for p in v.phases)
        for label in labels:
            phases = [next((p for p in v.phases if p.label == label), None) for v in self.volumes]
            names = dict.fromkeys(name for p in phases if p is not None for name in p.numbers)
            for name in names:
                yield label, name, [None if p is None else p.numbers.get(name) for p in phases]


def measured_phase(
    label: int,
    found: PhaseNumbers,
    others: Sequence[PhaseNumbers] = (),
) -> MeasuredPhase:
    """Numbers of a phase as they are told.

    Parameters
    ----------
    label
        By which the phase is called.
    found
        Its numbers as they were measured.
    others
        What was measured with the doubtful voxels gone the one and the other way; empty without a trust mask.
    """
    numbers: dict[str, Measurement | None] = {}
    for name, interval in found.numbers.items():
        if interval is None:
            numbers[name] = None
            continue
        reached = [interval.value]
        reached += [n.value for o in others if (n := o.numbers.get(name)) is not None]
        numbers[name] = Measurement(
            interval.value,
            interval.low,
            interval.high,
            found.untrusted.get(name),
            min(reached) if others else None,
            max(reached) if others else None,
        )
    curves = {
        axis: {"lag_nm": [float(v) for v in c.lags], "s2": [float(v) for v in c.s2]}
        for axis, c in found.curves.items()
    }
    objects = None if found.objects is None else int(found.objects.whole.sum())
    return MeasuredPhase(label, numbers, objects, {f"two_point.{a}": c for a, c in curves.items()})


def words(name: str) -> str:
    """A number's name as people say it, with its unit.

    Parameters
    ----------
    name
        As in ``measure.json``.
    """
    group, _, key = name.partition(".")
    unit, said = WORDS[group]
    return " ".join(part for part in (said, key, f"({unit})" if unit else "") if part)


def sentence(volumes: Sequence[MeasuredVolume]) -> str:
    """What a person should take away, about the volume that trust is known of, or the last one.

    Parameters
    ----------
    volumes
        In the order in which they were given.
    """
    told = next((v for v in volumes if _doubted(v)), volumes[-1])
    phase = min(told.phases, key=lambda p: _value(p, FRACTION))
    fraction, surface = phase.numbers[FRACTION], phase.numbers[SURFACE]
    assert fraction is not None, "every phase has a fraction"
    if fraction.low is None or fraction.high is None:
        said = f"{100 * fraction.value:.3g} %"
    else:
        said = (
            f"{100 * fraction.value:.3g} % ({100 * fraction.low:.3g} to {100 * fraction.high:.3g})"
        )
    text = f"Phase {phase.label} fills {said} of '{told.name}'"
    if surface is not None:
        text += f", its specific surface is {surface} 1/µm"
    if surface is None or surface.untrusted_share is None:
        return f"{text}."
    share = surface.untrusted_share
    if share < SAID:
        return f"{text}; {1 - share:.0%} of that surface rests on supported detail."
    return (
        f"{text}; {share:.0%} of that surface rests on detail that is not supported "
        f"(it could be {surface.range_low:.3g} to {surface.range_high:.3g}): cite the twin's."
    )


def _doubted(volume: MeasuredVolume) -> bool:
    return any(
        n is not None and n.untrusted_share is not None
        for p in volume.phases
        for n in p.numbers.values()
    )


def _value(phase: MeasuredPhase, name: str) -> float:
    number = phase.numbers[name]
    return float("inf") if number is None else number.value


def write_tables(found: Measurements, csv_path: Path, json_path: Path) -> None:
    """Write ``measure.csv`` and ``measure.json``.

    Parameters
    ----------
    found
        What was measured.
    csv_path
        File to write.
    json_path
        File to write.
    """
    with csv_path.open("w", newline="", encoding="utf-8") as stream:
        writer = csv.writer(stream)
        writer.writerow(
            [
                "volume",
                "phase",
                "number",
                "value",
                "low_95",
                "high_95",
                "untrusted_share",
                "range_low",
                "range_high",
            ]
        )
        for label, name, numbers in found.rows():
            for volume, number in zip(found.volumes, numbers, strict=True):
                values = [None] * 6 if number is None else list(asdict(number).values())
                writer.writerow(
                    [volume.name, label, name, *("" if v is None else v for v in values)]
                )
    text = json.dumps(found.document(), indent=1, ensure_ascii=False, allow_nan=False)
    json_path.write_text(text + "\n", encoding="utf-8")
