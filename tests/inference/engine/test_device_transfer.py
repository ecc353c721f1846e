"""SR pixels on their way from the device: the right grey values, whatever is still on its way."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as some

from napari_sem_sr.errors import ModelError
from napari_sem_sr.events import TileDone, drain
from napari_sem_sr.inference.engine import engine as engines
from napari_sem_sr.inference.engine.device_transfer import DeviceTransfer
from napari_sem_sr.inference.engine.engine import Engine
from napari_sem_sr.intensity import IntensityRange, to_dtype
from tests.inference.specimens import network

DTYPES = ("u1", "i1", "u2", "i2", "i4", "f4", "f8")


def arrived(
    sr: np.ndarray, intensity: IntensityRange, dtype: np.dtype
) -> list[tuple[np.ndarray, int] | None]:
    work = DeviceTransfer(torch.from_numpy(sr), intensity, dtype).iter_arrive()
    with pytest.raises(StopIteration) as stop:
        next(work)
    return stop.value.value


@given(
    some.arrays(np.float32, (2, 3, 5), elements=st.floats(-2, 3, width=32)),
    st.sampled_from(DTYPES),
    st.floats(-1000, 1000),
    st.floats(1, 70000),
)
def test_grey_values_are_those_that_numpy_restores_and_rounds(
    sr: np.ndarray, dtype: str, low: float, width: float
) -> None:
    intensity, wanted = IntensityRange(low, low + width), np.dtype(dtype)
    for (pixels, outside), part in zip(arrived(sr, intensity, wanted), sr, strict=True):
        expected, lost = to_dtype(intensity.restore(part), wanted)
        assert pixels.dtype == wanted
        assert np.array_equal(pixels, expected)
        assert outside == lost


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("dtype", DTYPES)
def test_numbers_that_are_not_finite_are_told(bad: float, dtype: str) -> None:
    sr = np.zeros((3, 3, 3), np.float32)
    sr[1, 1, 1] = bad
    first, second, third = arrived(sr, IntensityRange(0, 1), np.dtype(dtype))
    assert second is None
    for whole in (first, third):
        assert whole is not None
        assert not whole[0].any()


def test_tiles_that_arrive_late_land_where_they_belong(monkeypatch: pytest.MonkeyPatch) -> None:
    lr = np.random.default_rng(0).integers(0, 255, (70, 53), np.uint8)
    engine = Engine(network(), device="cpu", precision="fp32", tile=16)
    at_once = engine.upscale_slice(lr, IntensityRange(0, 255), lr.dtype).image
    for ahead in (1, 2, 99):
        monkeypatch.setitem(engines.AHEAD, "cpu", ahead)
        work = engine.iter_slice(lr, IntensityRange(0, 255), lr.dtype)
        told = []
        late = drain(_noting(work, told))
        assert np.array_equal(late.image, at_once)
        assert [t.done for t in told] == list(range(1, told[0].total + 1))
        assert len(told) > 9


def test_a_tile_on_its_way_does_not_hide_that_another_is_not_finite(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(engines.AHEAD, "cpu", 1)
    lr = np.zeros((40, 40), np.float32)
    engine = Engine(network(), device="cpu", precision="fp32", tile=16)
    with torch.no_grad():
        engine._graph.tail.bias.fill_(torch.nan)
    with pytest.raises(ModelError, match="not finite in slice 3"):
        engine.upscale_slice(lr, IntensityRange(0, 1), lr.dtype, index=3)


def _noting(work, told):
    try:
        while True:
            event = next(work)
            if isinstance(event, TileDone):
                told.append(event)
            yield event
    except StopIteration as stop:
        return stop.value
