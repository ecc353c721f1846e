"""Hitachi SU, S and TM series: a ``.txt`` beside the image, ``[SemImageFile]`` and ``Key=value`` lines.

ASCII, a Windows code page or UTF-16. ``PixelSize`` is in nm and belongs to an image of ``DataSize`` pixels. The
keys are those that Bio-Formats documents for Hitachi S-4800
(https://docs.openmicroscopy.org/bio-formats/latest/metadata/HitachiReader.html).
"""

import re
from pathlib import Path

from napari_sem_sr.instrument import Instrument
from napari_sem_sr.io.metadata.form import (
    ImageFile,
    VendorMetadata,
    amount,
    decoded,
    moment,
    number,
    place,
    positive,
    sections,
    sidecar,
    text,
)
from napari_sem_sr.io.units import nm_per

_SECTION = "SemImageFile"
_TO_KV = {"volt": 1e-3, "v": 1e-3, "kv": 1.0, "kvolt": 1.0}
_TO_NA = {"pa": 1e-3, "na": 1.0, "ua": 1e3, "µa": 1e3}


def find(image: ImageFile) -> VendorMetadata | None:
    """Read the sidecar; its pixel size holds only for an image of the size it names.

    Parameters
    ----------
    image
        Of any kind; None comes back where no Hitachi sidecar is beside it.
    """
    beside = sidecar_of(image.path)
    if beside is None:
        return None
    values = sections(decoded(beside.read_bytes())).get(_SECTION)
    if values is None:
        return None
    size = positive(values.get("PixelSize"))
    notices: tuple[str, ...] = ()
    named = re.findall(r"\d+", values.get("DataSize", ""))[:2]
    if size is not None and named and named != [str(image.width), str(image.height)]:
        size = None
        notices = (
            f"'{beside.name}' describes an image of {values['DataSize']} px and '{image.path.name}' has "
            f"{image.width}x{image.height} px, so its pixel size is unknown; type it in.",
        )
    wd_nm = amount(values.get("WorkingDistance"), nm_per)
    return VendorMetadata(
        instrument=Instrument(
            maker="Hitachi",
            model=text(values.get("InstructName")),
            detector=text(values.get("SignalName")),
            kv=positive(amount(values.get("AcceleratingVoltage"), _TO_KV)),
            wd_mm=positive(wd_nm, 1e-6),
            beam_current_na=positive(amount(values.get("ProbeCurrent"), _TO_NA)),
            time=moment(
                f"{values.get('Date', '')} {values.get('Time', '')}".strip(),
                "%Y/%m/%d %H:%M:%S",
                "%m/%d/%Y %H:%M:%S",
            ),
            # nm in the files, as PixelSize
            stage_mm=place((values.get(f"StagePosition{axis}") for axis in "XYZ"), 1e-6),
            stage_tilt_deg=number(values.get("StagePositionT")),
            stage_rotation_deg=number(values.get("StagePositionR")),
            scan_rotation_deg=number(values.get("RasterRotation")),
            raw=dict(values),
        ),
        pixel_nm=(size, size),
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
