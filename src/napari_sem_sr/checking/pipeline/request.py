"""What is to be checked, and how; what of it has to be the same for a check to go on."""

import hashlib
import json
from collections.abc import Collection, Generator, Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from typing import Any

from napari_sem_sr.checking.report.document import Report
from napari_sem_sr.events import Event
from napari_sem_sr.inference.background import in_background
from napari_sem_sr.model.bundle import Model
from napari_sem_sr.stack import SemStack
from napari_sem_sr.teachers.teacher import Teacher

# Of the lines in the journal; those of another format are not gone on with.
FORMAT = 2


@dataclass(frozen=True, eq=False)
class CheckRequest:
    """What `napari_sem_sr.checking.run.iter_check` was asked.

    Parameters
    ----------
    lr, sr, hr
        As given.
    model
        The model that made SR.
    reference
        Teachers of other places.
    register, project, without
        As of `iter_check`.
    every
        Only every so many slices are looked at.
    """

    lr: SemStack
    sr: SemStack
    hr: SemStack | None = None
    model: Model | None = None
    reference: Sequence[Teacher] | None = None
    register: bool = False
    project: bool = False
    without: Collection[int] = ()
    every: int = 1

    def iter_identity(
        self, registered: bool, sr: str | None = None
    ) -> Generator[Event, None, dict[str, Any]]:
        """What the check is of, by content.

        Parameters
        ----------
        registered
            Whether HR was laid over LR by its pixels.
        sr
            What SR is known by where its files are still being made.
        """
        identity: dict[str, Any] = {}
        for role, stack in (("lr", self.lr), ("sr", self.sr), ("hr", self.hr)):
            if role == "sr" and sr is not None:
                identity[role] = sr
            elif stack is None:
                identity[role] = None
            else:
                identity[role] = yield from iter_hash(stack, role)
        identity["model"] = None if self.model is None else self.model.content_hash
        identity["without"] = sorted(set(self.without))
        identity["registered"] = registered
        identity["projected"] = self.project
        identity["reference"] = (
            None if self.reference is None else [t.content_hash for t in self.reference]
        )
        return identity


def iter_hash(stack: SemStack, role: str) -> Generator[Event, None, str]:
    """Content hash of a stack.

    Parameters
    ----------
    stack
        As it was read.
    role
        For a person: ``"LR"``, ``"SR"`` or ``"HR"``.
    """
    return (yield from in_background(lambda: stack.content_hash, f"recognising {role.upper()}"))


def made_by(provenance: Mapping[str, Any]) -> str:
    """What an SR stack is known by while its files are made: how it is made settles its pixels.

    Parameters
    ----------
    provenance
        Of the SR stack.
    """
    recorded = {k: v for k, v in provenance.items() if k != "complete"}
    text = json.dumps(recorded, sort_keys=True, default=str)
    return f"made:{hashlib.blake2b(text.encode(), digest_size=20).hexdigest()}"


def stamped(identity: Mapping[str, Any]) -> dict[str, Any]:
    """An identity as the journal keeps it.

    Parameters
    ----------
    identity
        What is being checked.
    """
    return {**identity, "version": version("napari-sem-sr"), "format": FORMAT}


def identity_in(report: Report) -> dict[str, Any]:
    """What a report is of.

    Parameters
    ----------
    report
        Of a finished check.
    """
    there: dict[str, Any] = {k: (getattr(report, k) or {}).get("hash") for k in ("lr", "sr", "hr")}
    there["model"] = report.model["hash"] if report.model and report.model["given"] else None
    there["without"] = report.sr["checked"].get("without", [])
    there["reference"] = (report.reference or {}).get("hashes")
    there["projected"] = "projection" in (report.consistency or {})
    there["registered"] = report.registered
    return there
