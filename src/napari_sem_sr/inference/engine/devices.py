"""Which device and which precision: what was asked for, checked against what this machine has."""

import torch

from napari_sem_sr.errors import InputError

PRECISIONS = {"fp32": torch.float32, "bf16": torch.bfloat16, "fp16": torch.float16}


def available_devices() -> tuple[str, ...]:
    """Names of the kinds of device that can be used here, best first."""
    present = {
        "cuda": torch.cuda.is_available(),
        "mps": torch.backends.mps.is_available(),
        "cpu": True,
    }
    return tuple(name for name, here in present.items() if here)


def pick_device(name: str) -> torch.device:
    """Device by name: ``auto`` (cuda, then mps, then cpu), ``cpu``, ``cuda``, ``cuda:1``, ``mps``.

    Parameters
    ----------
    name
        As a person types it.

    Raises
    ------
    InputError
        If there is no such device.
    """
    if name == "auto":
        return torch.device(available_devices()[0])
    kind, _, number = name.partition(":")
    if kind not in ("cpu", "cuda", "mps") or (number and not number.isdecimal()):
        raise InputError(f"There is no device '{name}'; give auto, cpu, cuda or mps.")
    count = torch.cuda.device_count() if kind == "cuda" else 1
    if kind not in available_devices() or int(number or 0) >= count:
        raise InputError(
            f"Device '{name}' is not available on this machine or to this installation of PyTorch; "
            "give auto or cpu."
        )
    return torch.device(name)


def fast_precisions(device: torch.device) -> tuple[str, ...]:
    """Reduced precisions that this device computes in hardware, best first.

    Parameters
    ----------
    device
        As `pick_device` gives it.
    """
    if device.type == "cuda":
        # both run at one rate where both exist; fp16 keeps three more bits of the grey value
        bf16 = torch.cuda.is_bf16_supported(including_emulation=False)
        return ("fp16", "bf16") if bf16 else ("fp16",)
    if device.type == "mps":
        return ("fp16",)
    has_bf16 = torch.cpu._is_amx_tile_supported() or torch.cpu._is_avx512_bf16_supported()
    return ("bf16",) if has_bf16 else ()


def check_precision(name: str) -> str:
    """Return ``name`` if it is auto, fp32, bf16 or fp16.

    Raises
    ------
    InputError
        If it is not.
    """
    if name != "auto" and name not in PRECISIONS:
        raise InputError(f"There is no precision '{name}'; give auto, fp32, bf16 or fp16.")
    return name


def is_out_of_memory(error: BaseException) -> bool:
    """Whether ``error`` says that memory ran out, however the library at hand puts it."""
    if isinstance(error, torch.OutOfMemoryError | MemoryError):
        return True
    phrases = (
        "out of memory",
        "can't allocate memory",
        "not enough memory",
        "could not create a memory",
        "alloc_failed",
    )
    text = str(error).lower()
    return isinstance(error, RuntimeError) and any(phrase in text for phrase in phrases)


def release_memory(device: torch.device) -> None:
    """Give cached blocks of the device back, so that smaller ones fit.

    Parameters
    ----------
    device
        Of no effect on a CPU.
    """
    if device.type == "cuda":
        torch.cuda.empty_cache()
    elif device.type == "mps":
        torch.mps.empty_cache()
