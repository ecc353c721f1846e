"""Peak memory of upscaling large slices x4, each run in a process of its own.

    PYTHONPATH=. python benchmarks/robustness/memory.py [--width 4000] [--heights 1000 4000 16000] [--dtypes uint8 uint16]
        [--outputs sr.zarr sr.tif] [--network tiny] [--resumed] [--limit-gb 4]

Slices are raw files of a pattern. The network is a tiny one, or with ``--network repeat`` none at all: the engine repeats
pixels, which takes a third of the time and, but for what a tile takes, the same memory. With
``--resumed`` a first process is ended after the first of two slices and the second one, which goes on, is measured. With
``--limit-gb`` the process may not address more than that (``ulimit -v``). Prints a JSON line for each run: the largest part of
physical memory (``VmHWM``) and of addresses (``VmPeak``) that the process ever had, in MB, and its seconds, of the clock and of the processor.
"""

import argparse
import json
import os
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Generator
from pathlib import Path

import numpy as np

TILE = 512
# Rows of the pattern that are made at once.
ROWS = 500


def make_raw(path: Path, slices: int, height: int, width: int, dtype: str) -> None:
    """Write a raw file, some rows at a time."""
    rng = np.random.default_rng(0)
    x, y = np.arange(width), np.arange(ROWS)[:, None]
    grey = 0.5 + 0.3 * ((x // 37 + y // 53) % 2 - 0.5) + 0.02 * rng.standard_normal((ROWS, 1))
    band = (grey * np.iinfo(dtype).max).astype(dtype)
    with path.open("wb") as stream:
        for first in range(0, slices * height, ROWS):
            band[: slices * height - first].tofile(stream)


def repeat_pixels() -> None:
    """Let the engine repeat each pixel instead of running a network."""
    import torch

    from napari_sem_sr.inference.engine.engine import Engine

    def repeated(
        self: Engine, windows: np.ndarray, graph: object, computing: object
    ) -> Generator[None, None, torch.Tensor]:
        yield from ()
        f = self.factor
        return torch.from_numpy(windows).repeat_interleave(f, 1).repeat_interleave(f, 2)

    Engine._iter_run = repeated  # type: ignore[method-assign,assignment]


def work(
    source: str, output: Path, *, network: str, stop: bool, resume: bool, limit_gb: float | None
) -> None:
    """Upscale in this process, and say what memory it took; with ``stop``, leave after the first slice."""
    if limit_gb:
        size = int(limit_gb * 2**30)
        resource.setrlimit(resource.RLIMIT_AS, (size, size))
    import torch

    from napari_sem_sr.events import SliceDone
    from napari_sem_sr.inference.runner import UpscaleSettings, iter_upscale
    from napari_sem_sr.io import read_stack
    from napari_sem_sr.model.bundle import Model
    from napari_sem_sr.model.card import Architecture, Card
    from napari_sem_sr.model.generator import Generator

    if network == "repeat":
        repeat_pixels()
    torch.set_num_threads(1)
    torch.manual_seed(0)
    form = Architecture(channels=4, blocks=1, tail_channels=4)
    network = Generator(4, form.channels, form.blocks, form.tail_channels)
    card = Card.model_construct(name="tiny", factor=4, architecture=form, default_sharpness=0.5)
    weights = {"gan": network.state_dict(), "twin": network.state_dict()}
    model = Model(card, weights, {}, "blake2b:tiny", Path("tiny"))
    settings = UpscaleSettings(device="cpu", precision="fp32", tile=TILE)
    begun = time.perf_counter()
    for event in iter_upscale(read_stack(source), output, model, settings, resume=resume):
        if stop and isinstance(event, SliceDone):
            os._exit(0)
    cpu = round(time.process_time())
    status = Path("/proc/self/status").read_text()
    known = dict(line.split(":", 1) for line in status.splitlines())
    found = {f"{key}_mb": int(known[key].split()[0]) // 1024 for key in ("VmHWM", "VmPeak")}
    print(json.dumps({**found, "seconds": round(time.perf_counter() - begun), "cpu_seconds": cpu}))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--width", type=int, default=4000)
    parser.add_argument("--heights", type=int, nargs="+", default=[1000, 4000, 16000])
    parser.add_argument("--dtypes", nargs="+", default=["uint8", "uint16"])
    parser.add_argument("--outputs", nargs="+", default=["sr.zarr", "sr.tif"])
    parser.add_argument("--network", choices=("tiny", "repeat"), default="tiny")
    parser.add_argument("--resumed", action="store_true")
    parser.add_argument("--limit-gb", type=float)
    parser.add_argument("--work", nargs=3, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.work:
        source, output, how = options.work
        stop, resume = how == "stop", how == "resume"
        network, limit_gb = options.network, options.limit_gb
        work(source, Path(output), network=network, stop=stop, resume=resume, limit_gb=limit_gb)
        return
    limit = ["--limit-gb", str(options.limit_gb)] if options.limit_gb else []
    limit += ["--network", options.network]
    slices = 2 if options.resumed else 1
    for dtype in options.dtypes:
        for height in options.heights:
            with tempfile.TemporaryDirectory() as temporary:
                folder = Path(temporary)
                make_raw(folder / "lr.raw", slices, height, options.width, dtype)
                source = f"{folder / 'lr.raw'}::{slices},{height},{options.width},{dtype}"
                for name in options.outputs:
                    output = folder / name
                    for how in ("stop", "resume") if options.resumed else ("through",):
                        command = [sys.executable, __file__, *limit, "--work", source, str(output)]
                        done = subprocess.run(
                            [*command, how], stdout=subprocess.PIPE, text=True, check=True
                        )
                    said = {"lr": f"{slices} x {height} x {options.width}", "dtype": dtype}
                    said |= {"output": name, "resumed": options.resumed}
                    print(json.dumps(said | json.loads(done.stdout)), flush=True)
                    shutil.rmtree(output) if output.is_dir() else output.unlink()


if __name__ == "__main__":
    main()
