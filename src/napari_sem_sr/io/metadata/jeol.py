"""JEOL: a ``.txt`` beside the image, one ``$KEY value`` a line.

``$$SM_MICRON_BAR`` is the length of the scale bar in pixels of the full frame (``$CM_FULL_SIZE``, without
the databar) and ``$$SM_MICRON_MARKER`` what is written under it, as "100um".
"""

import re
from collections.abc import Mapping
from pathlib import Path

from napari_sem_sr.instrument import Instrument
from napari_sem_sr.io.metadata.form import (
    ImageFile,
    VendorMetadata,
    decoded,
    moment,
    number,
    place,
    positive,
    sidecar,
    text,
)
from napari_sem_sr.io.units import nm_per

_LINE = re.compile(r"^\$+(\S+) ?(.*)$", re.MULTILINE)
_MARKER = re.compile(r"^\s*([0-9.,]+)\s*(\D+?)\s*$")


def find(image: ImageFile) -> VendorMetadata | None:
    """Read the sidecar; the pixel size holds only where the image is as wide as the full frame.

    Parameters
    ----------
    image
        Of any kind; None comes back where no JEOL sidecar is beside it.
    """
    beside = sidecar_of(image.path)
    if beside is None:
        return None
    values = {k: v.strip() for k, v in _LINE.findall(decoded(beside.read_bytes()))}
    if "SM_MICRON_BAR" not in values and values.get("CM_FORMAT") != "JEOL-SEM":
        return None
    size = _pixel_nm(values)
    notices: tuple[str, ...] = ()
    frame = values.get("CM_FULL_SIZE", "").split()
    if size is not None and frame[:1] != [str(image.width)]:
        size = None
        notices = (
            f"'{beside.name}' describes a frame {frame[0] if frame else 'of unknown size'} px wide and "
            f"'{image.path.name}' is {image.width} px wide, so its pixel size is unknown; type it in.",
        )
    rows = number(frame[1]) if len(frame) > 1 else None
    # "X Y Z R T ..." in mm and degrees
    stage = [*values.get("CM_STAGE_POS", "").split(), *("",) * 5][:5]
    return VendorMetadata(
        instrument=Instrument(
            maker="JEOL",
            model=text(values.get("CM_INSTRUMENT")),
            detector=text(values.get("CM_DETECTOR_NAME") or values.get("CM_SIGNAL_NAME")),
            kv=positive(values.get("CM_ACCEL_VOLT")),
            wd_mm=positive(values.get("SM_WD")),
            beam_current_na=positive(values.get("SM_PROBE_CURRENT"), 1e9),
            time=moment(
                f"{values.get('CM_DATE', '')} {values.get('CM_TIME', '')}".strip(),
                "%Y/%m/%d %H:%M:%S",
            ),
            stage_tilt_deg=number(stage[4]),
            stage_mm=place(stage[:3], 1.0),
            stage_rotation_deg=number(stage[3]),
            scan_rotation_deg=number(values.get("SM_SCAN_ROTATION")),
            raw=values,
        ),
        pixel_nm=(size, size),
        databar_row=int(rows) if size and rows and 0 < rows < image.height else None,
        notices=notices,
    )


def sidecar_of(path: Path) -> Path | None:
    """Return the ``.txt`` with the image's name, if there is one.

    Parameters
    ----------
    path
        Of the image.
    """
    return sidecar(path, ".txt")


def _pixel_nm(values: Mapping[str, str]) -> float | None:
    bar = positive(values.get("SM_MICRON_BAR"))
    marker = _MARKER.match(values.get("SM_MICRON_MARKER", ""))
    if bar is None or marker is None:
        return None
    factor = nm_per(marker[2])
    return None if factor is None else positive(marker[1], factor / bar)
