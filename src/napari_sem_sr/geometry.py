"""How an imaged face stood to the beam, and what that does to voxel size and slices.

The electron beam meets the imaged face at ``tilt_deg`` from its normal, so that a length on the face along y is
recorded shorter by cos(tilt_deg), and the face, which retreats by one slice thickness along its normal from slice
to slice, wanders in the recorded image by thickness × sin(tilt_deg) unless the beam followed it. (For columns at 52
degrees and a face milled along the ion beam the tilt is 90 - 52 = 38 degrees.)
"""

import math
from collections.abc import Sequence
from dataclasses import replace

from napari_sem_sr.errors import InputError
from napari_sem_sr.instrument import Sources
from napari_sem_sr.stack import SemStack, Triple

# At 85 degrees a face is seen at a twelfth of its height; beyond, nobody images.
STEEPEST_DEG = 85.0
# In nm; from here on lengths are said in it.
MICROMETRE = 1000.0


def spoken_length(nm: float, digits: int = 4) -> str:
    """Length for a person: ``5.83 nm``, from 1000 nm on in micrometres, ``1.2 µm``.

    Parameters
    ----------
    nm
        Length in nm.
    digits
        Significant digits.
    """
    return f"{nm:.{digits}g} nm" if abs(nm) < MICROMETRE else f"{nm / MICROMETRE:.{digits}g} µm"


def spoken_voxel(voxel_nm: Sequence[float | None]) -> str:
    """Voxel size (z, y, x) for a person, in one unit: ``10 × 5 × 5 nm``; unknown axes as a question mark.

    Parameters
    ----------
    voxel_nm
        (z, y, x) in nm; None where unknown.
    """
    known = [v for v in voxel_nm if v is not None]
    if not known:
        return "unknown"
    by, unit = (MICROMETRE, "µm") if max(known) >= MICROMETRE else (1.0, "nm")
    return " × ".join("?" if v is None else f"{v / by:.4g}" for v in voxel_nm) + f" {unit}"


def true_pixel_nm(recorded_nm: float, tilt_deg: float) -> float:
    """Pixel size along y on the imaged face, in nm, of one recorded at ``tilt_deg``.

    Parameters
    ----------
    recorded_nm
        Pixel size as recorded, in nm.
    """
    return recorded_nm / math.cos(math.radians(tilt_deg))


def shear_nm(thickness_nm: float, tilt_deg: float) -> float:
    """How far, in nm on the face along y, an untracked stack wanders per slice of ``thickness_nm``.

    Thickness × sin(tilt) in the recorded image, which is thickness × tan(tilt) on the face.

    Parameters
    ----------
    tilt_deg
        Angle between the beam and the normal of the imaged face.
    """
    return thickness_nm * math.tan(math.radians(tilt_deg))


def is_along_y(scan_rotation_deg: float | None) -> bool:
    """Whether foreshortening lies along y: not where the scan was rotated by other than half turns.

    Parameters
    ----------
    scan_rotation_deg
        As the file says; None where it does not say, which counts as not rotated.
    """
    turned = (scan_rotation_deg or 0.0) % 180.0
    return min(turned, 180.0 - turned) < 1.0


def with_typed(
    stack: SemStack,
    voxel_nm: Triple[float | None] = (None, None, None),
    tilt_deg: float | None = None,
) -> SemStack:
    """Put typed numbers over those of the files, keeping the origin where it was on the sample.

    Parameters
    ----------
    stack
        As it was read.
    voxel_nm
        Voxel size (z, y, x) in nm on the sample; None leaves what is known. A typed y is believed as it is.
    tilt_deg
        Angle between the beam and the normal of the imaged face, in degrees; None leaves what is known. A y that
        is not typed is foreshortened by it, unless the microscope corrected that.

    Raises
    ------
    InputError
        If a number is impossible.
    """
    if len(voxel_nm) != 3:
        raise InputError(f"The voxel size {voxel_nm} needs three numbers, z, y, x in nm.")
    voxel = list(stack.voxel_nm)
    sources = vars(stack.sources).copy()
    if tilt_deg is not None:
        if not 0 <= tilt_deg <= STEEPEST_DEG:
            raise InputError(
                f"A tilt of {tilt_deg} degrees is impossible; give the angle between the beam and the normal of the "
                f"imaged face, 0 to {STEEPEST_DEG:g}."
            )
        if voxel[1] is not None and sources["y"] != "typed" and not stack.instrument.tilt_corrected:
            recorded = voxel[1] * math.cos(math.radians(stack.tilt_deg or 0.0))
            voxel[1] = true_pixel_nm(recorded, tilt_deg)
        sources["tilt"] = "typed"
    for axis, typed in enumerate(voxel_nm):
        if typed is not None:
            voxel[axis] = float(typed)
            sources["zyx"[axis]] = "typed"
    # an origin is a number of voxels from the first one, whatever their size
    origin = [
        o if v is None or v == scale else o / scale * v
        for o, v, scale in zip(stack.origin_nm, voxel, stack.world.scale, strict=True)
    ]
    return replace(
        stack,
        voxel_nm=(voxel[0], voxel[1], voxel[2]),
        origin_nm=(origin[0], origin[1], origin[2]),
        tilt_deg=stack.tilt_deg if tilt_deg is None else float(tilt_deg),
        sources=Sources(**sources),
    )
