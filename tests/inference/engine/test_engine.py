"""One slice: tiles leave no trace, memory may run out anywhere, no pixel is made up or lost."""

from collections.abc import Callable, Generator

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.ndimage import distance_transform_edt

from napari_sem_sr.errors import InputError, ModelError
from napari_sem_sr.events import Notice, TileDone
from napari_sem_sr.inference.engine.devices import available_devices, is_out_of_memory, pick_device
from napari_sem_sr.inference.engine.engine import MIN_TILE, Engine
from napari_sem_sr.inference.engine.graph import InferenceGraph
from napari_sem_sr.inference.engine.prepared import UnusableSliceError
from napari_sem_sr.inference.engine.tiling import layout
from napari_sem_sr.intensity import IntensityRange, range_of, to_dtype
from napari_sem_sr.model.zoo import load_model
from tests.inference.specimens import collected, image, network

UINT8 = IntensityRange(0.0, 255.0)
FLOAT = np.dtype(np.float32)


def untiled(lr: np.ndarray, intensity: IntensityRange, factor: int = 4) -> np.ndarray:
    """What the network itself makes of the whole image, as grey values."""
    with torch.inference_mode():
        x = torch.from_numpy(intensity.normalise(lr))[None, None]
        return intensity.restore(network(factor)(x)[0, 0].numpy())


@settings(max_examples=15, deadline=None)
@given(height=st.integers(1, 140), width=st.integers(1, 40), factor=st.sampled_from([2, 3, 4, 8]))
def test_the_graph_that_is_run_gives_what_the_network_gives(
    height: int, width: int, factor: int
) -> None:
    net = network(factor)
    graph = InferenceGraph(net, torch.device("cpu"), torch.float32)
    with torch.inference_mode():
        x = torch.from_numpy(image((2, 1, height, width), np.float32)) / 700
        assert (graph(x) - net(x)).abs().max() < 1e-4


@pytest.mark.parametrize("factor", [2, 3, 4, 8])
def test_the_network_depends_on_pixels_up_to_its_reach_and_no_further(factor: int) -> None:
    net = network(factor)
    size = 2 * net.reach + 7
    centre = size // 2
    with torch.inference_mode():
        x = torch.rand((1, 1, size, size))
        before = net(x)
        for distance, counts in ((net.reach, True), (net.reach + 1, False)):
            y = x.clone()
            y[..., centre, centre + distance] += 1e4
            y[..., centre + distance, centre] += 1e4
            f = slice(factor * centre, factor * (centre + 1))
            changed = bool((net(y)[..., f, f] != before[..., f, f]).any())
            # a reach one pixel too wide costs a little time, one too narrow costs wrong pixels
            assert changed <= counts


@settings(max_examples=15, deadline=None)
@given(
    height=st.integers(1, 75),
    width=st.integers(1, 75),
    tile=st.integers(MIN_TILE, 60),
    factor=st.sampled_from([2, 3, 4, 8]),
)
def test_tiled_equals_untiled_everywhere(height: int, width: int, tile: int, factor: int) -> None:
    lr = image((height, width))
    engine = Engine(network(factor), device="cpu", precision="fp32", tile=tile)
    tiled = engine.upscale_slice(lr, UINT8, FLOAT).image
    assert tiled.shape == (factor * height, factor * width)
    assert np.abs(tiled - untiled(lr, UINT8, factor)).max() < 0.05


@settings(max_examples=15, deadline=None)
@given(data=st.data(), tile=st.integers(MIN_TILE, 60))
def test_a_region_holds_the_pixels_of_the_full_run(data: st.DataObject, tile: int) -> None:
    lr = image((61, 83))
    bounds = []
    for size in lr.shape:
        start = data.draw(st.integers(0, size - 1))
        bounds.append((start, data.draw(st.integers(start + 1, size))))
    region = (bounds[0], bounds[1])
    engine = Engine(network(), device="cpu", precision="fp32", tile=tile)
    part = engine.upscale_slice(lr, UINT8, FLOAT, region).image
    (y0, y1), (x0, x1) = region
    whole = untiled(lr, UINT8)
    assert np.abs(part - whole[4 * y0 : 4 * y1, 4 * x0 : 4 * x1]).max() < 0.05


def test_a_region_outside_the_slice_is_refused() -> None:
    engine = Engine(network(), device="cpu")
    with pytest.raises(InputError, match="does not lie in"):
        engine.upscale_slice(image((20, 20)), UINT8, FLOAT, ((0, 21), (0, 5)))


@pytest.mark.parametrize("dtype", [np.uint8, np.int8, np.uint16, np.int16, np.float32, np.float64])
def test_pixels_keep_their_dtype(dtype: type) -> None:
    lr = image((40, 40), dtype)
    intensity = range_of(lr)
    result = Engine(network(), device="cpu", precision="fp32").upscale_slice(
        lr, intensity, lr.dtype
    )
    assert result.image.dtype == lr.dtype
    expected, outside = to_dtype(untiled(lr, intensity), lr.dtype)
    assert result.outside == outside
    assert np.abs(result.image.astype(float) - expected.astype(float)).max() <= max(
        1.0, (intensity.high - intensity.low) / 255
    )


def test_a_dim_16_bit_image_keeps_its_grey_levels() -> None:
    lr = 1000 + image((40, 40)).astype(np.uint16) // 8
    intensity = range_of(lr)
    sr = Engine(network(), device="cpu", precision="fp32").upscale_slice(lr, intensity, lr.dtype)
    exact = untiled(lr, intensity)
    assert np.abs(sr.image.astype(float) - exact).max() <= 0.51
    assert sr.outside == 0


def test_values_that_the_dtype_cannot_hold_are_counted() -> None:
    lr = image((40, 40))
    narrow = IntensityRange(120.0, 130.0)
    exact = untiled(lr, narrow)
    lost = np.count_nonzero((np.rint(exact) < 0) | (np.rint(exact) > 255))
    assert lost > 0
    assert Engine(network(), device="cpu").upscale_slice(lr, narrow, lr.dtype).outside == lost


@pytest.mark.parametrize("tile", [None, 20])
def test_nan_borders_stay_nan_and_the_rest_does_not_see_them(tile: int | None) -> None:
    lr = image((50, 60), np.float32)
    lr[:9] = np.nan
    lr[:, -13:] = np.nan
    lr[30, 30] = np.inf
    invalid = ~np.isfinite(lr)
    intensity = range_of(lr)
    nearest = distance_transform_edt(invalid, return_distances=False, return_indices=True)
    expected = untiled(lr[tuple(nearest)], intensity)
    mask = invalid.repeat(4, 0).repeat(4, 1)
    sr = Engine(network(), device="cpu", precision="fp32", tile=tile).upscale_slice(
        lr, intensity, lr.dtype
    )
    assert np.array_equal(np.isnan(sr.image), mask)
    assert np.abs(sr.image - expected)[~mask].max() < (intensity.high - intensity.low) / 255


def test_a_slice_that_is_all_nan_is_refused_by_number() -> None:
    lr = np.full((20, 20), np.nan, np.float32)
    with pytest.raises(UnusableSliceError, match="Slice 17 is all NaN"):
        Engine(network(), device="cpu").upscale_slice(lr, UINT8, lr.dtype, index=17)


OUT_OF_MEMORY: dict[str, Callable[[], Exception]] = {
    "cuda": lambda: torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB"),
    "mps": lambda: RuntimeError("MPS backend out of memory (MPS allocated: 9.06 GB)"),
    "cpu": lambda: RuntimeError("[enforce fail] DefaultCPUAllocator: can't allocate memory"),
    "onednn": lambda: RuntimeError("could not create a memory"),
    "python": MemoryError,
}


class Failing:
    """An engine's graph that raises at chosen calls, after it has filled its result with rubbish."""

    def __init__(self, engine: Engine, at: set[int], error: Callable[[], Exception]) -> None:
        self._graph, self._at, self._error = engine._graph, at, error
        self.calls = 0
        engine._graph = self  # type: ignore[assignment]

    def iter_forward(self, x: torch.Tensor) -> Generator[None, None, torch.Tensor]:
        self.calls += 1
        result = yield from self._graph.iter_forward(x)
        if self.calls - 1 in self._at:
            result.fill_(float("nan"))
            raise self._error()
        return result


@pytest.mark.parametrize("kind", OUT_OF_MEMORY)
def test_memory_may_run_out_at_any_tile_and_the_picture_is_the_same(kind: str) -> None:
    lr = image((70, 90))
    whole = untiled(lr, UINT8)
    n_tiles = len(layout((70, 90), ((0, 70), (0, 90)), 48, network().reach))
    assert n_tiles > 2
    for at in range(n_tiles):
        engine = Engine(network(), device="cpu", precision="fp32", tile=48)
        Failing(engine, {at}, OUT_OF_MEMORY[kind])
        events, result = collected(engine.iter_slice(lr, UINT8, FLOAT))
        assert np.abs(result.image - whole).max() < 0.05
        assert engine.tile < 48
        notices = [e.message for e in events if isinstance(e, Notice)]
        assert len(notices) == 1
        assert f"{engine.tile} px" in notices[0]
        tiles = [e for e in events if isinstance(e, TileDone)]
        assert tiles[-1].done == tiles[-1].total
        assert [e.total for e in tiles].count(n_tiles) == at


def test_memory_may_run_out_again_and_again() -> None:
    lr = image((70, 90))
    engine = Engine(network(), device="cpu", precision="fp32", tile=64)
    failing = Failing(engine, {1, 4}, OUT_OF_MEMORY["onednn"])
    result = engine.upscale_slice(lr, UINT8, FLOAT)
    assert failing.calls > 5
    assert np.abs(result.image - untiled(lr, UINT8)).max() < 0.05
    assert MIN_TILE <= engine.tile < 32


def test_memory_that_never_suffices_ends_in_one_sentence() -> None:
    engine = Engine(network(), device="cpu", tile=64)
    Failing(engine, set(range(1000)), OUT_OF_MEMORY["cpu"])
    with pytest.raises(InputError, match="There is not enough memory for slice 3") as caught:
        engine.upscale_slice(image((70, 90)), UINT8, FLOAT, index=3)
    assert "\n" not in str(caught.value)


def test_another_error_is_not_mistaken_for_missing_memory() -> None:
    engine = Engine(network(), device="cpu")
    Failing(engine, {0}, lambda: RuntimeError("shapes do not match"))
    with pytest.raises(RuntimeError, match="shapes"):
        engine.upscale_slice(image((20, 20)), UINT8, FLOAT)
    assert not is_out_of_memory(ValueError("out of memory"))


def test_numbers_that_are_not_finite_never_become_pixels() -> None:
    broken = network()
    broken.tail.bias.fill_(float("inf"))
    with pytest.raises(ModelError, match="not finite in slice 5"):
        Engine(broken, device="cpu", precision="fp32").upscale_slice(
            image((20, 20)), UINT8, np.dtype(np.uint8), index=5
        )


@pytest.mark.parametrize("precision", ["bf16", "fp16"])
def test_reduced_precision_tells_how_far_from_fp32_it_is(precision: str) -> None:
    lr = image((48, 48))
    engine = Engine(network(), device="cpu", precision=precision)
    assert engine.precision == precision
    assert 0 < engine.deviation < 0.5  # a random network doubles what it is given in every layer
    reduced = engine.upscale_slice(lr, UINT8, FLOAT).image
    actual = np.abs(reduced - untiled(lr, UINT8)).max() / 255
    assert 0 < actual < 3 * engine.deviation


def test_automatic_precision_keeps_nearly_all_pixels_within_a_grey_level_of_fp32() -> None:
    trained = load_model("sem-x4")
    lr = image((48, 48))
    for which in ("twin", "gan"):
        net = trained.network(which)
        auto = Engine(net, device="cpu", precision="auto")
        exact = Engine(net, device="cpu", precision="fp32")
        off = np.abs(
            auto.upscale_slice(lr, UINT8, FLOAT).image - exact.upscale_slice(lr, UINT8, FLOAT).image
        )
        assert np.quantile(off, 0.99) <= 1.0
        assert auto.precision == "fp32" or auto.deviation > 0


def test_a_network_that_needs_fp32_gets_it() -> None:
    # a random one doubles every rounding error in each of its layers
    loud = network()
    loud.tail.weight.mul_(20)
    assert Engine(loud, device="cpu", precision="auto").precision == "fp32"


def test_the_network_that_was_given_is_not_changed() -> None:
    net = network()
    before = {k: (v.clone(), v.dtype, v.stride()) for k, v in net.state_dict().items()}
    Engine(net, device="cpu", precision="bf16").upscale_slice(image((20, 20)), UINT8, FLOAT)
    for key, value in net.state_dict().items():
        assert torch.equal(value, before[key][0])
        assert (value.dtype, value.stride()) == before[key][1:]


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ({"device": "tpu"}, "no device 'tpu'"),
        ({"device": "cuda:999"}, "not available"),
        ({"precision": "int4"}, "no precision 'int4'"),
        ({"tile": 3}, "at least 16"),
    ],
)
def test_a_setting_that_cannot_be_met_is_one_sentence(given: dict, sentence: str) -> None:
    with pytest.raises(InputError, match=sentence):
        Engine(network(), **given)


def test_the_automatic_device_is_the_best_that_is_there() -> None:
    assert pick_device("auto").type == available_devices()[0]
    assert available_devices()[-1] == "cpu"
