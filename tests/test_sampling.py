"""Slices that stand for a stack."""

from napari_sem_sr.sampling import evenly_spaced


def test_first_and_last_are_among_them_and_none_is_there_twice() -> None:
    assert evenly_spaced(100, 5) == (0, 25, 50, 74, 99)
    assert evenly_spaced(3, 8) == (0, 1, 2)
    assert evenly_spaced(1, 8) == (0,)
