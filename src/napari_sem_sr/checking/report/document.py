"""What a check says: ``report.json``, ``regions.csv`` and ``report.html``."""

import csv
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

from napari_sem_sr.errors import InputError
from napari_sem_sr.io.atomic_write import atomic_write, translate_os_errors

JSON, PAGE, REGIONS = "report.json", "report.html", "regions.csv"
REGION_COLUMNS = ("slice", "y", "x", "height", "width", "score", "reasons")


@dataclass(frozen=True, kw_only=True)
class Report:
    """What ``report.json`` says; its keys are fixed, None is evidence that could not be had (see ``limits``).

    ``judgements`` is written once a person has judged a place (`napari_sem_sr.checking.review.judgements`), ``reference`` where
    teachers were given to compare with (`napari_sem_sr.checking.evidence.reference`), ``isotropic`` where SR is an isotropic
    volume (`napari_sem_sr.checking.isotropic_volume`).

    Parameters
    ----------
    lr, sr, hr
        Names, hashes, shapes and voxel sizes.
    model
        Name, hash and sharpness; None where it is not known.
    scores
        Against HR.
    consistency
        Of SR degraded with LR.
    invention
        What the SRGAN added to its twin.
    domain
        Distance from the teachers.
    persistence
        Of detail in the next slice.
    trust
        What the trust masks cover, with their bounds.
    expected
        Error and gain as foreseen.
    regions
        Suspect places, worst first.
    verdict
        For a person.
    """

    lr: Mapping[str, Any]
    sr: Mapping[str, Any]
    hr: Mapping[str, Any] | None
    model: Mapping[str, Any] | None
    scores: Mapping[str, Any] | None
    consistency: Mapping[str, Any] | None
    invention: Mapping[str, Any] | None
    domain: Mapping[str, Any] | None
    persistence: Mapping[str, Any] | None
    trust: Mapping[str, Any] | None
    expected: Mapping[str, Any] | None = None
    regions: Sequence[Mapping[str, Any]]
    verdict: str
    limits: Sequence[str]
    judgements: Mapping[str, Any] | None = None
    reference: Mapping[str, Any] | None = None
    isotropic: Mapping[str, Any] | None = None

    @property
    def looked_at(self) -> list[int]:
        """Slices of LR that were checked."""
        checked = self.sr["checked"]
        if "looked_at" in checked:
            return list(checked["looked_at"])
        apart = {*checked.get("without", ()), *checked.get("empty", ())}
        return [z for z in range(*checked["slices"]) if z not in apart]

    @property
    def registered(self) -> bool:
        """Whether HR was laid over LR by what its pixels show."""
        return bool(((self.scores or {}).get("registration") or {}).get("applied"))

    def document(self) -> dict[str, Any]:
        """As plain values, those of ``report.json``; what only some reports have is left out where it is None."""
        return {
            name: value
            for name, value in asdict(self).items()
            if value is not None or name not in ("judgements", "reference", "isotropic")
        }

    @classmethod
    def read(cls, folder: str | Path) -> "Report":
        """Read the report in ``folder``.

        Raises
        ------
        InputError
            If there is none.
        """
        path = Path(folder) / JSON
        try:
            values = json.loads(path.read_text(encoding="utf-8"))
            _check_kinds(values)
            # nobody may have judged yet when a report is written
            return cls(**{f.name: values[f.name] for f in fields(cls) if f.name in values})
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise InputError(
                f"'{folder}' holds no finished report ({error}); give the folder that sem-sr check wrote."
            ) from error

    def write(self, folder: Path, page: str) -> None:
        """Write the report and its ``page`` into ``folder``.

        Raises
        ------
        OutputError
            If the disk refuses.
        """
        with translate_os_errors(folder):
            with (
                atomic_write(folder / REGIONS) as path,
                path.open("w", newline="", encoding="utf-8") as stream,
            ):
                table = csv.DictWriter(stream, REGION_COLUMNS, extrasaction="ignore")
                table.writeheader()
                for region in self.regions:
                    table.writerow({**region, "reasons": "; ".join(region["reasons"])})
            with atomic_write(folder / PAGE) as path:
                path.write_text(page, encoding="utf-8")
            # last: a folder with this file holds a finished report
            with atomic_write(folder / JSON) as path:
                text = json.dumps(self.document(), indent=1, ensure_ascii=False, allow_nan=False)
                path.write_text(text + "\n", encoding="utf-8")


def _check_kinds(values: Any) -> None:
    """Raise TypeError or KeyError for a document that a changed byte has made into something else."""
    for name in (f.name for f in fields(Report)):
        value = values[name] if name in ("lr", "sr", "regions", "limits") else values.get(name)
        wanted = {"regions": list, "limits": list, "verdict": str}.get(name, Mapping)
        if not isinstance(value, wanted) and (value is not None or name in ("lr", "sr", "regions")):
            raise TypeError(f"{name} is no {wanted.__name__.lower()}")
    for region in values["regions"]:
        for key in REGION_COLUMNS:
            if not isinstance(region[key], list if key == "reasons" else int | float):
                raise TypeError(f"{key} of a region is something else")
