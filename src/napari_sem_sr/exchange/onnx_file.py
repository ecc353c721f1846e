"""A model as one ONNX file, compared with our own network before it is given away."""

import json
import logging
import tempfile
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
import torch.nn.functional as F

from napari_sem_sr.errors import ModelError, OutputError
from napari_sem_sr.exchange.bordered import BorderedGenerator
from napari_sem_sr.exchange.frozen import FrozenModel
from napari_sem_sr.inference.engine.engine import TOLERANCE
from napari_sem_sr.io.atomic_write import atomic_write, translate_os_errors

SUFFIX = ".onnx"
INPUT, OUTPUT = "lr", "sr"
# What programs that cannot pad with NaN pad with: far below `bordered.BEYOND` on the scale of any stack.
PADDING = -1e30
# Size (y, x) of the picture that the file is tried on; not square, so that no axis is taken for the other.
_TRIED = (40, 52)


def write_onnx(frozen: FrozenModel, file: Path) -> float:
    """Write a model as ONNX and run it in ONNX Runtime beside the network itself.

    The file's input ``lr`` is (n, 1, y, x) float32 on the network's scale; pixels below -1e20, or NaN,
    lie beyond the border of the image.
    Its output ``sr`` is (n, 1, f y, f x) on the same scale. What was frozen is in the file's metadata.

    Parameters
    ----------
    frozen
        Networks, sharpness, conditions and greys.
    file
        ``*.onnx`` that does not exist yet.

    Returns
    -------
    Largest deviation of ONNX Runtime from our own network, as a part of the intensity range, inside and at the border.

    Raises
    ------
    OutputError
        If the file exists, cannot be written, or a package is missing.
    ModelError
        If the file does not give the network's pixels; it is not kept.
    """
    check_new(file, SUFFIX)
    with translate_os_errors(file), atomic_write(file) as temporary:
        return write_tried(frozen, temporary, "the file was not kept")


def write_tried(frozen: FrozenModel, file: Path, otherwise: str) -> float:
    """Write the ONNX file and return its largest deviation from our own network, as a part of the intensity range.

    Parameters
    ----------
    frozen
        Networks, sharpness, conditions and greys.
    file
        Under any name.
    otherwise
        What has become of the export where the pixels are others, for a person.

    Raises
    ------
    ModelError
        If the file does not give the network's pixels.
    """
    file.write_bytes(serialised(frozen))
    deviation = deviation_of(file, frozen)
    if not deviation <= TOLERANCE:
        raise ModelError(
            f"ONNX Runtime's pixels are up to {deviation:.2g} of the intensity range off those of model "
            f"'{frozen.model.card.name}', so {otherwise}; update the packages of napari-sem-sr[export]."
        )
    return deviation


def check_new(file: Path, suffix: str) -> None:
    """Refuse a name that is taken or has another suffix.

    Parameters
    ----------
    file
        What is to be written.
    suffix
        With the dot.

    Raises
    ------
    OutputError
        If so.
    """
    if file.suffix != suffix:
        raise OutputError(
            f"'{file}' does not end in {suffix}; give a name such as {file.stem}{suffix}."
        )
    if file.exists():
        raise OutputError(f"'{file}' exists; remove it first or give another name.")


def serialised(frozen: FrozenModel) -> bytes:
    """Content of the ONNX file; sizes of the image are free.

    Parameters
    ----------
    frozen
        Networks, sharpness, conditions and greys.

    Raises
    ------
    OutputError
        If a package is missing.
    """
    network = BorderedGenerator(frozen.network).eval()
    sizes = {0: torch.export.Dim("n"), 2: torch.export.Dim("y"), 3: torch.export.Dim("x")}
    with packages_said(), _quiet(), tempfile.TemporaryDirectory() as folder:
        import onnx

        file = Path(folder) / "network.onnx"
        torch.onnx.export(
            network,
            (torch.zeros(2, 1, *_TRIED),),
            str(file),
            dynamo=True,
            external_data=False,
            input_names=[INPUT],
            output_names=[OUTPUT],
            dynamic_shapes={"lr": sizes},
            verbose=False,
        )
        graph = onnx.load(str(file))
        onnx.checker.check_model(graph)
        graph.doc_string = frozen.model.card.summary()
        for key, value in frozen.describe().items():
            entry = graph.metadata_props.add()
            entry.key, entry.value = key, json.dumps(value)
        content: bytes = graph.SerializeToString()
        return content


def opset_of(file: Path) -> int:
    """Version of the ONNX operators that a file uses.

    Parameters
    ----------
    file
        ONNX, under any name.
    """
    import onnx

    versions = {entry.domain: entry.version for entry in onnx.load(str(file)).opset_import}
    return int(versions[""])


def deviation_of(file: Path, frozen: FrozenModel) -> float:
    """Largest difference between ONNX Runtime and the network, with each kind of padding and without, on the network's scale.

    Parameters
    ----------
    file
        ONNX, under any name.
    frozen
        What it was made from.
    """
    network, f = frozen.network, frozen.factor
    reach = network.reach
    image = torch.from_numpy(tried_picture())[None, None]
    with torch.inference_mode():
        wanted = network(image).numpy()
    kept = slice(f * reach, -f * reach)
    found = [run(file, image.numpy())]
    for beyond in (float("nan"), PADDING):
        padded = F.pad(image, (reach,) * 4, value=beyond).numpy()
        found.append(run(file, padded)[:, :, kept, kept])
    return max(float(np.abs(pixels - wanted).max()) for pixels in found)


def run(file: Path, lr: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """Run an ONNX file with ONNX Runtime on the CPU.

    Parameters
    ----------
    file
        ONNX, under any name.
    lr
        (n, 1, y, x) on the network's scale.

    Returns
    -------
    (n, 1, f y, f x) on the same scale.
    """
    with packages_said():
        import onnxruntime

    session = onnxruntime.InferenceSession(str(file), providers=["CPUExecutionProvider"])
    sr: npt.NDArray[np.float32] = session.run([OUTPUT], {INPUT: lr})[0]
    return sr


def tried_picture() -> npt.NDArray[np.float32]:
    """Discs with hard edges on a ramp with noise, (y, x), a little past both ends of the network's scale."""
    rng = np.random.default_rng(0)
    yy, xx = np.mgrid[: _TRIED[0], : _TRIED[1]]
    scene: npt.NDArray[Any] = (np.hypot(yy % 20 - 10, xx % 20 - 10) < 6) * 0.7 + xx / 200
    return (scene + 0.05 * rng.standard_normal(_TRIED)).astype(np.float32)


@contextmanager
def packages_said() -> Iterator[None]:
    """Say how to get the packages that exporting needs where one is missing."""
    try:
        yield
    except ImportError as error:
        raise OutputError(
            f"Exporting needs the package '{error.name}', which is not installed; "
            'run: pip install "napari-sem-sr[export]".'
        ) from error


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep the exporter's remarks on its own registries off the terminal."""
    log = logging.getLogger("torch.onnx")
    level = log.level
    log.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        log.setLevel(level)
