"""Memory and time along made-up stacks of any length, from reading to disk."""

import multiprocessing
import sys
import tempfile
import time
from collections.abc import Generator
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from statistics import fmean
from typing import Any

import dask.array as da
import numpy as np
import numpy.typing as npt
from scipy.ndimage import gaussian_filter

from napari_sem_sr.events import Event, Progress, SliceDone
from napari_sem_sr.inference.runner import iter_upscale
from napari_sem_sr.inference.settings import UpscaleSettings
from napari_sem_sr.model.bundle import Model
from napari_sem_sr.model.zoo import load_model
from napari_sem_sr.stack import SemStack


def specimen(side: int, seed: int = 0) -> npt.NDArray[np.uint8]:
    """A slice of blobs that use all grey levels.

    Parameters
    ----------
    side
        In pixels.
    seed
        Of the blobs.
    """
    noise = np.random.default_rng(seed).standard_normal((side, side))
    smooth = gaussian_filter(noise, 2)
    low, high = np.percentile(smooth, (0.1, 99.9))
    picture: npt.NDArray[np.uint8] = np.clip((smooth - low) / (high - low) * 255, 0, 255).astype(
        np.uint8
    )
    return picture


def iter_stacks(
    model: Model, compared: tuple[int, int], long: int, side: int, device: str
) -> Generator[Event, None, dict[str, Any]]:
    """Peak memory of short and long stacks, each in a process of its own, and time along the long one.

    Parameters
    ----------
    model
        The model that upscales.
    compared
        Numbers of slices of which the peak memory is compared.
    long
        Slices of the stack along which the time per slice is compared.
    side
        Width of the slices in LR pixels.
    device
        As for `upscale`.
    """
    numbers = sorted({*compared, long})
    runs: dict[int, dict[str, Any]] = {}
    spawn = multiprocessing.get_context("spawn")
    for done, slices in enumerate(numbers):
        yield Progress(f"a stack of {slices} slices", done, len(numbers), "stacks")
        with ProcessPoolExecutor(1, mp_context=spawn) as pool:
            runs[slices] = pool.submit(run_stack, str(model.path), slices, side, device).result()
    peaks = {n: run["peak_mib"] for n, run in runs.items()}
    few, many = compared
    growth = None if None in peaks.values() else round(peaks[many] - peaks[few], 1)
    times = runs[long]["seconds_per_slice"]
    # slices of a batch arrive together: only sums over whole batches mean anything
    early, late = times[4:16], times[-16:-4]
    return {
        "slice_px": side,
        "peak_mib": {str(n): peak for n, peak in peaks.items()},
        f"growth_mib_{few}_to_{many}": growth,
        "seconds_early": round(fmean(early), 4) if early else None,
        "seconds_late": round(fmean(late), 4) if late else None,
        "seconds_per_slice": times,
        "stages": runs[long]["stages"],
    }


def run_stack(model: str, slices: int, side: int, device: str) -> dict[str, Any]:
    """Upscale a made-up stack to disk in this process and say what it took.

    Parameters
    ----------
    model
        Name or path.
    slices
        How many.
    side
        Of a slice, in LR pixels.
    device
        As for `upscale`.
    """
    planes = np.stack([specimen(side, seed) for seed in range(4)])

    class Cycling:
        """A stack as long as one likes that holds four slices in memory."""

        shape, dtype, ndim = (slices, side, side), planes.dtype, 3

        def __getitem__(self, key: Any) -> npt.NDArray[np.uint8]:
            index: npt.NDArray[np.uint8] = planes[np.arange(slices)[key[0]] % 4][
                ..., key[1], key[2]
            ]
            return index

    stack = SemStack(da.from_array(Cycling(), chunks=(1, side, side), meta=planes[:0]), "made up")
    arrivals = [time.perf_counter()]
    with tempfile.TemporaryDirectory() as folder:
        work = iter_upscale(
            stack, Path(folder) / "sr.zarr", load_model(model), UpscaleSettings(device=device)
        )
        while True:
            try:
                event = next(work)
            except StopIteration as stop:
                result = stop.value
                break
            if isinstance(event, SliceDone):
                arrivals.append(time.perf_counter())
    return {
        "peak_mib": _peak_mib(),
        "seconds_per_slice": [round(float(s), 4) for s in np.diff(arrivals)],
        "stages": {s.name: {"seconds": s.seconds, "share": s.share} for s in result.stages},
    }


def _peak_mib() -> float | None:
    """Most memory that this process has held, or None where the system does not tell."""
    try:
        import resource
    except ImportError:
        return None
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return round(peak / (2**20 if sys.platform == "darwin" else 2**10), 1)
