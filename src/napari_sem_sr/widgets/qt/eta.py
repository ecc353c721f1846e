"""How far long work is and how long it still takes."""

from dataclasses import dataclass

from napari_sem_sr.events import Progress
from napari_sem_sr.widgets.words import spoken, tr


def spoken_time(seconds: float) -> str:
    """``40 s``, ``12 min`` or ``3.5 h``."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    if seconds < 5400:
        return f"{seconds / 60:.0f} min"
    return f"{seconds / 3600:.1f} h"


@dataclass
class Eta:
    """Progress of ``total`` slices, some of which may have been done before.

    Times are in seconds of one clock.
    """

    total: int = 0
    done: int = 0
    _begun: float = 0.0
    _before: int = 0
    _now: float = 0.0
    _part: float = 0.0

    def start(self, now: float, done: int, total: int) -> None:
        """Work begins with ``done`` of ``total`` slices there already."""
        self._begun = self._now = now
        self.done = self._before = done
        self.total = total

    def reach(self, now: float, done: int) -> None:
        """``done`` slices are on disk."""
        self._now, self.done, self._part = now, done, 0.0

    def within(self, now: float, part: float) -> None:
        """``part`` (0 to 1) of the next slice is computed."""
        self._now, self._part = now, part

    @property
    def fraction(self) -> float:
        """0 to 1."""
        return min(1.0, (self.done + self._part) / self.total) if self.total else 0.0

    def seconds_per_slice(self) -> float | None:
        """At the pace so far; None before anything is known."""
        slices = self.done - self._before + self._part
        if slices <= 0 or self._now <= self._begun:
            return None
        return (self._now - self._begun) / slices

    def seconds_left(self) -> float | None:
        """Seconds that the rest takes at the pace so far; None before anything is known."""
        each = self.seconds_per_slice()
        return None if each is None else each * (self.total - self.done - self._part)

    def spoken(self) -> str:
        """``slice 118 of 512 · 6 min left``."""
        text = tr("{done} of {total} slices", done=self.done, total=self.total)
        left = self.seconds_left()
        return (
            text if left is None else tr("{text} · {size} left", text=text, size=spoken_time(left))
        )


class Steps:
    """What long work does, how far it is, and how long the step still takes."""

    def __init__(self) -> None:
        self._pace = Eta()
        self._step: tuple[str, int] = ("", 0)

    def spoken(self, now: float, event: Progress) -> str:
        """``checking, 12 of 96 slices · 6 min left``; ``now`` in seconds."""
        if event.total <= 1:
            return spoken(event.what)
        if (event.what, event.total) != self._step:
            self._step = (event.what, event.total)
            self._pace.start(now, event.done, event.total)
        self._pace.reach(now, event.done)
        left = self._pace.seconds_left()
        text = tr(
            "{what}, {done} of {total} {unit}",
            what=event.what,
            done=event.done,
            total=event.total,
            unit=event.unit,
        )
        return (
            text if left is None else tr("{text} · {size} left", text=text, size=spoken_time(left))
        )
