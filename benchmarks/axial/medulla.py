"""An isotropic volume of the medulla against what was measured between the slices it was made of.

Every r-th slice of an isotropic stack is kept; ``sem-sr isotropic`` learns from those alone and fills in the others.
Beside it stand nearest, linear and cubic interpolation and, with ``--care``, CSBDeep's published approach learned for
as many steps or minutes (care.py). PSNR over the slices left out, and over those in the middle between two kept ones.

python benchmarks/axial/medulla.py --data ../shared/data [--sample 1] [--ratio 4] [--minutes 10 | --steps N] [--care]
"""

import argparse
import json
import os
import time
from pathlib import Path

import numpy as np
import tifffile
from care import care_volume

from napari_sem_sr.axial.fill.interpolation import interpolated
from napari_sem_sr.axial.run import iter_isotropic
from napari_sem_sr.axial.settings import IsotropicSettings
from napari_sem_sr.events import LeftOutScored, Notice, StepDone
from napari_sem_sr.io import read_stack
from napari_sem_sr.stack import SemStack


def psnr(volume: np.ndarray, truth: np.ndarray, chosen: np.ndarray) -> float:
    """PSNR in dB over the slices ``chosen``; range 255."""
    error = np.rint(np.clip(volume[chosen], 0, 255)) - truth[chosen].astype(float)
    return float(10 * np.log10(255**2 / np.mean(error**2)))


def main() -> None:
    """Print a JSON document of scores, times and load."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--out", type=Path, default=Path("axial_medulla"))
    parser.add_argument("--sample", type=int, default=1)
    parser.add_argument("--ratio", type=int, default=4)
    parser.add_argument("--minutes", type=float, default=10.0)
    parser.add_argument("--steps", type=int)
    parser.add_argument("--leave-out", type=int, default=2)
    parser.add_argument("--care", action="store_true")
    asked = parser.parse_args()
    file = asked.data / "medulla_fibsem" / f"training_sample{asked.sample}_250x250x250.tif"
    truth = tifffile.imread(file)
    r = asked.ratio
    truth = truth[: (len(truth) - 1) // r * r + 1]
    stack = SemStack.from_array(truth[::r], "medulla", voxel_nm=(10.0 * r, 10.0, 10.0))
    places = np.arange(len(truth))
    left_out = places[places % r != 0]
    middle = places[np.isin(places % r, (r // 2, (r + 1) // 2))]
    kept = truth[::r].astype(np.float32)
    volumes = {
        "nearest": kept[np.rint(places / r).astype(int)],
        "linear": interpolated(kept, places / r, "linear"),
        "cubic": interpolated(kept, places / r, "cubic"),
    }
    begun, cpu = time.perf_counter(), time.process_time()
    settings = IsotropicSettings(
        minutes=asked.minutes, steps=asked.steps, leave_out=asked.leave_out
    )
    steps: dict[str, int] = {}
    work = iter_isotropic(stack, asked.out / "ours.zarr", settings, resume=True)
    for event in work:
        if isinstance(event, StepDone):
            steps[event.stage] = event.step
        elif isinstance(event, Notice | LeftOutScored):
            print(event, flush=True)
    ours = {"wall_s": time.perf_counter() - begun, "cpu_s": time.process_time() - cpu}
    volumes["ours"] = np.asarray(read_stack(asked.out / "ours.zarr").data).astype(np.float32)
    document = {
        "shape": list(truth.shape),
        "steps": steps,
        **ours,
        "load": os.getloadavg(),
        "threads": os.environ.get("OMP_NUM_THREADS"),
    }
    if asked.care:
        begun, cpu = time.perf_counter(), time.process_time()
        volumes["isotropic CARE"] = care_volume(
            kept, r, steps=asked.steps and 2 * asked.steps, minutes=asked.minutes
        )
        document["care_cpu_s"] = time.process_time() - cpu
    document["scores"] = {
        name: {
            "left_out": round(psnr(volume, truth, left_out), 3),
            "middle": round(psnr(volume, truth, middle), 3),
        }
        for name, volume in volumes.items()
    }
    print(json.dumps(document, indent=1))


if __name__ == "__main__":
    main()
