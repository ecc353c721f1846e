"""Do numbers of a volume get closer to the truth with SR than with bicubic? On phantoms whose truth is known.

Structures: a Li-ion cathode and an electrode (segmented volumes, made smooth and enlarged), spheres, and a random level set. Each is painted with greys,
a faint texture and curtains, blurred by a beam, sliced every 2 or 4 pixels along z (a slice is a thin plane), averaged 4 x 4 to LR, and given noise.
LR becomes bicubic, twin (sharpness 0) and SR (default sharpness) by a bundled model that never saw any of it; each is measured with the same defaults
(Otsu's threshold of its own greys). The truth is measured on the phantom itself, all its slices, with its own labels.

    python benchmarks/measure_phantoms.py --data DATA --out docs/measurements/measure_phantoms.json [--model sem-x4]

DATA has the folder `labels`. About 10 minutes on two cores that have nothing else to do.
"""

import argparse
import json
import tempfile
import time
from pathlib import Path

import numpy as np
import tifffile
from scipy.ndimage import gaussian_filter, gaussian_filter1d, zoom

from napari_sem_sr.events import drain
from napari_sem_sr.inference.runner import UpscaleSettings, upscale
from napari_sem_sr.io import read_stack
from napari_sem_sr.measure.bicubic import interpolated
from napari_sem_sr.measure.phase import Asked, iter_phase
from napari_sem_sr.measure.phases.label import iter_threshold
from napari_sem_sr.measure.phases.segmentation import Threshold
from napari_sem_sr.measure.scratch import PlaneFile
from napari_sem_sr.model.zoo import load_model
from napari_sem_sr.stack import SemStack

EDGE, PIXEL_NM, FACTOR = 96, 10.0, 4
# Grey levels of the dark and the bright phase.
DARK, BRIGHT = 75.0, 165.0
STEPS, NOISE = (2, 4), (2.0, 8.0)
BEAM_PX = 1.2


def cathode(data: Path) -> np.ndarray:
    """Particles of a Li-ion NMC cathode."""
    labels = tifffile.imread(data / "labels" / "NMC_lr_input.tif")
    part = (slice(10, 10 + EDGE // 4),) * 3
    return _enlarged(labels[part] > 0, 4)


def electrode(data: Path) -> np.ndarray:
    """Solid of an electrode."""
    labels = tifffile.imread(data / "labels" / "electrode_taufactor.tiff")
    part = (slice(20, 20 + EDGE // 3),) * 3
    return _enlarged(labels[part] > 0, 3)


def spheres(data: Path) -> np.ndarray:
    """Polydisperse spheres that do not overlap, 5 to 14 pixels in radius."""
    rng = np.random.default_rng(5)
    mask = np.zeros((EDGE,) * 3, bool)
    grid = np.ogrid[:EDGE, :EDGE, :EDGE]
    kept: list[tuple[np.ndarray, float]] = []
    for radius in np.sort(rng.uniform(5, 14, 120))[::-1]:
        for _ in range(40):
            centre = rng.uniform(-radius, EDGE + radius, 3)
            if all(np.linalg.norm(centre - c) > radius + r + 1.5 for c, r in kept):
                kept.append((centre, radius))
                mask |= sum((g - c) ** 2 for g, c in zip(grid, centre, strict=True)) <= radius**2
                break
    return mask


def level_set(data: Path) -> np.ndarray:
    """A bicontinuous structure, as of a foam or a dealloyed metal."""
    rng = np.random.default_rng(6)
    field = gaussian_filter(rng.standard_normal((EDGE + 40,) * 3), 5.0)[20:-20, 20:-20, 20:-20]
    return field > np.quantile(field, 0.6)


PHANTOMS = {f.__name__: f for f in (cathode, electrode, spheres, level_set)}


def _enlarged(mask: np.ndarray, times: int) -> np.ndarray:
    """A segmented volume with smooth surfaces on a finer grid."""
    smooth = gaussian_filter(mask.astype(np.float32), 0.6)
    fine = zoom(smooth, times, order=1, grid_mode=True, mode="nearest")
    fine = gaussian_filter(fine, times / 2)
    # smoothing moves the border; the fraction stays
    return fine > np.quantile(fine, 1 - mask.mean())


def photograph(mask: np.ndarray, step: int, noise: float, seed: int) -> SemStack:
    """LR slices of a phantom."""
    rng = np.random.default_rng(seed)
    slices = []
    curtains = gaussian_filter1d(rng.standard_normal(EDGE), 4.0)
    curtains *= 0.015 / curtains.std()
    for plane in mask[::step]:
        texture = gaussian_filter(rng.standard_normal(plane.shape), 3.0)
        grey = np.where(plane, BRIGHT, DARK) * (1 + curtains) + 2.5 * texture / texture.std()
        lr = (
            gaussian_filter(grey, BEAM_PX)
            .reshape(EDGE // FACTOR, FACTOR, EDGE // FACTOR, FACTOR)
            .mean((1, 3))
        )
        slices.append(np.clip(np.rint(lr + noise * rng.standard_normal(lr.shape)), 0, 255))
    pixel = PIXEL_NM * FACTOR
    return SemStack.from_array(
        np.array(slices, np.uint8), "lr", voxel_nm=(PIXEL_NM * step, pixel, pixel)
    )


def bright_phase(stack: SemStack, folder: Path) -> dict[str, tuple[float, float, float]]:
    """Numbers (value, low, high) of the bright phase by Otsu's threshold."""
    phases = drain(iter_threshold(stack, Threshold(), folder / "phases"))
    masks = PlaneFile(folder / "mask", stack.shape, bool)
    for index in range(stack.shape[0]):
        masks.write(index, phases.mask(index, 1))
    numbers = _numbers(masks, stack.voxel_nm, folder)
    phases.file.remove()
    return numbers


def _numbers(masks: PlaneFile, voxel: tuple, folder: Path) -> dict[str, tuple[float, float, float]]:
    valid = np.ones(masks.shape[1:], bool)
    found = drain(iter_phase(masks, lambda _: valid, voxel, folder, "phantom", Asked()))
    masks.remove()
    if found.objects is not None:
        found.objects.labels.remove()
    kept = {
        k: v for k, v in found.numbers.items() if v is not None and not k.startswith("correlation")
    }
    return {k: (v.value, v.low, v.high) for k, v in kept.items()}


def truth(mask: np.ndarray, folder: Path) -> dict[str, tuple[float, float, float]]:
    """Numbers of the phantom itself."""
    masks = PlaneFile(folder / "truth", mask.shape, bool)
    for index, plane in enumerate(mask):
        masks.write(index, plane)
    return _numbers(masks, (PIXEL_NM,) * 3, folder)


def main() -> None:
    """Make, upscale, measure, compare."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--model", default="sem-x4")
    parser.add_argument("--phantoms", nargs="*", default=list(PHANTOMS))
    asked = parser.parse_args()
    model = load_model(asked.model)
    results: list[dict] = []
    for name in asked.phantoms:
        mask = PHANTOMS[name](asked.data)
        with tempfile.TemporaryDirectory() as folder_name:
            folder = Path(folder_name)
            true = truth(mask, folder)
            print(name, {k: round(v[0], 4) for k, v in true.items()}, flush=True)
            for step in STEPS:
                for noise in NOISE:
                    start = time.monotonic()
                    lr = photograph(mask, step, noise, seed=step)
                    stacks = {}
                    for label, sharpness in (("twin", 0.0), ("SR", None)):
                        path = folder / f"{label} {step} {noise}.zarr"
                        upscale(lr, path, model, UpscaleSettings(sharpness=sharpness))
                        stacks[label] = read_stack(path)
                    stacks["bicubic"] = interpolated(lr, stacks["SR"])
                    found = {label: bright_phase(stack, folder) for label, stack in stacks.items()}
                    results.append(
                        {"phantom": name, "step": step, "noise": noise, "truth": true, **found}
                    )
                    print(name, step, noise, f"{time.monotonic() - start:.0f} s", flush=True)
                    asked.out.write_text(
                        json.dumps({"model": asked.model, "results": results}, indent=1) + "\n"
                    )
    print(table(results))


GROUPS = (
    "volume_fraction",
    "specific_surface_per_um",
    "diameter_nm",
    "chord_nm",
    "connected",
    "tortuosity",
)
LABELS = ("bicubic", "twin", "SR")


def errors(results: list[dict], group: str, label: str) -> list[float]:
    """Relative errors of all numbers of a group; one that is missing counts as 0."""
    found = []
    for result in results:
        for name, true in result["truth"].items():
            if name.split(".")[0] == group:
                value = result[label].get(name, (0.0,))[0]
                # what is not connected at all has nothing to be relative to
                found.append(abs(value - true[0]) / (true[0] or 1.0))
    return found


def held(results: list[dict], group: str, label: str) -> tuple[int, int]:
    """How many 95 % intervals hold the truth, of how many."""
    inside = count = 0
    for result in results:
        for name, true in result["truth"].items():
            value = result[label].get(name)
            if name.split(".")[0] == group and value is not None and value[1] is not None:
                count += 1
                inside += value[1] <= true[0] <= value[2]
    return inside, count


def table(results: list[dict]) -> str:
    """Mean relative error in percent, by number, noise and picture; and how many intervals hold the truth."""
    lines = [
        "| number | noise | bicubic | twin | SR | SR / bicubic | intervals of bicubic, twin, SR that hold the truth |",
        "| --- | --- | --- | --- | --- | --- | --- |",
    ]
    for group in GROUPS:
        for noise in sorted({r["noise"] for r in results}):
            part = [r for r in results if r["noise"] == noise]
            mean = {label: float(np.mean(errors(part, group, label))) for label in LABELS}
            inside = ", ".join("{} of {}".format(*held(part, group, label)) for label in LABELS)
            cells = " | ".join(f"{100 * mean[label]:.2f} %" for label in LABELS)
            ratio = mean["SR"] / mean["bicubic"] if mean["bicubic"] else float("nan")
            lines.append(f"| {group} | {noise:g} | {cells} | {ratio:.2f} | {inside} |")
    return "\n".join(lines)


if __name__ == "__main__":
    main()
