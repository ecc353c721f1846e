"""No option of the command line is left in what a dock says."""

import re
from pathlib import Path

import pytest

import napari_sem_sr
from napari_sem_sr.widgets.qt.words import in_dock

FLAG = re.compile(r"(?<![\w-])--[a-z]")
ELSEWHERE = ("cli", "study", "terminal.py")


def messages() -> list[str]:
    """Lines of the core that name an option."""
    package = Path(napari_sem_sr.__file__).parent
    found = []
    for path in sorted(package.rglob("*.py")):
        if path.relative_to(package).parts[0] in (*ELSEWHERE, "widgets"):
            continue
        found += [line.strip() for line in path.read_text().splitlines() if FLAG.search(line)]
    return found


def test_there_are_messages_to_look_at() -> None:
    assert len(messages()) > 10


@pytest.mark.parametrize("message", messages())
def test_no_option_is_left(message: str) -> None:
    assert not FLAG.search(in_dock(message))


@pytest.mark.parametrize(
    ("said", "shown"),
    [
        (
            "'a.zarr' exists already, finished or not; --resume it, --overwrite it, or give another name.",
            "'a.zarr' exists already, finished or not; resume it, start over, or choose another name.",
        ),
        (
            "Slice 3 cannot be used; or leave it out (--without 3).",
            "Slice 3 cannot be used; or leave it out.",
        ),
        ("Nothing -- at all.", "Nothing -- at all."),
    ],
)
def test_what_is_said_instead_names_what_is_there(said: str, shown: str) -> None:
    assert in_dock(said) == shown
