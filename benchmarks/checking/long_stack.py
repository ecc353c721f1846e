"""Memory and time of checking a stack, few slices against many, and that a stopped check goes on.

Each check runs in a process of its own, whose peak memory the system counts.
"""

import json
import resource
import subprocess
import sys
import tempfile
import time
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import dask.array as da
import numpy as np
from common import keep, row

from napari_sem_sr.checking import iter_check
from napari_sem_sr.events import Progress, drain
from napari_sem_sr.model.bundle import Model
from napari_sem_sr.model.zoo import load_model
from napari_sem_sr.samples import medulla_hr
from napari_sem_sr.stack import SemStack

LR_PX = 64


def stacks(slices: int) -> tuple[SemStack, SemStack]:
    """LR and SR of any number of slices, made when they are read."""
    hr = medulla_hr().data[0].compute()
    tile = np.tile(hr, (3, 3))[: 4 * LR_PX, : 4 * LR_PX]

    def plane(block_info=None, fine=True):
        z = block_info[None]["array-location"][0][0]
        turned = np.roll(tile, 3 * z, axis=(z % 2))
        lr = turned.reshape(LR_PX, 4, LR_PX, 4).mean(axis=(1, 3)).round().astype(np.uint8)
        return (np.kron(lr, np.ones((4, 4), np.uint8)) if fine else lr)[None]

    shape = (slices, LR_PX, LR_PX)
    chunks = ((1,) * slices, (LR_PX,), (LR_PX,))
    fine = ((1,) * slices, (4 * LR_PX,), (4 * LR_PX,))
    coarse = da.map_blocks(plane, chunks=chunks, dtype=np.uint8, fine=False)
    lr = SemStack(data=coarse, name="LR", voxel_nm=(40.0, 40.0, 40.0))
    assert lr.shape == shape
    return lr, replace(lr.upscaled(da.map_blocks(plane, chunks=fine, dtype=np.uint8), 4), name="SR")


def one(name: str, slices: int) -> None:
    """Check and print peak memory in MB and seconds; stopped once on the way."""
    model = load_model(name)
    lr, sr = stacks(slices)
    start = time.perf_counter()
    with tempfile.TemporaryDirectory() as folder:
        with closing(iter_check(lr, sr, model=model, out=folder)) as work:
            for event in work:
                if (
                    isinstance(event, Progress)
                    and event.what == "checking"
                    and event.done == slices // 2
                ):
                    break
        report = drain(iter_check(lr, sr, model=model, out=folder, resume=True))
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(
        json.dumps(
            {
                "slices": slices,
                "peak_mb": peak,
                "seconds": time.perf_counter() - start,
                "regions": len(report.regions),
            }
        )
    )


def run(model: Model, data: Path, out: Path, quick: bool) -> None:
    found = []
    for slices in (8, 24) if quick else (8, 72, 512):
        command = [sys.executable, __file__, str(model.path), str(slices)]
        done = subprocess.run(command, capture_output=True, text=True, check=True)
        found.append(json.loads(done.stdout.splitlines()[-1]))
        print(found[-1], flush=True)
    first, last = found[0], found[-1]
    rows = [
        row(
            f"checking {last['slices']} slices of {LR_PX} × {LR_PX} LR pixels, stopped and resumed: peak memory over that of {first['slices']}",
            "<= 32 MB",
            f"{last['peak_mb'] - first['peak_mb']:.0f} MB ({first['peak_mb']:.0f} MB in all)",
            f"{last['slices']} slices",
        ),
        row("… time per slice", "", f"{last['seconds'] / last['slices']:.2f} s", ""),
    ]
    keep(out, "long_stack", rows, found)


if __name__ == "__main__":
    one(sys.argv[1], int(sys.argv[2]))
