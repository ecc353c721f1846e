"""How well the matching finds a degradation that is known, on real images.

    python benchmarks/match_recovery.py --data ../shared/data --out docs/measurements/match.json

LR is made of some specimens with known blur, noise and tone curve, and matched from others of the same material. It is
recorded with headroom: noise that black and white cut off is another fault, which matching does not know.
"""

import argparse
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from napari_sem_sr.degradation.degrade import AnyStep, Degradation, degrade_stack
from napari_sem_sr.degradation.match import iter_match
from napari_sem_sr.degradation.noise_steps import Dose, ReadNoise
from napari_sem_sr.degradation.steps import AreaAverage, BeamBlur, ContrastChange
from napari_sem_sr.events import drain
from napari_sem_sr.samples import medulla_hr
from napari_sem_sr.stack import SemStack
from napari_sem_sr.teachers.teacher import Teacher, read_teachers, teachers_of

CASES: dict[str, tuple[AnyStep, ...]] = {
    "averaging alone": (AreaAverage(),),
    "blur, dose and read noise": (
        BeamBlur(sigma=0.6, unit="LR pixel"),
        AreaAverage(),
        Dose(electrons=60),
        ReadNoise(sigma=0.03),
    ),
    "a little blur, read noise": (
        BeamBlur(sigma=0.4, unit="LR pixel"),
        AreaAverage(),
        ReadNoise(sigma=0.08),
    ),
    "blur, few electrons, tone curve": (
        ContrastChange(gamma=1.4),
        BeamBlur(sigma=0.8, unit="LR pixel"),
        AreaAverage(),
        Dose(electrons=30),
    ),
}


def material(name: str, data: Path) -> tuple[list[Teacher], SemStack, int]:
    """Teachers, HR of other specimens, and the factor between."""
    if name == "medulla":
        sample = replace(medulla_hr(), voxel_nm=(None, None, None))
        teachers = [replace(t, group=t.name) for t in teachers_of(sample)[:12:2]]
        return teachers, replace(sample, data=sample.data[12:]), 2
    teachers, _ = read_teachers(sorted((data / name).glob("*.png")))
    groups = sorted({t.group for t in teachers})
    kept = set(groups[::2])
    others = [t.image for t in teachers if t.group not in kept]
    side = np.min([o.shape for o in others], axis=0)
    hr = SemStack.from_array(np.stack([o[: side[0], : side[1]] for o in others]), name)
    return [t for t in teachers if t.group in kept], hr, 4


def numbers(how: Degradation) -> dict[str, float]:
    """Blur in LR pixels, standard deviation of noise at three greys, gamma."""
    blur = next((s.sigma for s in how.steps if isinstance(s, BeamBlur)), 0.0)
    gamma = next((s.gamma for s in how.steps if isinstance(s, ContrastChange)), 1.0)
    found = {"blur_lr_px": blur, "gamma": gamma}
    for grey in (0.3, 0.5, 0.7):
        variance = sum(grey / s.electrons for s in how.steps if isinstance(s, Dose))
        variance += sum(s.sigma**2 for s in how.steps if isinstance(s, ReadNoise))
        found[f"noise_at_{grey}"] = round(variance**0.5, 4)
    return found


def main() -> None:
    """Fit every case on every material and write what came out."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--materials", nargs="+", default=["medulla", "powder", "coating"])
    arguments = parser.parse_args()
    rows: list[dict[str, Any]] = []
    for name in arguments.materials:
        teachers, hr, factor = material(name, arguments.data)
        for case, steps in CASES.items():
            how = Degradation(steps=steps)
            headroom = replace(hr, data=hr.data.astype(np.float32))
            lr = degrade_stack(headroom, factor, how, seed=3)
            match = drain(iter_match(teachers, lr, factor))
            row = {
                "material": name,
                "factor": factor,
                "case": case,
                "true": numbers(how),
                "found": numbers(match.degradation),
                "told_apart": match.apart and round(match.apart.auroc, 2),
                "null_95": match.apart and round(match.apart.null_95, 2),
                "by_averaging_alone": match.apart_before and round(match.apart_before.auroc, 2),
            }
            print(json.dumps(row), flush=True)
            rows.append(row)
    arguments.out.write_text(json.dumps(rows, indent=1) + "\n")


if __name__ == "__main__":
    main()
