"""What this machine is, in words: beside every measured number, and as a key for remembered ones."""

import os
import platform
from pathlib import Path
from typing import Any

import torch

from napari_sem_sr.inference.engine.devices import fast_precisions


def describe_machine(device: torch.device) -> dict[str, Any]:
    """Processor, cores, memory, system and libraries; of a GPU its name and memory too.

    Parameters
    ----------
    device
        Where networks are run.

    Returns
    -------
    Plain values by name; memory in GiB, None where it is not known.
    """
    return {
        "cpu": cpu_name(),
        "cores": os.cpu_count(),
        "threads": torch.get_num_threads(),
        "memory_gib": _memory_gib(),
        "device": device.type,
        "gpu": torch.cuda.get_device_name(device) if device.type == "cuda" else None,
        "reduced_precisions": list(fast_precisions(device)),
        "system": f"{platform.system()} {platform.machine()}",
        "python": platform.python_version(),
        "torch": torch.__version__,
    }


def cpu_name() -> str:
    """Name of the processor as the system gives it, with its family and model where that is vague."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    known: dict[str, str] = {}
    for line in lines:
        key, _, value = line.partition(":")
        known.setdefault(key.strip(), value.strip())
    name = known.get("model name", platform.machine())
    if "cpu family" not in known:
        return name
    return f"{name} (family {known['cpu family']}, model {known.get('model', '?')})"


def _memory_gib() -> float | None:
    try:
        size = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, ValueError, OSError):
        return None
    return round(size / 2**30, 1)
