"""The normal form of vendor metadata, and what vendors' modules look at."""

import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import tifffile

from napari_sem_sr.stack import Instrument


@dataclass(frozen=True)
class ImageFile:
    """An image whose metadata are wanted: its path, its size in pixels and, for a TIFF, the open file."""

    path: Path
    height: int
    width: int
    tiff: tifffile.TiffFile | None = None


@dataclass(frozen=True)
class Found:
    """What a vendor says: pixel size (y, x) in nm, the instrument, and sentences a person should read."""

    instrument: Instrument
    pixel_nm: tuple[float | None, float | None] = (None, None)
    notices: tuple[str, ...] = ()


def number(value: Any, factor: float = 1.0) -> float | None:
    """Return ``value * factor`` where it is a finite number, else None."""
    if isinstance(value, bool):
        return None
    try:
        result = float(value) * factor
    except (TypeError, ValueError):
        return None
    return result if math.isfinite(result) else None


def positive(value: Any, factor: float = 1.0) -> float | None:
    """Return ``value * factor`` where it is a finite number above zero, else None."""
    result = number(value, factor)
    return result if result is not None and result > 0 else None


def text(value: Any) -> str | None:
    """Return a non-empty string, else None."""
    return str(value).strip() or None if value is not None else None
