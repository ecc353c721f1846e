"""What a narrow box shows of long names."""

import pytest

from napari_sem_sr.widgets.viewer.names import telling_names

LONG = "cathode_2024_03_05_slices_lr"


@pytest.mark.parametrize(
    "names",
    [
        ["lr", "sr"],
        [LONG, f"{LONG} · SR"],
        [f"{LONG} · SR", "mask"],
        [f"{LONG} · SR", f"{LONG} · HR", f"{LONG} · SR preview"],
        [LONG, LONG],
    ],
)
def test_long_names_show_what_tells_them_apart(names: list[str]) -> None:
    found = telling_names(names, 16)
    assert all(len(name) <= 16 for name in found)
    assert len(set(found)) == len(set(names))
    assert [name[-2:] for name in found] == [name[-2:] for name in names]
    assert all(a == b for a, b in zip(found, names, strict=True) if len(b) <= 16)


def test_names_that_would_become_the_same_are_left_as_they_are() -> None:
    names = ["a" * 10 + "1" + "b" * 10, "a" * 10 + "2" + "b" * 10]
    assert len(set(telling_names(names, 8))) == 2
