"""TESCAN: TIFF tag 50431, or a ``.hdr`` beside the image; ``[MAIN]`` and ``[SEM]`` or ``[FIB]``, in SI units.

In the tag a small picture and other binary data may stand before the text. The keys are those of the ``.hdr``
files that KIT's tomo_mapper (Apache-2.0, https://github.com/kit-data-manager/tomo_mapper) reads.
"""

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
    sections,
    sidecar,
    text,
)

_TAG = 50431
_STARTS = (b"[MAIN]", b"AccFrames=", b"[M\0A\0I\0N\0]\0")


def find(image: ImageFile) -> VendorMetadata | None:
    """Read the tag, else the sidecar.

    Parameters
    ----------
    image
        Of any kind; None comes back where TESCAN did not write it.
    """
    content = _text_of_tag(image.tag(_TAG))
    if content is None:
        beside = sidecar_of(image.path)
        content = beside.read_bytes() if beside else b""
    ini = sections(decoded(content))
    main = {**ini.get("", {}), **ini.get("MAIN", {})}
    if "PixelSizeX" not in main and "DeviceModel" not in main:
        return None
    ion = "FIB" in ini and "SEM" not in ini
    beam: Mapping[str, str] = ini.get("FIB" if ion else "SEM", {})
    strip = number(main.get("ImageStripSize"))
    return VendorMetadata(
        instrument=Instrument(
            maker="TESCAN",
            model=text(main.get("Device")) or text(main.get("DeviceModel")),
            detector=text(beam.get("Detector")) or text(main.get("Detector")),
            beam="ion" if ion else "electron" if beam else None,
            kv=positive(beam.get("HV") or beam.get("AcceleratorVoltage"), 1e-3),
            wd_mm=positive(beam.get("WD"), 1e3),
            beam_current_na=positive(beam.get("PredictedBeamCurrent"), 1e9),
            dwell_us=positive(beam.get("DwellTime"), 1e6),
            time=moment(
                f"{main.get('Date', '')} {main.get('Time', '')}".strip(), "%Y-%m-%d %H:%M:%S"
            ),
            stage_tilt_deg=number(beam.get("StageTilt")),
            stage_mm=place((beam.get(f"Stage{axis}") for axis in "XYZ"), 1e3),
            stage_rotation_deg=number(beam.get("StageRotation")),
            scan_rotation_deg=number(beam.get("ScanRotation")),
            raw=ini,
        ),
        pixel_nm=(positive(main.get("PixelSizeY"), 1e9), positive(main.get("PixelSizeX"), 1e9)),
        z_nm=positive(main.get("PixelSizeZ"), 1e9) if "3DTomo" in ini else None,
        databar_row=image.height - int(strip) if strip and 0 < strip < image.height else None,
    )


def sidecar_of(path: Path) -> Path | None:
    """Return the ``.hdr`` of the image's name, ``a.hdr`` or, as TESCAN writes it, ``a-tif.hdr``.

    Parameters
    ----------
    path
        Of the image.
    """
    with_kind = path.with_name(f"{path.stem}-{path.suffix.lstrip('.')}{path.suffix}")
    return sidecar(path, ".hdr") or sidecar(with_kind, ".hdr")


def _text_of_tag(content: bytes | None) -> bytes | None:
    places = [p for start in _STARTS if content and (p := content.find(start)) >= 0]
    return content[min(places) :] if content and places else None
