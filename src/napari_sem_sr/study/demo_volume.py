"""The third dimension on a bundled real sample: an isotropic volume, and numbers of it, beside what was really there."""

from collections.abc import Generator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from napari_sem_sr.axial.fill.interpolation import interpolated
from napari_sem_sr.axial.run import iter_isotropic
from napari_sem_sr.axial.settings import IsotropicSettings
from napari_sem_sr.events import Event, Notice
from napari_sem_sr.intensity import to_dtype
from napari_sem_sr.io import read_stack, write_tiff
from napari_sem_sr.measure.bicubic import interpolated as between_slices
from napari_sem_sr.measure.measurement import PAGE, Measurements, words
from napari_sem_sr.measure.run import iter_measure
from napari_sem_sr.metrics.psnr_ssim import psnr
from napari_sem_sr.samples import MEDULLA_CREDIT, medulla_hr
from napari_sem_sr.stack import SemStack
from napari_sem_sr.study.demo import prepare_folder
from napari_sem_sr.study.picture import write_depth

# Every third of the 24 slices is kept: eight slices, of which four make the test.
RATIO = 3
# Learning, test and volume; the whole demo takes less than five minutes on two cores.
MINUTES = 3.0
NUMBERS = "numbers"
# The dark phase by Otsu's threshold, membranes and what is stained, and what is told of it.
PHASE = 1
TOLD = (
    "volume_fraction",
    "specific_surface_per_um",
    *(f"chord_nm.{axis}" for axis in "zyx"),
    *(f"{group}.z" for group in ("correlation_nm", "connected", "tortuosity")),
)


@dataclass(frozen=True)
class VolumeDemoResult:
    """What the demo made and found.

    Parameters
    ----------
    out
        Folder with ``slices.tif``, ``truth.tif``, ``isotropic.zarr``, ``depth.png`` and ``numbers/``.
    psnr
        Against the true slices between the kept ones, by name, in dB.
    sentence
        What the test on slices left out says.
    numbers
        Of the slices as they are, of linear interpolation, of the isotropic volume and of the truth.
    """

    out: Path
    psnr: Mapping[str, float]
    sentence: str
    numbers: Measurements

    def summary(self) -> str:
        """Scores and numbers beside each other, and where to look."""
        rows = "\n".join(f"  {name:<22}{value:6.2f} dB" for name, value in self.psnr.items())
        return (
            f"FIB-SEM of Drosophila medulla, of whose 10 nm slices every {RATIO}rd was kept. PSNR of those between, "
            f"against what was measured there:\n{rows}\n"
            f"What the stack itself says, without that truth: {self.sentence}\n"
            f"The dark phase (by Otsu's threshold of each), with 95 % intervals:\n{table(self.numbers)}\n"
            f"Look at   {self.out / 'depth.png'} and {self.out / 'isotropic.zarr.axial' / 'left_out.png'}\n"
            f"Read      {self.out / NUMBERS / PAGE}\n"
            f"Open      {self.out / 'isotropic.zarr'} (in napari: sem-sr app {self.out / 'slices.tif'} "
            f"{self.out / 'isotropic.zarr'} {self.out / 'truth.tif'})"
        )


def iter_demo_volume(
    out: Path, settings: IsotropicSettings | None = None
) -> Generator[Event, None, VolumeDemoResult]:
    """Keep every third slice of the sample, fill in the others, compare and measure.

    Parameters
    ----------
    settings
        How the network learns; those of the demo by default.

    Raises
    ------
    OutputError
        If ``out`` exists and was not made by the demo.
    """
    prepare_folder(out)
    yield Notice(f"Sample: {MEDULLA_CREDIT}.")
    whole = medulla_hr()
    truth = whole.cropped((0, (whole.shape[0] - 1) // RATIO * RATIO + 1))
    said = {"synthetic": False, "credit": MEDULLA_CREDIT}
    write_tiff(truth, out / "truth.tif", provenance=said)
    write_tiff(every_slice(truth, RATIO), out / "slices.tif", provenance=said)
    slices = read_stack(out / "slices.tif")
    result = yield from iter_isotropic(
        slices, out / "isotropic.zarr", settings or IsotropicSettings(minutes=MINUTES)
    )
    volume = read_stack(out / "isotropic.zarr")
    write_depth(slices, volume, truth, truth.shape[1] // 2, out / "depth.png")
    measured = {
        "slices": slices,
        "linear": between_slices(slices, volume),
        "isotropic": volume,
        "truth": truth,
    }
    numbers = yield from iter_measure(
        [replace(stack, name=name) for name, stack in measured.items()],
        out / NUMBERS,
        sizes=False,
    )
    return VolumeDemoResult(out, against_truth(slices, volume, truth), result.sentence, numbers)


def every_slice(stack: SemStack, every: int) -> SemStack:
    """Return the stack of every ``every``-th slice of ``stack``, which is isotropic."""
    _, y, x = stack.voxel_nm
    thickness = stack.voxel_nm[0]
    return SemStack.from_array(
        stack.data[::every],
        f"{stack.name} every {every}",
        voxel_nm=(None if thickness is None else thickness * every, y, x),
        origin_nm=stack.origin_nm,
    )


def against_truth(slices: SemStack, volume: SemStack, truth: SemStack) -> dict[str, float]:
    """PSNR in dB over the slices that were not kept: linear and cubic interpolation, and the volume.

    Parameters
    ----------
    slices
        Those that were kept.
    volume
        The isotropic volume made of them.
    truth
        All slices that were measured.
    """
    known = np.stack([slices.slice(k) for k in range(slices.shape[0])]).astype(np.float32)
    count = truth.shape[0]
    ratio = (count - 1) / (len(known) - 1)
    between = [j for j in range(count) if j % ratio]
    measured = np.stack([truth.slice(j) for j in between])
    places = np.array(between) / ratio
    made = {
        "linear interpolation": to_dtype(interpolated(known, places, "linear"), truth.dtype)[0],
        "cubic interpolation": to_dtype(interpolated(known, places, "cubic"), truth.dtype)[0],
        "isotropic volume": np.stack([volume.slice(j) for j in between]),
    }
    return {name: psnr(stack, measured) for name, stack in made.items()}


def table(found: Measurements) -> str:
    """Numbers of the dark phase, volume by volume, in columns.

    Parameters
    ----------
    found
        Numbers of all volumes.
    """
    lines = [("", *(volume.name for volume in found.volumes))]
    rows = {name: numbers for label, name, numbers in found.rows() if label == PHASE}
    for name in TOLD:
        numbers = rows.get(name, [None] * len(found.volumes))
        lines.append((words(name), *("none" if n is None else str(n) for n in numbers)))
    widths = [max(len(line[i]) for line in lines) + 2 for i in range(len(lines[0]))]
    return "\n".join(
        ("  " + "".join(f"{cell:<{n}}" for cell, n in zip(line, widths, strict=True))).rstrip()
        for line in lines
    )
