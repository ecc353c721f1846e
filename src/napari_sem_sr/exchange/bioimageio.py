"""A model as a BioImage.IO package (bioimage.io, format 0.5): network, greys, borders, card and credits in one zip."""

import json
import re
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from napari_sem_sr.errors import InputError
from napari_sem_sr.exchange.frozen import FrozenModel
from napari_sem_sr.exchange.onnx_file import (
    PADDING,
    check_new,
    opset_of,
    packages_said,
    tried_picture,
    write_tried,
)
from napari_sem_sr.intensity import IntensityRange
from napari_sem_sr.io.atomic_write import atomic_write, translate_os_errors

SUFFIX = ".zip"
# Least width of an input, in LR pixels: blocks are made of this and more, so it must not be mostly halo.
_LEAST = 64


def write_bioimageio(frozen: FrozenModel, file: Path) -> float:
    """Write a model as a BioImage.IO package with an ONNX network, a picture to test it and what it ought to make of it.

    Grey values are mapped to the network's scale and back by the range that was settled for all slices of a stack. The halo
    is the network's reach, the padding a value that no image has (see `bordered`), so blocks and borders agree with the
    whole image.

    Parameters
    ----------
    frozen
        Networks, sharpness, conditions and greys.
    file
        ``*.zip`` that does not exist yet.

    Returns
    -------
    Largest deviation of ONNX Runtime from our own network, as a part of the intensity range.

    Raises
    ------
    InputError
        If no range of grey values was settled.
    OutputError
        If the file exists, cannot be written, or a package is missing.
    ModelError
        If the network in the package does not give our pixels; nothing is written then.
    """
    scale = frozen.intensity
    if scale is None:
        raise InputError(
            "A BioImage.IO package needs the greys of black and white, so that all slices of a stack are treated alike; "
            "give --lr STACK or --range LOW:HIGH."
        )
    check_new(file, SUFFIX)
    with packages_said():
        import bioimageio.spec  # noqa: F401
    with (
        tempfile.TemporaryDirectory() as name,
        translate_os_errors(file),
        atomic_write(file) as temporary,
    ):
        folder = Path(name)
        network = folder / "network.onnx"
        deviation = write_tried(frozen, network, "no package was written")
        lr = scale.restore(np.tile(tried_picture(), (2, 2))[:_LEAST, : _LEAST + 8])
        np.save(folder / "lr.npy", lr.astype(np.float32)[None, None])
        np.save(folder / "sr.npy", _expected(frozen, scale, lr)[None, None])
        (folder / "card.json").write_text(
            frozen.model.card.model_dump_json(indent=1), encoding="utf-8"
        )
        (folder / "README.md").write_text(_documentation(frozen, scale), encoding="utf-8")
        if frozen.model.preview is not None:
            (folder / "preview.png").write_bytes(frozen.model.preview)
        _pack(folder, frozen, scale, opset_of(network), temporary)
    return deviation


def _expected(
    frozen: FrozenModel, scale: IntensityRange, lr: npt.NDArray[Any]
) -> npt.NDArray[np.float32]:
    """What the package ought to make of one image (y, x), in grey values."""
    with torch.inference_mode():
        sr = frozen.network(torch.from_numpy(scale.normalise(lr))[None, None])[0, 0].numpy()
    return scale.restore(sr).astype(np.float32)


def _pack(folder: Path, frozen: FrozenModel, scale: IntensityRange, opset: int, file: Path) -> None:
    from bioimageio.spec import save_bioimageio_package
    from bioimageio.spec.model import v0_5

    attachments = [v0_5.FileDescr(source=folder / "card.json")]
    if (folder / "preview.png").exists():
        attachments.append(v0_5.FileDescr(source=folder / "preview.png"))
    description = v0_5.ModelDescr(
        name=_title(frozen.model.card.name),
        description=f"Super-resolution of SEM images, x{frozen.factor}: detail is drawn, not measured.",
        documentation=v0_5.FileDescr(source=folder / "README.md"),
        attachments=attachments,
        authors=[v0_5.Author(name="the napari-sem-sr developers")],
        cite=[
            v0_5.CiteEntry(
                text="Ledig et al. 2017, Photo-Realistic Single Image Super-Resolution Using a GAN, CVPR",
                doi=v0_5.Doi("10.1109/CVPR.2017.19"),
            )
        ],
        license=_licence(frozen.model.card.licence),
        tags=["super-resolution", "SEM", "FIB-SEM", "electron-microscopy", "2d"],
        inputs=[_input(folder, scale)],
        outputs=[_output(folder, frozen, scale)],
        weights=v0_5.WeightsDescr(
            onnx=v0_5.OnnxWeightsDescr(source=folder / "network.onnx", opset_version=opset)
        ),
        config=v0_5.Config.model_validate({"napari_sem_sr": frozen.describe()}),
    )
    save_bioimageio_package(description, output_path=file)


def _input(folder: Path, scale: IntensityRange) -> Any:
    from bioimageio.spec.model import v0_5

    size = v0_5.ParameterizedSize(min=_LEAST, step=1)
    width = scale.high - scale.low
    kwargs = v0_5.ScaleLinearKwargs(gain=1 / width, offset=-scale.low / width)
    return v0_5.InputTensorDescr(
        id=v0_5.TensorId("lr"),
        description="One LR image in grey values; -1e30 or NaN lies beyond the border of the image.",
        axes=[
            v0_5.BatchAxis(),
            v0_5.ChannelAxis(channel_names=[v0_5.Identifier("grey")]),
            v0_5.SpaceInputAxis(id=v0_5.AxisId("y"), size=size),
            v0_5.SpaceInputAxis(id=v0_5.AxisId("x"), size=size),
        ],
        test_tensor=v0_5.FileDescr(source=folder / "lr.npy"),
        # the format allows no NaN
        pad=v0_5.ConstantPadding(value=PADDING),
        preprocessing=[v0_5.ScaleLinearDescr(kwargs=kwargs)],
    )


def _output(folder: Path, frozen: FrozenModel, scale: IntensityRange) -> Any:
    from bioimageio.spec.model import v0_5

    halo = frozen.factor * frozen.network.reach
    axes: list[Any] = [v0_5.BatchAxis(), v0_5.ChannelAxis(channel_names=[v0_5.Identifier("grey")])]
    for name in ("y", "x"):
        axis = v0_5.AxisId(name)
        size = v0_5.SizeReference(tensor_id=v0_5.TensorId("lr"), axis_id=axis)
        axes.append(
            v0_5.SpaceOutputAxisWithHalo(id=axis, size=size, scale=1 / frozen.factor, halo=halo)
        )
    kwargs = v0_5.ScaleLinearKwargs(gain=scale.high - scale.low, offset=scale.low)
    return v0_5.OutputTensorDescr(
        id=v0_5.TensorId("sr"),
        description="The super-resolved (synthetic) image.",
        axes=axes,
        test_tensor=v0_5.FileDescr(source=folder / "sr.npy"),
        postprocessing=[v0_5.ScaleLinearDescr(kwargs=kwargs)],
    )


def _title(name: str) -> str:
    """Name with only what the format allows in one."""
    return re.sub(r"[^\w +\-().]", " ", f"napari-sem-sr {name}").strip()


def _licence(text: str) -> Any:
    """SPDX identifier that a card's licence begins with; None where it begins with none."""
    from bioimageio.spec.model.v0_5 import LicenseId

    words = text.split()
    try:
        return LicenseId(words[0]) if words else None
    except ValueError:
        return None


def _documentation(frozen: FrozenModel, scale: IntensityRange) -> str:
    card = frozen.model.card
    credits_ = "\n".join(f"- {line}" for line in card.credits) or "- none stated"
    settled = json.dumps(frozen.conditions.to_json())
    return f"""# {card.name}

{card.description}

{card.summary()}

**Detail in the output is drawn by a network, not measured.** The program that it comes from, napari-sem-sr, says where it
may be trusted; a package like this one cannot.

Factor {frozen.factor}, sharpness {frozen.sharpness:g} (0 is the PSNR twin, 1 the SRGAN), conditions folded into the weights: `{settled}`.
Grey values {scale.low:g} to {scale.high:g} are mapped to 0 to 1 and back.

## Validation

Scores of every held-out teacher image beside bicubic interpolation are in `card.json`. On images of your own, compare with
bicubic interpolation, and with HR where you have it.

## Licence and credits

{card.licence}

{credits_}
"""
