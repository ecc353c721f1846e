"""In which precision networks learn, and on which devices."""

from contextlib import AbstractContextManager
from typing import Any, Literal

import torch
from lightning_fabric import Fabric
from lightning_fabric.plugins.precision import Precision as FabricPrecision

from napari_sem_sr.errors import InputError
from napari_sem_sr.inference.engine.devices import fast_precisions

Precision = Literal["fp32", "bf16"]


def pick_precision(
    asked: Literal["auto", "fp32", "bf16"], device: torch.device, devices: int = 1
) -> Precision:
    """Precision of the networks' arithmetic: bf16 where the device has it, unless told otherwise.

    Parameters
    ----------
    asked
        By a person.
    device
        Where it is computed.
    devices
        How many of them.

    Raises
    ------
    InputError
        If several devices are to compute in bf16: the threads in which PyTorch's DataParallel runs them do not know
        of it and would take fp16.
    """
    if asked == "bf16" and devices > 1:
        raise InputError(
            "Several devices train in fp32; ask for precision auto, or for one device."
        )
    if asked == "auto":
        return "bf16" if devices == 1 and "bf16" in fast_precisions(device) else "fp32"
    return asked


class Autocast(FabricPrecision):
    """Arithmetic in bf16 where autocast has it so, and nothing else.

    Fabric's own mixed precision also rounds what goes into a network to bf16 and makes all that comes out fp32. The
    first costs the bicubic skip and the discriminator's magnified detail up to half a grey level; the second copies
    features, the largest tensors of all, to twice their size.

    Parameters
    ----------
    device
        Where it is computed.
    """

    precision = "bf16-mixed"

    def __init__(self, device: torch.device) -> None:
        self._device = device.type

    def forward_context(self) -> AbstractContextManager[Any]:
        """Where networks compute."""
        return torch.autocast(self._device, dtype=torch.bfloat16)


def fabric_for(device: torch.device, devices: int, precision: Precision) -> Fabric:
    """One device, or several GPUs that share every batch in one process.

    Parameters
    ----------
    device
        The first of them.
    devices
        How many.
    precision
        Of the networks' arithmetic.

    Raises
    ------
    InputError
        If more GPUs are asked for than there are.
    """
    if devices > 1 and (device.type != "cuda" or devices > torch.cuda.device_count()):
        raise InputError(
            f"{devices} devices were asked for, but this machine has {torch.cuda.device_count()} CUDA GPUs; ask for fewer."
        )
    return Fabric(
        accelerator=device.type,
        devices=devices,
        strategy="dp" if devices > 1 else "auto",
        plugins=Autocast(device) if precision == "bf16" else None,
    )
