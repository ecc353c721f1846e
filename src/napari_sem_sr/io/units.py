"""Lengths as files write them, in nm."""

import math

_NM = {
    "pm": 1e-3,
    "picometer": 1e-3,
    "å": 0.1,
    "a": 0.1,
    "angstrom": 0.1,
    "nm": 1.0,
    "nanometer": 1.0,
    "nanometre": 1.0,
    "µm": 1e3,  # micro sign
    "μm": 1e3,  # Greek mu
    "um": 1e3,
    "micron": 1e3,
    "micrometer": 1e3,
    "micrometre": 1e3,
    "mm": 1e6,
    "millimeter": 1e6,
    "millimetre": 1e6,
    "cm": 1e7,
    "centimeter": 1e7,
    "centimetre": 1e7,
    "m": 1e9,
    "meter": 1e9,
    "metre": 1e9,
    "in": 2.54e7,
    "inch": 2.54e7,
}

# Printers and scanners count in these; at 4800 dots per inch a pixel is 5.3 µm.
_OFFICE_UNITS = {"in", "inch", "cm", "centimeter", "centimetre"}
_OFFICE_NM = 5000.0


def nm_per(unit: str | None) -> float | None:
    """Length of ``unit`` in nm; None where it is no length ("pixel", "")."""
    # ImageJ escapes the micro sign
    name = (unit or "").strip().strip("\0").replace("\\u00B5", "µ").lower()
    # "nanometers", "inches" and "microns", but "ms" is no length
    return _NM.get(name, _NM.get(name.removesuffix("s")) if len(name) > 4 else None)


def pixel_nm(size: float, unit: str | None) -> float | None:
    """Return a pixel's size in nm, or None where it is none that a microscope could have recorded.

    A size in inches or centimetres is often a picture editor's print resolution (72, 96, 300, 600 dpi);
    such sizes are believed only below 5 µm.

    Parameters
    ----------
    size
        In ``unit``.
    unit
        As the file writes it; None for none.
    """
    factor = nm_per(unit)
    if factor is None or not (math.isfinite(size) and size > 0):
        return None
    value = size * factor
    if (unit or "").strip().lower() in _OFFICE_UNITS and value > _OFFICE_NM:
        return None
    return value
