"""The fastest tile is measured shortly, remembered for its machine and network, and never in the way."""

from pathlib import Path

import pytest

from napari_sem_sr.inference.engine import tile_calibration
from napari_sem_sr.inference.engine.engine import DEFAULT_TILE, Engine
from napari_sem_sr.inference.engine.tile_calibration import (
    CANDIDATES,
    fastest_tile,
    remembered_tile,
    settled_tile,
)
from napari_sem_sr.inference.plan import choose_here
from napari_sem_sr.inference.settings import UpscaleSettings
from tests.inference.specimens import model, network

TILES = CANDIDATES["cpu"]


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A place of its own for what is remembered."""
    file = tmp_path / "cache" / "tiles.json"
    monkeypatch.setattr(tile_calibration, "cache_file", lambda: file)
    return file


class Paced(Engine):
    """An engine of which each tile takes a given time."""

    seconds: dict[int, float]
    tried: list[int]

    def seconds_for(self, tile: int) -> float:
        self.tried.append(tile)
        if tile not in self.seconds:
            raise RuntimeError("out of memory")
        return self.seconds[tile]


def paced(seconds: dict[int, float], factor: int = 4, precision: str = "fp32") -> Paced:
    engine = Paced(network(factor), device="cpu", precision=precision)
    engine.seconds, engine.tried = seconds, []
    return engine


def test_the_tile_with_most_pixels_per_second_wins() -> None:
    engine = paced({t: t**2 * (1 if t == 384 else 2) * 1e-7 for t in TILES})
    assert fastest_tile(engine) == 384


def test_a_larger_tile_that_is_hardly_faster_is_not_worth_its_memory() -> None:
    engine = paced({t: t**2 * 1e-7 * (1 - t * 1e-5) for t in TILES})
    assert fastest_tile(engine) == TILES[0]


def test_a_slow_machine_is_not_kept_waiting() -> None:
    engine = paced({t: t**2 * 1e-4 for t in TILES})
    assert fastest_tile(engine, budget=4.0) == TILES[0]
    assert set(engine.tried) == {TILES[0]}


def test_tiles_that_memory_does_not_hold_are_left_out() -> None:
    engine = paced(dict.fromkeys(TILES[:3], 0.001))
    assert fastest_tile(engine) == TILES[2]


def test_what_was_measured_is_remembered_for_this_network_and_precision_only(cache: Path) -> None:
    engine = paced({t: 1e-3 if t <= 256 else 1.0 for t in TILES})
    assert settled_tile(engine) == 256
    assert Engine(network(seed=5), device="cpu", precision="fp32").tile == 256
    assert remembered_tile(paced({}, factor=2)) is None
    assert remembered_tile(paced({}, precision="bf16")) is None
    again = paced({})
    assert settled_tile(again) == 256
    assert again.tried == []
    assert [p.name for p in cache.parent.iterdir()] == [cache.name]


@pytest.mark.parametrize("content", ["", '{"cut', "[3]", "{}"])
def test_a_damaged_memory_is_no_memory(cache: Path, content: str) -> None:
    cache.parent.mkdir()
    cache.write_text(content)
    engine = paced(dict.fromkeys(TILES, 0.001))
    assert engine.tile == DEFAULT_TILE["cpu"]
    assert settled_tile(engine) == TILES[-1]
    assert remembered_tile(engine) == TILES[-1]


def test_a_home_that_cannot_be_written_to_does_not_stop_the_work(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setattr(tile_calibration, "cache_file", lambda: tmp_path / "file" / "tiles.json")
    assert settled_tile(paced(dict.fromkeys(TILES, 0.001))) == TILES[-1]


def test_only_a_long_run_waits_for_a_measurement(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Engine, "seconds_for", lambda self, tile: 1e-3)
    fp32 = UpscaleSettings(device="cpu", precision="fp32")
    assert choose_here(model(), fp32, 10_000).tile == DEFAULT_TILE["cpu"]
    assert choose_here(model(), fp32, 10**9).tile == TILES[-1]
    assert choose_here(model(), fp32, 10_000).tile == TILES[-1]


def test_a_real_tile_takes_some_time() -> None:
    assert 0 < Engine(network(), device="cpu").seconds_for(32) < 30
