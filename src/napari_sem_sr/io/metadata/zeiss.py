"""Zeiss SmartSEM: TIFF tag 34118, pairs of lines ``AP_WD`` and ``WD = 5.0 mm``; 34119 in some versions.

The tag is read here and not by tifffile, which takes every line in capitals for a key and so loses
``EHT = 800 V``. What the unnamed numbers at its head mean: Gwyddion's mailing list, April 2012,
https://sourceforge.net/p/gwyddion/mailman/message/29275000/.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from napari_sem_sr.instrument import Instrument
from napari_sem_sr.io.metadata.form import (
    ImageFile,
    VendorMetadata,
    decoded,
    moment,
    number,
    positive,
    stale,
    text,
)
from napari_sem_sr.io.units import nm_per
from napari_sem_sr.stack import Triple

_KEY = re.compile(r"^[A-Z]{2}_[A-Z0-9_]+$")
_LINE = re.compile(r"^([^=:]+?)\s*[=:]\s*(.*)$")
_NUMBER = re.compile(r"^([-+]?[0-9.,]+(?:[eE][-+]?[0-9]+)?)\s*(\S*)$")

_TO_NA = {"fa": 1e-6, "pa": 1e-3, "na": 1.0, "µa": 1e3, "ua": 1e3, "ma": 1e6, "a": 1e9}
_TO_US = {"ns": 1e-3, "µs": 1.0, "us": 1.0, "ms": 1e3, "s": 1e6, "secs": 1e6}
_TO_KV = {"v": 1e-3, "kv": 1.0}


@dataclass(frozen=True)
class SmartSem:
    """The tag's lines: ``head`` the unnamed numbers, ``values`` (name, value) by key in capitals."""

    head: tuple[str, ...]
    values: Mapping[str, tuple[str, str]]

    @classmethod
    def of(cls, content: str) -> "SmartSem":
        """Read the lines; a key that no value follows is left out.

        Parameters
        ----------
        content
            Text of the tag.
        """
        head: list[str] = []
        values: dict[str, tuple[str, str]] = {}
        key = ""
        for line in (part.strip().strip("\0") for part in content.splitlines()):
            if _KEY.match(line):
                key = line
            elif key:
                if said := _LINE.match(line):
                    values[key] = (said[1], said[2])
                key = ""
            elif not values:
                head.append(line)
        return cls(tuple(head), values)

    def said(self, *keys: str) -> str | None:
        """Return the first value there is; a key is one as ``AP_WD`` or a name as ``WD``.

        Parameters
        ----------
        keys
            In the order in which they are believed.
        """
        named = dict(self.values.values())
        both = (self.values[k][1] if k in self.values else named.get(k) for k in keys)
        return next((v for said in both if (v := text(said))), None)

    def scaled(self, factors: Mapping[str, float], *keys: str) -> float | None:
        """Return the first value that is a number of a known unit.

        Parameters
        ----------
        factors
            To the unit that is wanted, by name of the unit.
        keys
            In the order in which they are believed.
        """
        for key in keys:
            match = _NUMBER.match(self.said(key) or "")
            factor = factors.get(match[2].lower()) if match else None
            if match and factor is not None and (result := number(match[1], factor)) is not None:
                return result
        return None

    def length_nm(self, *keys: str) -> float | None:
        """Return the first value that is a length above zero.

        Parameters
        ----------
        keys
            In the order in which they are believed.
        """
        for key in keys:
            match = _NUMBER.match(self.said(key) or "")
            factor = nm_per(match[2]) if match else None
            if match and factor and (result := positive(match[1], factor)) is not None:
                return result
        return None

    def degrees(self, *keys: str) -> float | None:
        """Return the first value that is a number, in degrees as all angles are here.

        Parameters
        ----------
        keys
            In the order in which they are believed.
        """
        for key in keys:
            match = re.match(r"^([-+]?[0-9.,]+)", self.said(key) or "")
            if match and (result := number(match[1])) is not None:
                return result
        return None


def find(image: ImageFile) -> VendorMetadata | None:
    """Read SmartSEM's own values; the pixel size is that of the stored image, not of the screen.

    Parameters
    ----------
    image
        Of any kind; None comes back where SmartSEM did not write it.
    """
    content = image.tag(34118) or image.tag(34119)
    if not content:
        return None
    tag = SmartSem.of(decoded(content))
    if not tag.values:
        return None
    size = tag.length_nm("AP_IMAGE_PIXEL_SIZE", "AP_PIXEL_SIZE")
    if size is None and len(tag.head) > 3:
        # the fourth of the unnamed numbers is the pixel size in metres
        size = positive(tag.head[3], 1e9)
    stored = re.match(r"\d+", tag.said("DP_IMAGE_STORE") or "")
    notices = stale(image, stored[0]) if stored and size is not None else ()
    if notices:
        size = None
    wd = tag.length_nm("AP_WD")
    corrected = _switch(tag.said("Tilt Corrn."))
    angle = tag.degrees("AP_TILT_ANGLE", "Tilt Angle")
    rotated = _switch(tag.said("DP_SCAN_ROT", "Scan Rot"))
    return VendorMetadata(
        instrument=Instrument(
            maker="Zeiss",
            model=tag.said("DP_SEM"),
            detector=tag.said("DP_DETECTOR_CHANNEL", "DP_DETECTOR_TYPE"),
            beam=_beam(tag),
            kv=positive(tag.scaled(_TO_KV, "AP_ACTUALKV", "AP_MANUALKV")),
            wd_mm=None if wd is None else wd * 1e-6,
            beam_current_na=positive(tag.scaled(_TO_NA, "AP_IPROBE", "AP_ACTUALCURRENT")),
            dwell_us=positive(tag.scaled(_TO_US, "DP_DWELL_TIME", "AP_DWELL_TIME")),
            time=_time(tag),
            stage_tilt_deg=tag.degrees("AP_STAGE_AT_T"),
            stage_mm=_stage(tag),
            stage_rotation_deg=tag.degrees("AP_STAGE_AT_R"),
            scan_rotation_deg=0.0
            if rotated is False
            else tag.degrees("AP_SCANROTATION", "Scan Rotation"),
            tilt_corrected=corrected,
            tilt_correction_deg=angle,
            raw=dict(tag.values),
        ),
        pixel_nm=(size, size),
        tilt_deg=abs(angle) if corrected and angle else None,
        notices=notices,
    )


def _switch(said: str | None) -> bool | None:
    return {"on": True, "yes": True, "off": False, "no": False}.get((said or "").lower())


def _beam(tag: SmartSem) -> str | None:
    # "FIB Imaging = SEM", "FIB" or "SEM+FIB" on instruments that have both columns
    said = (tag.said("FIB Imaging") or "").upper()
    return {"FIB": "ion", "SEM": "electron"}.get(said)


def _stage(tag: SmartSem) -> Triple[float | None] | None:
    signed = {"mm": 1.0, "µm": 1e-3, "um": 1e-3, "m": 1e3, "cm": 10.0}
    x, y, z = (tag.scaled(signed, f"AP_STAGE_AT_{axis}") for axis in "XYZ")
    return None if x is None and y is None and z is None else (x, y, z)


def _time(tag: SmartSem) -> str | None:
    day, clock = tag.said("AP_DATE"), tag.said("AP_TIME")
    if day is None:
        return None
    return moment(f"{day} {clock or ''}".strip(), "%d %b %Y %H:%M:%S", "%d %b %Y")
