"""What is here of all that an installation needs, and what to do where something is not well.

Each examination is independent of the others, so that one that fails hides none; nothing is changed on the machine.
"""

import importlib.metadata
import importlib.util
import os
import platform
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Generator
from dataclasses import asdict, dataclass
from typing import Any, Literal

from packaging.requirements import Requirement

from napari_sem_sr.events import Progress
from napari_sem_sr.model.zoo import user_folder

State = Literal["well", "note", "unwell"]

PACKAGE = "napari-sem-sr"
BINDINGS = ("PyQt6", "PySide6", "PyQt5")
MODEL = "sem-x4-fast"
# What the self-test upscales: this part (y, x), in LR pixels, of the bundled fast scan of tin.
PART = (slice(36, 68), slice(40, 72))
# Most that the device may deviate from the processor in fp32, as a part of the range: the engine keeps reduced
# precision below 1/255 of it, and rounding to grey values adds half of that on either side.
DEVIATION = 2 / 255


@dataclass(frozen=True)
class Diagnosis:
    """One line of the doctor's report.

    Attributes
    ----------
    name
        What was looked at.
    state
        ``well``; ``note`` where all works but something could be better; ``unwell`` where it does not work.
    found
        What is here, in plain words.
    advice
        What to do about it; empty where all is well.
    """

    name: str
    state: State
    found: str
    advice: str = ""


@dataclass(frozen=True)
class Health:
    """What the doctor found.

    Parameters
    ----------
    findings
        One line for each thing that was examined, in the order of the examination.
    """

    findings: tuple[Diagnosis, ...]

    @property
    def well(self) -> bool:
        """Whether everything works."""
        return all(finding.state != "unwell" for finding in self.findings)

    def to_json(self) -> dict[str, Any]:
        """Plain values for a JSON document."""
        return {"well": self.well, "findings": [asdict(finding) for finding in self.findings]}


def iter_examine_installation() -> Generator[Progress, None, Health]:
    """Look at versions, device, display and folders, and upscale a crop of the bundled sample.

    Yields
    ------
    Progress after each examination; the result is a `Health`.
    """
    findings: list[Diagnosis] = []
    for done, (name, examine) in enumerate(EXAMINATIONS.items()):
        yield Progress(name, done, len(EXAMINATIONS), "examinations")
        try:
            findings.append(examine(name))
        except Exception as error:  # whatever is broken here is what a person came to hear of
            findings.append(
                Diagnosis(
                    name,
                    "unwell",
                    f"failed with {type(error).__name__}: {error}".splitlines()[0],
                    "Install into a fresh environment (docs/install.md); if it stays, report this line.",
                )
            )
    return Health(tuple(findings))


def _python(name: str) -> Diagnosis:
    return Diagnosis(
        name,
        "well",
        f"{platform.python_version()} on {platform.system()} {platform.machine()}, {sys.executable}",
    )


def _packages(name: str) -> Diagnosis:
    missing, old = [], []
    required = [Requirement(r) for r in importlib.metadata.requires(PACKAGE) or ()]
    needed = [r for r in required if r.marker is None or r.marker.evaluate({"extra": ""})]
    for requirement in needed:
        try:
            version = importlib.metadata.version(requirement.name)
        except importlib.metadata.PackageNotFoundError:
            missing.append(str(requirement))
            continue
        if not requirement.specifier.contains(version, prereleases=True):
            old.append(f"{requirement.name} {version} where {requirement.specifier} is needed")
    if missing or old:
        return Diagnosis(
            name,
            "unwell",
            "; ".join([*(f"{m} is missing" for m in missing), *old]),
            f"Run: pip install --upgrade {PACKAGE}",
        )
    own = importlib.metadata.version(PACKAGE)
    return Diagnosis(name, "well", f"{PACKAGE} {own}, and the {len(needed)} packages that it needs")


def _napari(name: str) -> Diagnosis:
    version = importlib.metadata.version("napari")
    bindings = [b for b in BINDINGS if importlib.util.find_spec(b) is not None]
    if not bindings:
        return Diagnosis(
            name,
            "note",
            f"napari {version} without a Qt binding: the command line works, windows do not open",
            'For the docks run: pip install "napari-sem-sr[all]"',
        )
    if len(bindings) > 1:
        return Diagnosis(
            name,
            "note",
            f"napari {version} with several Qt bindings: {', '.join(bindings)}",
            "If napari does not start, keep one of them and uninstall the others.",
        )
    return Diagnosis(
        name,
        "well",
        f"napari {version} with {bindings[0]} {importlib.metadata.version(bindings[0])}",
    )


def _display(name: str) -> Diagnosis:
    if sys.platform in ("win32", "darwin"):
        return Diagnosis(name, "well", "the system's own")
    screen = os.environ.get("WAYLAND_DISPLAY") or os.environ.get("DISPLAY")
    if screen:
        return Diagnosis(name, "well", screen)
    return Diagnosis(
        name,
        "note",
        "none: the command line works, windows do not open",
        "For the docks work at the machine's screen, through remote desktop, or with ssh -X.",
    )


def _device(name: str) -> Diagnosis:
    import torch

    from napari_sem_sr.inference.engine.devices import pick_device

    device = pick_device("auto")
    if device.type == "cuda":
        gpu = torch.cuda.get_device_properties(device)
        return Diagnosis(
            name,
            "well",
            f"{gpu.name} with {gpu.total_memory / 2**30:.0f} GiB, PyTorch {torch.__version__}",
        )
    if device.type == "mps":
        return Diagnosis(name, "well", f"Apple GPU (mps), PyTorch {torch.__version__}")
    here = f"the processor ({torch.get_num_threads()} threads), PyTorch {torch.__version__}"
    if shutil.which("nvidia-smi") is None:
        return Diagnosis(name, "well", here)
    if torch.version.cuda is None:
        return Diagnosis(
            name,
            "note",
            f"{here}; there is an NVIDIA driver, but this PyTorch was built without CUDA",
            "Install the CUDA build of PyTorch: see 'CUDA' in docs/install.md.",
        )
    return Diagnosis(
        name,
        "note",
        f"{here}; PyTorch has CUDA {torch.version.cuda} but cannot use a GPU",
        "Run nvidia-smi: if it fails or shows an older CUDA, update the driver and restart.",
    )


def _precision(name: str) -> Diagnosis:
    from napari_sem_sr.inference.engine.devices import fast_precisions, pick_device

    fast = fast_precisions(pick_device("auto"))
    if fast:
        return Diagnosis(name, "well", f"{' and '.join(fast)} in hardware, used where exact enough")
    return Diagnosis(
        name, "well", "fp32; neither bf16 nor fp16 in hardware here, and none is needed"
    )


def _folder(name: str) -> Diagnosis:
    folder = user_folder()
    nearest = next(p for p in (folder, *folder.parents) if p.exists())
    try:
        with tempfile.NamedTemporaryFile(dir=nearest, prefix=".sem-sr-") as stream:
            stream.write(b"\0" * 4096)
            stream.flush()
    except OSError as error:
        return Diagnosis(
            name,
            "unwell",
            f"{folder} cannot be written: {error.strerror}",
            "Make it yours or free some disk space: trained and imported models are kept there.",
        )
    free = shutil.disk_usage(nearest).free / 2**30
    return Diagnosis(name, "well", f"{folder} can be written, {free:.0f} GiB free")


def _self_test(name: str) -> Diagnosis:
    """Upscale a crop of a real scan: near to what the processor gives in fp32, and nearer to the truth than bicubic."""
    import numpy as np

    from napari_sem_sr.inference.in_memory import LoadedModel
    from napari_sem_sr.metrics.psnr_ssim import psnr
    from napari_sem_sr.model.bicubic import upscale_bicubic
    from napari_sem_sr.model.zoo import load_model
    from napari_sem_sr.samples import tin_pair

    start = time.perf_counter()
    model = LoadedModel.of(load_model(MODEL))
    f = model.card.factor
    fast, slow = tin_pair()
    lr = fast.slice(0)[PART]
    hr = slow.slice(0)[tuple(slice(f * part.start, f * part.stop) for part in PART)]
    # the twin invents least, so that its gain over bicubic is the surest sign of a sound network
    sr = model.upscale(lr, sharpness=0)
    exact = model.upscale(lr, sharpness=0, device="cpu", precision="fp32")
    span = float(lr.max()) - float(lr.min())
    deviation = float(np.abs(sr.astype(np.float64) - exact).max()) / span
    gain = psnr(sr, hr) - psnr(upscale_bicubic(lr, f), hr)
    seconds = time.perf_counter() - start
    told = (
        f"{MODEL} upscaled {lr.shape[1]} × {lr.shape[0]} px of the bundled scan of tin in {seconds:.1f} s with loading: "
        f"{gain:+.1f} dB over bicubic, at most {deviation:.2%} of the range from the processor in fp32"
    )
    if not deviation <= DEVIATION:
        return Diagnosis(
            name,
            "unwell",
            told,
            "The device computes wrongly: update its driver and PyTorch; until then use --device cpu.",
        )
    if not gain > 0:
        return Diagnosis(
            name,
            "unwell",
            told,
            f"The model's files or PyTorch are damaged: run pip install --force-reinstall --no-deps {PACKAGE}",
        )
    return Diagnosis(name, "well", told)


EXAMINATIONS: dict[str, Callable[[str], Diagnosis]] = {
    "Python": _python,
    "packages": _packages,
    "napari and Qt": _napari,
    "display": _display,
    "device": _device,
    "precision": _precision,
    "your models' folder": _folder,
    "self-test": _self_test,
}
