"""The main job on a bundled real sample, from LR to a report one can judge."""

import shutil
from collections.abc import Generator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from napari_sem_sr.checking import iter_check
from napari_sem_sr.degradation.conditions import Conditions
from napari_sem_sr.errors import OutputError
from napari_sem_sr.events import Event, Notice
from napari_sem_sr.inference.runner import UpscaleSettings, iter_upscale
from napari_sem_sr.intensity import IntensityRange
from napari_sem_sr.io import read_stack, write_tiff
from napari_sem_sr.io.atomic_write import translate_os_errors
from napari_sem_sr.model.zoo import load_model
from napari_sem_sr.samples import TIN_CREDIT, tin_pair
from napari_sem_sr.study.picture import write_comparison

MODEL = "sem-x4"
MARK = "made by sem-sr demo.txt"


@dataclass(frozen=True)
class DemoResult:
    """What the demo made and found.

    Parameters
    ----------
    out
        Folder with ``lr.tif``, ``hr.tif``, ``sr.zarr``, ``check/`` and ``comparison.png``.
    scores
        The report's ``scores``, SR being the default output.
    sharpness
        Of SR.
    conditions
        Noise and blur of LR, in words.
    verdict
        The report's one sentence.
    """

    out: Path
    scores: Mapping[str, Any]
    sharpness: float
    conditions: str
    verdict: str

    def summary(self) -> str:
        """Scores beside each other, and where to look."""
        s = self.scores
        rows = "\n".join(
            f"  {label:<22}{s[f'{key}psnr']:6.2f} dB   {s[f'{key}ssim']:.3f}"
            for label, key in (
                ("bicubic", "bicubic_"),
                ("twin (sharpness 0)", "twin_"),
                (f"SR (sharpness {self.sharpness:g})", ""),
            )
        )
        return (
            "Tin on carbon, recorded twice: a fast, noisy scan averaged to 23 nm (LR) was upscaled by "
            f"{MODEL}, which never\nsaw this field. Against the slow scan at 5.8 nm (HR):\n"
            f"  {'':<22}{'PSNR':>9}   SSIM\n{rows}\n"
            f"Of LR was measured: {self.conditions}.\n"
            "The twin is the mean of all that fits LR; towards sharpness 1 (SRGAN) detail is added that such a\n"
            "material usually has, which is not the detail that was there. Which is which is what the report is for.\n"
            f"{self.verdict}\n"
            f"Look at   {self.out / 'comparison.png'}\n"
            f"Read      {self.out / 'check' / 'report.html'}\n"
            f"Open      {self.out / 'sr.zarr'} (in napari: sem-sr app {self.out / 'lr.tif'} "
            f"{self.out / 'sr.zarr'} {self.out / 'hr.tif'})"
        )


def iter_demo(out: Path) -> Generator[Event, None, DemoResult]:
    """Upscale the sample's fast scan, check it against the slow one, draw it.

    Raises
    ------
    OutputError
        If ``out`` exists and was not made by the demo.
    """
    prepare_folder(out)
    yield Notice(f"Sample: {TIN_CREDIT}.")
    for stack, name in zip(tin_pair(), ("lr.tif", "hr.tif"), strict=True):
        write_tiff(stack, out / name, provenance={"synthetic": False, "credit": TIN_CREDIT})
    lr, hr = (read_stack(out / name) for name in ("lr.tif", "hr.tif"))
    model = load_model(MODEL)
    done = yield from iter_upscale(lr, out / "sr.zarr", model, UpscaleSettings())
    sr = read_stack(out / "sr.zarr")
    report = yield from iter_check(lr, sr, hr, model=model, out=out / "check")
    assert report.scores is not None, "HR was given"
    write_comparison(lr, sr, hr, hr.shape[0] // 2, out / "comparison.png")
    said = done.provenance
    conditions = Conditions.from_json(said["conditions"])
    within = IntensityRange(*said["intensity_range"])
    return DemoResult(
        out, report.scores, said["sharpness"], conditions.sentence(within), report.verdict
    )


def prepare_folder(out: Path) -> None:
    """Make an empty folder for a demo.

    Parameters
    ----------
    out
        Made with its parents where it is not there.

    Raises
    ------
    OutputError
        If it holds files that no demo made.
    """
    if out.exists() and not out.is_dir():
        raise OutputError(f"'{out}' is a file; give a folder with --out.")
    with translate_os_errors(out):
        if out.exists() and any(out.iterdir()):
            if not (out / MARK).exists():
                raise OutputError(
                    f"'{out}' holds files that the demo did not make; give another folder with --out."
                )
            shutil.rmtree(out)
        out.mkdir(parents=True, exist_ok=True)
        (out / MARK).write_text(
            "This folder is emptied whenever sem-sr demo is run again with it as --out.\n"
        )
