"""What is known about a stack, from all that its files say: the first source that knows a number is believed."""

import math
from dataclasses import dataclass, field
from pathlib import Path

from napari_sem_sr.geometry import STEEPEST_DEG, is_along_y, true_pixel_nm
from napari_sem_sr.instrument import Instrument, Sources
from napari_sem_sr.io.metadata import VendorMetadata
from napari_sem_sr.io.metadata.thermofisher import slice_thickness_nm
from napari_sem_sr.stack import Triple

_UNKNOWN: Triple[float | None] = (None, None, None)


@dataclass(frozen=True)
class MergedMetadata:
    """Voxel size and tilt with their sources, the instrument, and sentences a person should read.

    ``question`` is what a person should be asked as long as nobody has typed the tilt or y.

    Parameters
    ----------
    voxel_nm
        (z, y, x); None where unknown.
    tilt_deg
        Between the beam and the normal of the imaged face; None where unknown.
    sources
        Where these numbers come from.
    instrument
        What is said about the microscope.
    databar_row
        First row that the vendor says is no image.
    notices
        Sentences that a person should read.
    """

    voxel_nm: Triple[float | None] = _UNKNOWN
    tilt_deg: float | None = None
    sources: Sources = field(default_factory=Sources)
    instrument: Instrument = field(default_factory=Instrument)
    databar_row: int | None = None
    question: str | None = None
    notices: tuple[str, ...] = ()


def merged(
    path: Path,
    found: VendorMetadata | None,
    *others: Triple[float | None],
    tilt_deg: float | None = None,
) -> MergedMetadata:
    """Put together what a vendor, the project's folder and other sources say about the image at ``path``.

    Parameters
    ----------
    found
        What the vendor says, believed before ``others``.
    others
        Voxel sizes (z, y, x) in nm that need no correction, in the order in which they are believed.
    tilt_deg
        Tilt that one of our own outputs says.
    """
    project = slice_thickness_nm(path)
    z = next((v for v in (project, *_along(0, found, others)) if v is not None), None)
    y = next((v for v in _along(1, found, others) if v is not None), None)
    x = next((v for v in _along(2, found, others) if v is not None), None)
    notices = list(found.notices) if found else []
    instrument = found.instrument if found else Instrument()
    tilt = found.tilt_deg if found and tilt_deg is None else tilt_deg
    if tilt is not None and not 0 <= tilt <= STEEPEST_DEG:
        tilt = None
    if found and found.pixel_nm[0] is not None:
        if not is_along_y(instrument.scan_rotation_deg):
            notices.append(
                f"'{path.name}' was recorded with the scan rotated by {instrument.scan_rotation_deg:.1f} degrees, so "
                "a tilted face is not foreshortened along y; if it was tilted, type in the voxel size."
            )
        elif tilt and y is not None and not instrument.tilt_corrected:
            y = true_pixel_nm(y, tilt)
    if instrument.beam == "ion":
        notices.append(
            f"'{path.name}' was recorded with the ion beam; models are taught on electron images."
        )
    return MergedMetadata(
        voxel_nm=(z, y, x),
        tilt_deg=tilt,
        sources=Sources(
            z=None if z is None else "file" if project is None else "project",
            y=None if y is None else "file",
            x=None if x is None else "file",
            tilt=None if tilt is None else "file",
        ),
        instrument=instrument,
        databar_row=found.databar_row if found else None,
        question=_question(path, instrument) if tilt is None and instrument.beam != "ion" else None,
        notices=tuple(notices),
    )


def databar_notice(path: Path, rows: tuple[int, int], width: int) -> str:
    """Offer to leave the databar out; ``rows`` are those (first, end) of the image.

    Parameters
    ----------
    path
        Of the image, to name it.
    width
        Columns of the image.
    """
    first, end = rows
    where = f"from row {end} on" if first == 0 else f"above row {first}"
    return (
        f"'{path.name}' has a databar {where}, which is no image; leave it out with the region "
        f"{first}:{end},0:{width} (--region)."
    )


def _along(
    axis: int, found: VendorMetadata | None, others: tuple[Triple[float | None], ...]
) -> list[float | None]:
    vendor = () if found is None else (found.z_nm if axis == 0 else found.pixel_nm[axis - 1],)
    return [*vendor, *(other[axis] for other in others)]


def _question(path: Path, instrument: Instrument) -> str | None:
    """Ask for the tilt where the stage was tilted and nothing says how the face stood to the beam."""
    stage, angle = instrument.stage_tilt_deg, instrument.tilt_correction_deg
    tilted = stage is not None and abs(stage) >= 1.0
    if not tilted and not (angle and abs(angle) >= 1.0):
        return None
    said = [f"the stage was at {stage:.1f} degrees"] if stage is not None else []
    if instrument.tilt_corrected is not None:
        on = "on" if instrument.tilt_corrected else "off"
        at = (
            f" (set to {abs(angle):.1f} degrees)"
            if angle is not None and math.isfinite(angle)
            else ""
        )
        said.append(f"tilt correction{at} was {on}")
    y = "corrected by the microscope" if instrument.tilt_corrected else "taken as recorded"
    return (
        f"'{path.name}' does not settle how the imaged face stood to the beam ({', '.join(said)}): y is {y}; if the "
        "face was tilted, give the angle between the beam and its normal (--tilt, or Voxel size)."
    )
