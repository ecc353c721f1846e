"""Fibics and Zeiss Atlas: TIFF tag 51023, XML.

``Ux, Uy`` and ``Vx, Vy`` are the steps, in µm, from one pixel to the next along a row and along a column, so that
the pixel size is their length whatever the scan's rotation; ``FOV_X / Width`` is the same. The XML names the size
of the image it belongs to: a copy that was binned or cropped may have kept it.
"""

import math
from xml.etree import ElementTree

from napari_sem_sr.instrument import Instrument
from napari_sem_sr.io.metadata import xml
from napari_sem_sr.io.metadata.form import (
    ImageFile,
    VendorMetadata,
    amount,
    number,
    place,
    positive,
    text,
)
from napari_sem_sr.io.units import nm_per

_TO_KV = {"v": 1e-3, "kv": 1.0}
_TO_NA = {"pa": 1e-3, "na": 1.0, "µa": 1e3, "ua": 1e3}
_TO_US = {"ns": 1e-3, "µs": 1.0, "us": 1.0, "ms": 1e3}


def find(image: ImageFile) -> VendorMetadata | None:
    """Read the XML; its pixel size holds only for an image of the size it names.

    Parameters
    ----------
    image
        Of any kind; None comes back where Atlas did not write it.
    """
    root = xml.parse(image.tag(51023))
    if root is None or xml.local(root.tag) != "Fibics":
        return None

    def said(path: str) -> str | None:
        return xml.value(root, path)

    size = (_pixel(root, "V", "Y", image.height), _pixel(root, "U", "X", image.width))
    named = (said("Image/Width"), said("Image/Height"))
    notices: tuple[str, ...] = ()
    if None not in named and named != (str(image.width), str(image.height)):
        size = (None, None)
        notices = (
            f"'{image.path.name}' carries Atlas metadata of an image of {named[0]} x {named[1]} px but has "
            f"{image.width} x {image.height} px, so its pixel size is unknown; type it in.",
        )
    items = _items(root)
    return VendorMetadata(
        instrument=Instrument(
            maker="Zeiss (Fibics Atlas)",
            model=said("Image/Machine"),
            detector=said("Image/Detector") or text(items.get("detector name")),
            beam={"SEM": "electron", "FIB": "ion"}.get((said("Image/Beam") or "").upper()),
            kv=positive(amount(items.get("high voltage"), _TO_KV)),
            wd_mm=positive(amount(items.get("wd"), nm_per), 1e-6),
            beam_current_na=positive(amount(items.get("beam current"), _TO_NA)),
            dwell_us=positive(_with_unit(root, "Scan/Dwell", _TO_US)),
            time=said("Application/Date"),
            stage_tilt_deg=number(said("Stage/Tilt")),
            stage_mm=place((said(f"Stage/{axis}") for axis in "XYZ"), 1e-3),
            stage_rotation_deg=number(said("Stage/Rot")),
            scan_rotation_deg=number(said("Scan/ScanRot")),
            raw={"xml": ElementTree.tostring(root, "unicode")},
        ),
        pixel_nm=size,
        notices=notices,
    )


def _pixel(root: ElementTree.Element, step: str, axis: str, count: int) -> float | None:
    x, y = (number(xml.value(root, f"Scan/{step}{a}")) for a in "xy")
    if x is not None and y is not None and (length := positive(math.hypot(x, y), 1e3)):
        return length
    unit = getattr(xml.at(root, f"Scan/FOV_{axis}"), "attrib", {}).get("units", "um")
    return positive(xml.value(root, f"Scan/FOV_{axis}"), (nm_per(unit) or math.nan) / count)


def _with_unit(root: ElementTree.Element, path: str, factors: dict[str, float]) -> float | None:
    element = xml.at(root, path)
    factor = factors.get(element.get("units", "").lower()) if element is not None else None
    return None if factor is None or element is None else number(element.text, factor)


def _items(root: ElementTree.Element) -> dict[str, str]:
    """Return ``<item name="WD">=  5.1 mm</item>`` of the beam and the detector, by name in small letters."""
    found: dict[str, str] = {}
    for group in ("BeamInfo", "DetectorInfo", "Detector"):
        for item in xml.children(xml.at(root, group), "item"):
            found[item.get("name", "").lower()] = (item.text or "").strip().lstrip("= ")
    return found
