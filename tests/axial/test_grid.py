"""Where output slices lie among measured ones, and for which stacks there is an answer."""

import numpy as np
import pytest

from napari_sem_sr.axial.grid import AxialGrid, phases_for
from napari_sem_sr.errors import InputError
from napari_sem_sr.stack import SemStack


def stack(n: int, voxel: tuple[float | None, float | None, float | None]) -> SemStack:
    return SemStack.from_array(np.zeros((n, 4, 4), np.uint8), "s", voxel_nm=voxel)


@pytest.mark.parametrize("ratio", [1.5, 2.0, 2.5, 3.3, 4.0, 12.0])
def test_every_measured_slice_has_its_place_and_the_last_is_the_last(ratio: float) -> None:
    grid = AxialGrid.of(stack(11, (5 * ratio, 5.0, 5.0)))
    places = grid.places()
    assert places[0] == 0
    assert places[-1] == grid.n_output - 1
    assert len(set(places.tolist())) == 11
    assert np.abs(places - np.arange(11) * ratio).max() <= 0.5 + 1e-9


def test_a_voxel_between_two_slices_comes_from_them() -> None:
    grid = AxialGrid(5, 4.0)
    assert grid.n_output == 17
    assert grid.source(0) == (0, 0.0)
    assert grid.source(5) == (1, 0.25)
    assert grid.source(8) == (2, 0.0)
    assert grid.source(16) == (4, 0.0)


def test_a_ratio_that_is_whole_but_for_rounding_is_whole() -> None:
    assert AxialGrid.of(stack(20, (39.99, 10.0, 10.0))).ratio == 4.0
    assert AxialGrid.of(stack(20, (41.0, 10.0, 10.0))).ratio == 4.1


@pytest.mark.parametrize(("ratio", "phases"), [(4.0, 4), (2.5, 5), (1.5, 3), (12.0, 12), (3.37, 8)])
def test_voxels_are_places_of_the_network_where_they_can_be(ratio: float, phases: int) -> None:
    assert phases_for(ratio) == phases


@pytest.mark.parametrize(
    ("n", "voxel", "says"),
    [
        (1, (40.0, 10.0, 10.0), "single slice"),
        (9, (None, 10.0, 10.0), "slice spacing"),
        (9, (None, None, None), "slice spacing and pixel size"),
        (9, (10.0, 10.0, 10.0), "nothing is to be filled in"),
        (9, (130.0, 10.0, 10.0), "13.0 pixels apart"),
        (9, (40.0, 12.0, 10.0), "square pixels"),
    ],
)
def test_what_no_volume_can_be_made_of_is_refused_in_one_sentence(
    n: int, voxel: tuple[float | None, float | None, float | None], says: str
) -> None:
    with pytest.raises(InputError, match=says):
        AxialGrid.of(stack(n, voxel))
