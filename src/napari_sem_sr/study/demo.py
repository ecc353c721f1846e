"""The main job on a bundled real sample, from LR to a report one can judge."""

import shutil
from collections.abc import Generator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from napari_sem_sr.checking import iter_check
from napari_sem_sr.degradation.degrade import degrade_stack
from napari_sem_sr.errors import OutputError
from napari_sem_sr.events import Event, Notice
from napari_sem_sr.inference.runner import UpscaleSettings, iter_upscale
from napari_sem_sr.io import read_stack, write_tiff
from napari_sem_sr.io.atomic_write import told_plainly
from napari_sem_sr.model.zoo import load_model
from napari_sem_sr.samples import MEDULLA_CREDIT, medulla_hr
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
        The report's ``scores``, SR being the full SRGAN.
    verdict
        The report's one sentence.
    """

    out: Path
    scores: Mapping[str, Any]
    verdict: str

    def summary(self) -> str:
        """Scores beside each other, and where to look."""
        s = self.scores
        rows = "\n".join(
            f"  {label:<22}{s[f'{key}psnr']:6.2f} dB   {s[f'{key}ssim']:.3f}"
            for label, key in (
                ("bicubic", "bicubic_"),
                ("twin (sharpness 0)", "twin_"),
                ("SRGAN (sharpness 1)", ""),
            )
        )
        return (
            "FIB-SEM of Drosophila medulla, 10 nm averaged 4 × 4 to 40 nm and upscaled again by "
            f"{MODEL}, which was\nnever trained on this volume. Against the true 10 nm images:\n"
            f"  {'':<22}{'PSNR':>9}   SSIM\n{rows}\n"
            "The SRGAN scores lower than its twin: it adds the detail that such a material usually has, not the\n"
            "detail that was there. Which is which is what the report is for.\n"
            f"{self.verdict}\n"
            f"Look at   {self.out / 'comparison.png'}\n"
            f"Read      {self.out / 'check' / 'report.html'}\n"
            f"Open      {self.out / 'sr.zarr'} (in napari: sem-sr app {self.out / 'lr.tif'} "
            f"{self.out / 'sr.zarr'} {self.out / 'hr.tif'})"
        )


def iter_demo(out: Path) -> Generator[Event, None, DemoResult]:
    """Degrade the sample, upscale it, check it against its HR, draw it.

    Raises
    ------
    OutputError
        If ``out`` exists and was not made by the demo.
    """
    _prepare(out)
    yield Notice(f"Sample: {MEDULLA_CREDIT}.")
    hr = medulla_hr()
    write_tiff(hr, out / "hr.tif", provenance={"synthetic": False, "credit": MEDULLA_CREDIT})
    made = degrade_stack(hr, 4)
    write_tiff(made, out / "lr.tif", provenance={"synthetic": False, **(made.provenance or {})})
    lr = read_stack(out / "lr.tif")
    model = load_model(MODEL)
    yield from iter_upscale(lr, out / "sr.zarr", model, UpscaleSettings(sharpness=1.0))
    sr, hr = read_stack(out / "sr.zarr"), read_stack(out / "hr.tif")
    report = yield from iter_check(lr, sr, hr, model=model, out=out / "check")
    assert report.scores is not None, "HR was given"
    write_comparison(lr, sr, hr, hr.shape[0] // 2, out / "comparison.png")
    return DemoResult(out, report.scores, report.verdict)


def _prepare(out: Path) -> None:
    if out.exists() and not out.is_dir():
        raise OutputError(f"'{out}' is a file; give a folder with --out.")
    with told_plainly(out):
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
