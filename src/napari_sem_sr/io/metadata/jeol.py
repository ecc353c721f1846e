"""JEOL: a ``.txt`` beside the image, one ``$KEY value`` a line.

``$$SM_MICRON_BAR`` is the length of the scale bar in pixels of the full frame (``$CM_FULL_SIZE``, without
the databar) and ``$$SM_MICRON_MARKER`` what is written under it, as "100um".
"""

import re
from collections.abc import Mapping
from pathlib import Path

from napari_sem_sr.io.metadata.form import Found, ImageFile, positive, text
from napari_sem_sr.io.units import nm_per
from napari_sem_sr.stack import Instrument

_LINE = re.compile(r"^\$+(\S+) ?(.*)$", re.MULTILINE)
_MARKER = re.compile(r"^\s*([0-9.]+)\s*(\D+?)\s*$")
# A sidecar has a few kB; a log that happens to have the image's name may have GB.
_LONGEST = 1 << 20


def find(image: ImageFile) -> Found | None:
    """Read the sidecar; the pixel size holds only where the image is as wide as the full frame."""
    sidecar = sidecar_of(image.path)
    if sidecar is None:
        return None
    values = _parse(sidecar)
    if "SM_MICRON_BAR" not in values and values.get("CM_FORMAT") != "JEOL-SEM":
        return None
    size = _pixel_nm(values)
    notices: tuple[str, ...] = ()
    full_width = next(iter(values.get("CM_FULL_SIZE", "").split()), "")
    if size is not None and full_width != str(image.width):
        size = None
        notices = (
            f"'{sidecar.name}' describes a frame {full_width or 'of unknown size'} px wide and "
            f"'{image.path.name}' is {image.width} px wide, so its pixel size is unknown; type it in.",
        )
    return Found(
        instrument=Instrument(
            maker="JEOL",
            model=text(values.get("CM_INSTRUMENT")),
            detector=text(values.get("CM_DETECTOR_NAME") or values.get("CM_SIGNAL_NAME")),
            kv=positive(values.get("CM_ACCEL_VOLT")),
            wd_mm=positive(values.get("SM_WD")),
            beam_current_na=positive(values.get("SM_PROBE_CURRENT"), 1e9),
            raw=dict(values),
        ),
        pixel_nm=(size, size),
        notices=notices,
    )


def sidecar_of(path: Path) -> Path | None:
    """Return the ``.txt`` with the image's name, if there is one."""
    candidates = (path.with_suffix(".txt"), path.with_suffix(".TXT"))
    return next((p for p in candidates if p.is_file() and p.stat().st_size < _LONGEST), None)


def _parse(sidecar: Path) -> Mapping[str, str]:
    content = sidecar.read_bytes().decode("utf-8", errors="replace")
    return {key: value.strip() for key, value in _LINE.findall(content)}


def _pixel_nm(values: Mapping[str, str]) -> float | None:
    bar = positive(values.get("SM_MICRON_BAR"))
    marker = _MARKER.match(values.get("SM_MICRON_MARKER", ""))
    if bar is None or marker is None:
        return None
    factor = nm_per(marker[2])
    return None if factor is None else positive(marker[1], factor / bar)
