"""What a file says about the microscope, and where voxel size and tilt come from."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Instrument:
    """What the files say about the microscope; None where they do not say.

    Parameters
    ----------
    maker
        As a person would write it.
    model
        Of the microscope.
    detector
        Or the mix of signals, in the maker's words.
    beam
        Which beam made the image: ``"electron"`` or ``"ion"``.
    kv
        Accelerating voltage in kV.
    wd_mm
        Working distance in mm.
    beam_current_na
        Beam current in nA.
    dwell_us
        Dwell time per pixel in µs.
    time
        When the image was taken, ISO 8601 without a time zone, or as the file says it.
    stage_tilt_deg
        Tilt of the stage, which alone does not say how the imaged face stood to the beam.
    stage_mm, stage_rotation_deg
        Place (x, y, z) and rotation of the stage.
    scan_rotation_deg
        Rotation of the scan; 0 where the file says that there was none.
    tilt_corrected
        Whether the microscope stretched the scan along y to undo foreshortening.
    tilt_correction_deg
        The angle set for that correction, whether it was on or not.
    raw
        The vendor's own metadata, untouched.
    """

    maker: str | None = None
    model: str | None = None
    detector: str | None = None
    beam: str | None = None
    kv: float | None = None
    wd_mm: float | None = None
    beam_current_na: float | None = None
    dwell_us: float | None = None
    time: str | None = None
    stage_tilt_deg: float | None = None
    stage_mm: tuple[float | None, float | None, float | None] | None = None
    stage_rotation_deg: float | None = None
    scan_rotation_deg: float | None = None
    tilt_corrected: bool | None = None
    tilt_correction_deg: float | None = None
    raw: Mapping[str, Any] = field(default_factory=dict, repr=False, compare=False)


@dataclass(frozen=True)
class Sources:
    """Where voxel size and tilt come from; None where the number is unknown or was given by a program.

    Each is ``"file"`` (the image, its sidecar or its folder's metadata), ``"project"`` (the project file of the
    acquisition software) or ``"typed"`` (by a person).

    Parameters
    ----------
    z
        Of the slice thickness.
    y
        Of the pixel size along y.
    x
        Of the pixel size along x.
    tilt
        Of ``tilt_deg``.
    """

    z: str | None = None
    y: str | None = None
    x: str | None = None
    tilt: str | None = None
