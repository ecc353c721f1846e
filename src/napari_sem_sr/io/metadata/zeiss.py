"""Zeiss SmartSEM: TIFF tag 34118, ``(name, value, unit)`` per key as tifffile parses it."""

from collections.abc import Mapping
from typing import Any

from napari_sem_sr.io.metadata.form import Found, ImageFile, positive, text
from napari_sem_sr.io.units import nm_per
from napari_sem_sr.stack import Instrument

_TO_NA = {"fa": 1e-6, "pa": 1e-3, "na": 1.0, "µa": 1e3, "ua": 1e3, "ma": 1e6, "a": 1e9}
_TO_US = {"ns": 1e-3, "µs": 1.0, "us": 1.0, "ms": 1e3, "s": 1e6}
_TO_KV = {"v": 1e-3, "kv": 1.0}


def find(image: ImageFile) -> Found | None:
    """Read SmartSEM's own values; the pixel size is that of the stored image, not of the screen."""
    values = image.tiff.sem_metadata if image.tiff else None
    if not values:
        return None
    size = _length(values, "ap_image_pixel_size") or _length(values, "ap_pixel_size")
    if size is None:
        # the unnamed head of the tag holds the pixel size in metres as its fourth number
        head = values.get("", ())
        size = positive(head[3], 1e9) if len(head) > 3 else None
    wd = _length(values, "ap_wd")
    return Found(
        instrument=Instrument(
            maker="Zeiss",
            model=text(_value(values, "dp_sem")),
            detector=text(
                _value(values, "dp_detector_channel") or _value(values, "dp_detector_type")
            ),
            kv=_scaled(values, ("ap_actualkv", "ap_manualkv"), _TO_KV),
            wd_mm=None if wd is None else wd * 1e-6,
            beam_current_na=_scaled(values, ("ap_iprobe", "ap_actualcurrent"), _TO_NA),
            dwell_us=_scaled(values, ("dp_dwell_time", "ap_dwell_time"), _TO_US),
            raw=dict(values),
        ),
        pixel_nm=(size, size),
    )


def _value(values: Mapping[str, Any], key: str) -> Any:
    entry = values.get(key)
    return entry[1] if isinstance(entry, tuple) and len(entry) > 1 else None


def _split(values: Mapping[str, Any], key: str) -> tuple[Any, str]:
    entry = values.get(key)
    if not isinstance(entry, tuple) or len(entry) < 2:
        return None, ""
    if len(entry) > 2:
        return entry[1], str(entry[2])
    amount, _, unit = str(entry[1]).partition(" ")
    return amount, unit


def _length(values: Mapping[str, Any], key: str) -> float | None:
    amount, unit = _split(values, key)
    factor = nm_per(unit)
    return None if factor is None else positive(amount, factor)


def _scaled(
    values: Mapping[str, Any], keys: tuple[str, ...], factors: Mapping[str, float]
) -> float | None:
    for key in keys:
        amount, unit = _split(values, key)
        factor = factors.get(unit.strip().lower())
        if factor is not None and (result := positive(amount, factor)) is not None:
            return result
    return None
