"""What is already known of each slice, on disk, so that a check that was stopped goes on where it was."""

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from napari_sem_sr.errors import OutputError
from napari_sem_sr.io.atomic_write import told_plainly

NAME = "journal.jsonl"


class Journal:
    """One line of JSON per checked slice, after a first line that says what is being checked."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / NAME

    @property
    def exists(self) -> bool:
        """Whether a check was begun here and not finished."""
        return self._path.exists()

    def begin(self, identity: Mapping[str, Any]) -> dict[int, dict[str, Any]]:
        """Begin, or take up what is known by slice.

        Raises
        ------
        OutputError
            If what is there belongs to other data, another model or another version.
        """
        lines = self._lines()
        if not lines:
            self._append(identity)
            return {}
        if lines[0] != dict(identity):
            raise different(self._path.parent, lines[0], identity)
        return {line["slice"]: line["found"] for line in lines[1:] if "slice" in line}

    def note(self, index: int, found: Mapping[str, Any]) -> None:
        """Keep what was found on one slice; it is on disk when this returns."""
        self._append({"slice": index, "found": found})

    def remove(self) -> None:
        """Remove the file; a finished check does not need it."""
        self._path.unlink(missing_ok=True)

    def _append(self, line: Mapping[str, Any]) -> None:
        # begins a line of its own even after one that a power cut has torn
        with told_plainly(self._path.parent), self._path.open("a", encoding="utf-8") as stream:
            stream.write("\n" + json.dumps(line) + "\n")
            stream.flush()
            os.fsync(stream.fileno())

    def _lines(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = []
        if not self._path.exists():
            return found
        for line in self._path.read_text(encoding="utf-8").splitlines():
            try:
                value = json.loads(line)
            except json.JSONDecodeError:
                continue  # empty, or torn by a power cut: that slice is done again
            if isinstance(value, dict):
                found.append(value)
        return found


def different(folder: Path, there: Mapping[str, Any], here: Mapping[str, Any]) -> OutputError:
    """Say which of the inputs are not those that ``folder`` was made from."""
    changed = [key for key in here if there.get(key) != here[key]]
    return OutputError(
        f"'{folder}' holds a check of something else ({', '.join(changed)} differ); "
        "give another folder for the report."
    )
