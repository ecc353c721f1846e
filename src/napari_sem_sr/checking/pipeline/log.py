"""What is already known of each slice, on disk, so that a check that was stopped goes on where it was."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from napari_sem_sr.errors import OutputError
from napari_sem_sr.io.append_log import AppendLog

NAME = "journal.jsonl"


class Journal:
    """What is being checked, then one record per checked slice.

    Parameters
    ----------
    folder
        Of the check.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._log = AppendLog(folder / NAME, folder)

    @property
    def exists(self) -> bool:
        """Whether a check was begun here and not finished."""
        return self._log.path.exists()

    @property
    def identity(self) -> Mapping[str, Any]:
        """What the check that was begun here is of; empty where there is none."""
        there = [r["checked"] for r in self._log.records() if "checked" in r]
        return there[0] if there else {}

    def begin(self, identity: Mapping[str, Any]) -> dict[int, dict[str, Any]]:
        """Begin, or take up what is known by slice; slices whose record is damaged are not known.

        Parameters
        ----------
        identity
            What is being checked.

        Raises
        ------
        OutputError
            If what is there belongs to other data, another model or another version, or nobody can say to what.
        """
        records = self._log.records()
        there = [record["checked"] for record in records if "checked" in record]
        if not there:
            if records:
                raise OutputError(
                    f"'{self._log.path}' is damaged, so it is unknown what was being checked; "
                    f"remove '{self._folder}', or give another folder for the report."
                )
            self._log.append({"checked": identity})
            return {}
        if there[0] != dict(identity):
            raise different(self._folder, there[0], identity)
        return {record["slice"]: record["found"] for record in records if "slice" in record}

    def note(self, index: int, found: Mapping[str, Any]) -> None:
        """Keep what was found on one slice; it is on disk when this returns.

        Parameters
        ----------
        index
            Number of the slice.
        found
            Plain values by kind of evidence.
        """
        self._log.append({"slice": index, "found": found})

    def remove(self) -> None:
        """Remove the file; a finished check does not need it."""
        self._log.remove()


def different(folder: Path, there: Mapping[str, Any], here: Mapping[str, Any]) -> OutputError:
    """Say which of the inputs are not those that ``folder`` was made from.

    Parameters
    ----------
    there
        Identity that the folder holds.
    here
        Identity that is asked for.
    """
    changed = [key for key in here if there.get(key) != here[key]]
    return OutputError(
        f"'{folder}' holds a check of something else ({', '.join(changed)} differ); "
        "give another folder for the report."
    )
