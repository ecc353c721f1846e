"""Names of layers in boxes too narrow for them."""

from collections.abc import Sequence

ELLIPSIS = "…"


def telling_names(names: Sequence[str], room: int) -> list[str]:
    """Shorten names that are longer than ``room`` characters to what tells them apart.

    Results are often named after what they were made of, so that long names begin alike and end differently. What
    they have in common in front goes first, then the middle. Names that would become the same are left as they are.

    Parameters
    ----------
    names
        In the order in which they are listed.
    room
        Characters that can be read.
    """
    long = [name for name in names if len(name) > room]
    shared = _shared(long) if len(long) > 1 else 0
    shortened = [
        name if len(name) <= room else _shorten(name, min(shared, len(name) - room // 2), room)
        for name in names
    ]
    return shortened if len(set(shortened)) == len(set(names)) else list(names)


def _shared(names: Sequence[str]) -> int:
    """Characters with which all names begin."""
    first, last = min(names), max(names)
    return next(
        (i for i, (a, b) in enumerate(zip(first, last, strict=False)) if a != b), len(first)
    )


def _shorten(name: str, cut: int, room: int) -> str:
    rest = ELLIPSIS + name[cut:] if cut > 1 else name
    if len(rest) <= room:
        return rest
    half = (room - 1) // 2
    return rest[:half] + ELLIPSIS + rest[-half:]
