"""The folder of a study: one study with one plan, finished trainings kept."""

import csv
import importlib.metadata
import io
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from napari_sem_sr.errors import OutputError
from napari_sem_sr.io.atomic_write import atomic_write, translate_os_errors

PLAN = "study.json"
PACKAGES = ("napari-sem-sr", "torch", "numpy")

Row = Mapping[str, Any]


@dataclass(frozen=True)
class StudyFolder:
    """Where a study keeps its models and writes its results.

    Parameters
    ----------
    path
        Holds the plan, finished models, tables, plots and the page.
    """

    path: Path

    @classmethod
    def open(
        cls, path: Path, study: str, plan: BaseModel, sources: Sequence[Path] = ()
    ) -> "StudyFolder":
        """Make the folder, or go on in it where the same study was begun with the same plan.

        Parameters
        ----------
        path
            Made with its parents where it is not there.
        study
            Name of the study.
        plan
            Its parameters; a folder goes with one plan.
        sources
            Files of a person's own images; none for simulated ones.

        Raises
        ------
        OutputError
            If the folder holds something else, or cannot be written.
        """
        wanted = {
            "study": study,
            "plan": plan.model_dump(mode="json"),
            "images": [str(p.resolve()) for p in sources],
        }
        if path.exists() and not path.is_dir():
            raise OutputError(f"'{path}' is a file; give a folder with --out.")
        with translate_os_errors(path):
            found = _read_plan(path / PLAN)
            if found is None and path.exists() and any(path.iterdir()):
                raise OutputError(
                    f"'{path}' holds files that the study did not make; give another folder with --out."
                )
            if found is not None and found != wanted:
                raise OutputError(
                    f"'{path}' holds a study that was started with another plan; "
                    "give the same options, or another folder with --out."
                )
            path.mkdir(parents=True, exist_ok=True)
            if found is None:
                versions = {p: importlib.metadata.version(p) for p in PACKAGES}
                _write_text(path / PLAN, json.dumps({**wanted, "versions": versions}, indent=1))
        return cls(path)

    def model(self, name: str) -> Path:
        """Bundle of the model called ``name``."""
        return self.path / "models" / name

    def write_csv(self, name: str, rows: Sequence[Row]) -> None:
        """Write rows that share their columns; numbers keep six digits, unknown is empty.

        Parameters
        ----------
        name
            Of the file, in the folder.
        rows
            By name of the column.
        """
        stream = io.StringIO(newline="")
        writer = csv.DictWriter(stream, list(rows[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows({k: _shown(v) for k, v in row.items()} for row in rows)
        self.write_text(name, stream.getvalue())

    def write_text(self, name: str, text: str) -> None:
        """Write a text file.

        Parameters
        ----------
        name
            Of the file, in the folder.
        text
            Its contents.
        """
        with translate_os_errors(self.path / name):
            _write_text(self.path / name, text)


def _shown(value: Any) -> Any:
    if value is None:
        return ""
    return f"{value:.6g}" if isinstance(value, float) else value


def _write_text(path: Path, text: str) -> None:
    with atomic_write(path) as temporary:
        temporary.write_text(text, encoding="utf-8")


def _read_plan(path: Path) -> dict[str, Any] | None:
    if not path.exists():
        return None
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
        return {key: document[key] for key in ("study", "plan", "images")}
    except (ValueError, KeyError, TypeError) as error:
        raise OutputError(
            f"'{path}' is damaged; remove its folder, or give another one with --out."
        ) from error
