"""What is on screen is upscaled as the full run would, centre first, and nothing is done in vain."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from napari_sem_sr.inference.engine.engine import Engine
from napari_sem_sr.inference.engine.tiling import Region
from napari_sem_sr.inference.live import LiveTile, LiveView, Recent, _rectangles
from napari_sem_sr.inference.runner import UpscaleSettings
from napari_sem_sr.intensity import stack_range
from napari_sem_sr.stack import SemStack
from tests.inference.specimens import collected, image, model, stack

CPU = UpscaleSettings(device="cpu", precision="fp32", sharpness=0.5)
SHAPE = (150, 190)


def tiles(view: LiveView, index: int, region: Region, **how: float) -> list[LiveTile]:
    """All pieces of one request that ran to its end."""
    events, ended = collected(view.request(index, region, **how))
    assert ended
    return [e for e in events if isinstance(e, LiveTile)]


def full(index: int, sharpness: float = 0.5) -> np.ndarray:
    """The slice as the full run makes it."""
    lr = stack(3, SHAPE)
    engine = Engine(model().blended(sharpness), device="cpu", precision="fp32")
    return engine.upscale_slice(lr.slice(index), stack_range(lr), lr.dtype).image


WHOLE = full(1)


@settings(max_examples=15, deadline=None)
@given(
    rows=st.tuples(st.integers(-40, 200), st.integers(-40, 200)).map(sorted),
    columns=st.tuples(st.integers(-40, 240), st.integers(-40, 240)).map(sorted),
)
def test_the_visible_part_is_covered_with_the_pixels_of_the_full_run(
    rows: list[int], columns: list[int]
) -> None:
    region = ((rows[0], rows[1]), (columns[0], columns[1]))
    view = LiveView(stack(3, SHAPE), model(), CPU)
    seen = np.zeros(SHAPE, int)
    for tile in tiles(view, 1, region):
        (y0, y1), (x0, x1) = tile.region
        seen[y0:y1, x0:x1] += 1
        expected = WHOLE[4 * y0 : 4 * y1, 4 * x0 : 4 * x1]
        assert np.abs(expected.astype(int) - tile.image).max() <= 1
    visible = seen[max(0, rows[0]) : max(0, rows[1]), max(0, columns[0]) : max(0, columns[1])]
    assert (visible == 1).all()
    assert seen.max(initial=0) <= 1


def test_the_centre_comes_first() -> None:
    view = LiveView(stack(1, (700, 700)), model(), CPU)
    region = ((30, 670), (30, 670))
    work = view.request(0, region)
    first = next(e for e in work if isinstance(e, LiveTile))
    (y0, y1), (x0, x1) = first.region
    assert y0 <= 350 <= y1
    assert x0 <= 350 <= x1
    work.close()


def computed(view: LiveView, index: int, region: Region, **how: float) -> list[str]:
    """Kinds of the events of one request."""
    return [type(e).__name__ for e in collected(view.request(index, region, **how))[0]]


def test_what_was_seen_before_is_shown_without_computing() -> None:
    view = LiveView(stack(3, SHAPE), model(), CPU)
    region = ((10, 120), (10, 120))
    before = tiles(view, 1, region)
    assert set(computed(view, 1, region)) == {"LiveTile"}
    for one, other in zip(before, tiles(view, 1, region), strict=True):
        assert one.region == other.region
        assert np.array_equal(one.image, other.image)
    assert "TileDone" in computed(view, 2, region)
    assert "TileDone" in computed(view, 1, region, sharpness=1.0)
    assert set(computed(view, 1, region)) == {"LiveTile"}


def test_sharpness_changes_the_pixels_to_those_of_that_network() -> None:
    view = LiveView(stack(3, SHAPE), model(), CPU)
    (tile,) = tiles(view, 1, ((0, 100), (0, 100)), sharpness=1.0)
    (y0, y1), (x0, x1) = tile.region
    expected = full(1, 1.0)[4 * y0 : 4 * y1, 4 * x0 : 4 * x1]
    assert np.abs(expected.astype(int) - tile.image).max() <= 1


def test_a_new_request_ends_the_old_one() -> None:
    view = LiveView(stack(1, (400, 400)), model(), CPU)
    old = view.request(0, ((0, 400), (0, 400)))
    next(e for e in old if isinstance(e, LiveTile))
    new = view.request(0, ((0, 30), (0, 30)))
    events, ended = collected(old)
    assert not ended
    assert events == []
    assert collected(new)[1]


def test_cancel_ends_the_request() -> None:
    view = LiveView(stack(1, (400, 400)), model(), CPU)
    work = view.request(0, ((0, 400), (0, 400)))
    next(work)
    view.cancel()
    assert collected(work) == ([], False)


def test_what_is_kept_is_bounded() -> None:
    limit = 40 * 128 * 128
    view = LiveView(stack(3, SHAPE), model(), CPU, cache_bytes=limit)
    for index in (0, 1, 2, 0):
        tiles(view, index, ((0, 150), (0, 190)))
        assert 0 < view.cached_bytes <= limit


def test_recent_forgets_what_was_not_used_for_longest() -> None:
    recent: Recent[str, int] = Recent(3)
    for name in "abc":
        recent.put(name, ord(name), 1)
    recent.get("a")
    recent.put("d", 0, 1)
    assert recent.get("b") is None
    assert recent.get("a") == ord("a")
    recent.put("whole", 1, 3)
    assert recent.get("a") is None
    assert recent.weight == 3


@pytest.mark.parametrize("region", [((200, 300), (0, 50)), ((5, 5), (0, 9))])
def test_nothing_visible_is_nothing_to_do(region: Region) -> None:
    assert tiles(LiveView(stack(1, SHAPE), model(), CPU), 0, region) == []


def test_nan_borders_stay_nan_on_screen() -> None:
    lr = image((1, 90, 90), np.float32)
    lr[:, :20] = np.nan
    view = LiveView(SemStack.from_array(lr, "aligned"), model(), CPU)
    (tile,) = tiles(view, 0, ((0, 90), (0, 90)))
    assert np.array_equal(np.isnan(tile.image), np.isnan(lr[0]).repeat(4, 0).repeat(4, 1))


def test_a_pan_computes_only_what_it_uncovers() -> None:
    view = LiveView(stack(1, (400, 400)), model(), CPU)
    tiles(view, 0, ((100, 200), (100, 200)))
    panned = tiles(view, 0, ((116, 216), (116, 216)))
    new = np.zeros((400, 400), bool)
    for event in collected(view.request(0, ((132, 232), (132, 232))))[0]:
        if isinstance(event, LiveTile):
            new[slice(*event.region[0]), slice(*event.region[1])] = True
    assert new[132:232, 132:232].all()
    assert len(panned) == 3  # what was there, a strip below and a strip at the right


@given(st.sets(st.tuples(st.integers(0, 9), st.integers(0, 9))))
def test_rectangles_hold_exactly_the_cells_given(cells: set[tuple[int, int]]) -> None:
    held = [
        (y, x)
        for rows, columns in _rectangles(sorted(cells))
        for y in range(*rows)
        for x in range(*columns)
    ]
    assert sorted(held) == sorted(cells)
