"""The normal form of vendor metadata, and what vendors' modules look at."""

import math
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import tifffile

from napari_sem_sr.instrument import Instrument
from napari_sem_sr.stack import Triple

# Sidecars and tags have kB; a log that happens to have the image's name may have GB.
LONGEST = 1 << 20
_GROUPED = re.compile(r"^[-+]?\d{1,3}(,\d{3})+(\.\d+)?$")
_THREE = re.compile(r"^\d{3}$")
# Lead bytes of Shift_JIS that are control characters elsewhere, in pairs.
_SHIFT_JIS = re.compile(rb"[\x81-\x9f][\x40-\x7e\x80-\xfc]")


@dataclass(frozen=True)
class ImageFile:
    """An image whose metadata are wanted: its path, its size in pixels and, for a TIFF, the open file.

    Parameters
    ----------
    path
        Of the image; sidecars are looked for beside it.
    height
        Rows, a databar included.
    width
        Columns.
    tiff
        The open file; None for other formats.
    """

    path: Path
    height: int
    width: int
    tiff: tifffile.TiffFile | None = None

    def tag(self, code: int) -> bytes | None:
        """Return the bytes of a tag of the first page as they are in the file, None where it is not there.

        Parameters
        ----------
        code
            Number of the TIFF tag.
        """
        entry = self.tiff.pages.first.tags.get(code) if self.tiff else None
        if entry is None or self.tiff is None:
            return None
        size = entry.valuebytecount
        if size > LONGEST:
            return None
        # not entry.value: tifffile parses some vendors' tags, and loses what it takes for keys
        self.tiff.filehandle.seek(entry.valueoffset)
        content: bytes = self.tiff.filehandle.read(size)
        return content


@dataclass(frozen=True)
class VendorMetadata:
    """What a vendor says about an image; unknown is None.

    Parameters
    ----------
    instrument
        What is said about the microscope.
    pixel_nm
        Pixel size (y, x) in nm as recorded, before any foreshortening is undone.
    z_nm
        Slice thickness.
    tilt_deg
        Angle between the beam and the normal of the imaged face, where the files settle it.
    databar_row
        First row that is no image but the vendor's databar.
    notices
        Sentences a person should read.
    """

    instrument: Instrument
    pixel_nm: tuple[float | None, float | None] = (None, None)
    z_nm: float | None = None
    tilt_deg: float | None = None
    databar_row: int | None = None
    notices: tuple[str, ...] = ()


def number(value: Any, factor: float = 1.0) -> float | None:
    """Return ``value * factor`` where it is a finite number, else None.

    Parameters
    ----------
    value
        Number or text, or anything that a damaged file may hold.
    factor
        To the unit that is wanted.
    """
    if isinstance(value, bool):
        return None
    try:
        result = float(_with_point(value) if isinstance(value, str) else value) * factor
    except (TypeError, ValueError, OverflowError):
        return None
    if not math.isfinite(result):
        return None
    # 1e-07 m is 100 nm and not 100.00000000000001
    return result if factor == 1.0 else float(f"{result:.12g}")


def _with_point(said: str) -> str:
    """Return a number as other countries write it with a decimal point: ``8,1`` and ``15.000,5``, ``1,000,000``.

    One comma before three digits may be either, and is left as no number.
    """
    whole, comma, rest = said.rpartition(",")
    if not comma:
        return said
    if "." in rest or whole.count(","):
        return said.replace(",", "") if _GROUPED.match(said.strip()) else said
    return said if _THREE.match(rest) and "." not in whole else f"{whole.replace('.', '')}.{rest}"


def positive(value: Any, factor: float = 1.0) -> float | None:
    """Return ``value * factor`` where it is a finite number above zero, else None.

    Parameters
    ----------
    value
        Number or text, or anything that a damaged file may hold.
    factor
        To the unit that is wanted.
    """
    result = number(value, factor)
    return result if result is not None and result > 0 else None


def degrees(radians: Any) -> float | None:
    """Return an angle in degrees, None where it is no number.

    Parameters
    ----------
    radians
        Number or text, or anything that a damaged file may hold.
    """
    result = number(radians)
    return None if result is None else math.degrees(result)


def text(value: Any) -> str | None:
    """Return a non-empty string, else None.

    Parameters
    ----------
    value
        Anything that a file may hold.
    """
    return str(value).strip() or None if value is not None else None


def place(xyz: Iterable[Any], to_mm: float) -> Triple[float | None] | None:
    """Return a stage position (x, y, z) in mm, None where none of it is known.

    Parameters
    ----------
    xyz
        Three numbers or texts; each may be missing.
    to_mm
        Millimetres in the file's unit.
    """
    x, y, z = (number(v, to_mm) for v in xyz)
    return None if x is None and y is None and z is None else (x, y, z)


def moment(value: Any, *formats: str) -> str | None:
    """Return a time in ISO 8601, as it stands where it follows none of ``formats``.

    Parameters
    ----------
    value
        Text of date and time.
    """
    said = text(value)
    for form in formats:
        try:
            return datetime.strptime(said or "", form).isoformat()
        except ValueError:
            continue
    return said


def decoded(content: bytes) -> str:
    """Return a text file's content: UTF-16 or UTF-8 by its mark, else UTF-8, else Shift_JIS, else Latin-1.

    Parameters
    ----------
    content
        Bytes of the file.
    """
    if content[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return content.decode("utf-16", errors="replace")
    if len(content) > 3 and content[1] == 0 and content[3] == 0:
        return content.decode("utf-16-le", errors="replace")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        pass
    if _SHIFT_JIS.search(content):
        try:
            return content.decode("cp932")
        except UnicodeDecodeError:
            pass
    # what an instrument's Windows writes for µ and °; bytes that mean nothing there stay readable
    return content.decode("latin-1")


def sections(content: str) -> dict[str, dict[str, str]]:
    """Read ``[section]`` and ``key=value`` lines; lines before the first section belong to ``""``.

    Parameters
    ----------
    content
        Text of the file.
    """
    found: dict[str, dict[str, str]] = {}
    current: dict[str, str] = {}
    for line in content.splitlines():
        stripped = line.strip().strip("\0")
        if stripped.startswith("[") and stripped.endswith("]"):
            current = found.setdefault(stripped[1:-1], {})
        elif "=" in stripped:
            key, _, value = stripped.partition("=")
            if not found:
                current = found.setdefault("", {})
            current[key.strip()] = value.strip()
    return found


def sidecar(path: Path, *suffixes: str) -> Path | None:
    """Return the file of the image's name with one of ``suffixes``, if there is one.

    A suffix is put in the place of the image's, or after it.

    Parameters
    ----------
    path
        Of the image.
    """
    candidates: list[Path] = []
    for suffix in suffixes:
        for case in (suffix, suffix.upper()):
            candidates += [path.with_suffix(case), path.with_name(path.name + case)]
    return next((p for p in candidates if p != path and _is_short_file(p)), None)


def _is_short_file(path: Path) -> bool:
    try:
        return path.is_file() and path.stat().st_size < LONGEST
    except OSError:
        return False


def amount(said: Any, factors: Mapping[str, float] | Callable[[str], float | None]) -> float | None:
    """Read a number with its unit, as ``"15000 Volt"`` or ``"8100 um"``; None where the unit is unknown.

    Parameters
    ----------
    said
        Number and unit with a space between.
    factors
        To the unit that is wanted, by name of the unit, or a function that gives it.
    """
    parts = str(said or "").split()
    if len(parts) != 2:
        return None
    unit = parts[1]
    factor = factors(unit) if callable(factors) else factors.get(unit.lower())
    return None if factor is None else number(parts[0], factor)


def stale(image: ImageFile, width: Any) -> tuple[str, ...]:
    """Say that metadata were written for an image of another width: a copy that was binned, or cut out.

    What they say about the pixel size does not hold for it then. Heights differ by databars.

    Parameters
    ----------
    image
        The image as it is.
    width
        Columns that the metadata name.
    """
    named = positive(width)
    if named is None or int(named) == image.width:
        return ()
    return (
        f"'{image.path.name}' carries metadata of an image {int(named)} px wide but is {image.width} px wide, so its "
        "pixel size is unknown; type it in.",
    )
