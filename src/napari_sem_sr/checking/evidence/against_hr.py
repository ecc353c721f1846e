"""Everything that needs HR of the same field: one slice compared, and the slices added up.

Scores come twice. *Raw*: nothing is normalised, shifted or clipped. *Matched*: gain and offset of each slice are
fitted first (least squares), so that pictures of two detectors can be compared; brightness and contrast that are
wrong are then forgiven. Bicubic and, where the model is at hand, its twin stand beside SR in both.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

import numpy as np
import numpy.typing as npt

from napari_sem_sr.checking.field import Field
from napari_sem_sr.checking.protocol import Evidence, Found, MapKind, Shown, SoFar
from napari_sem_sr.measure import particles
from napari_sem_sr.metrics import frc, local_frc
from napari_sem_sr.metrics.difference import difference, split_bands
from napari_sem_sr.metrics.psnr_ssim import StackScores, squared_error, ssim, ssim_map
from napari_sem_sr.metrics.resample import area_average
from napari_sem_sr.teachers.registration.placement import fit_line
from napari_sem_sr.teachers.registration.register import Registration

if TYPE_CHECKING:
    from napari_sem_sr.checking.view.seen import Seen
    from napari_sem_sr.checking.view.setup import Setup

Image = npt.NDArray[Any]
Float = npt.NDArray[np.float32]
Slices = Sequence[Mapping[str, Any]]

# Prefix of its numbers, and what a picture is called; SR is first and has none.
PICTURES = {"": "SR", "twin_": "the twin", "bicubic_": "bicubic"}
MAPS = ("difference", "difference_low", "difference_high", "ssim", "local_frc")
# SR pixels by which HR may lie elsewhere before the scores say more about that than about SR.
SHIFT_LIMIT_PX = 0.3
POLARITIES: tuple[particles.Polarity, ...] = ("bright", "dark")
OBJECTS = {"bright": "particles", "dark": "pores"}
# Fewer objects in HR say nothing about sizes.
ENOUGH_OBJECTS = 10


@dataclass(frozen=True)
class Compared:
    """``numbers`` and ``maps`` of one slice; maps are (y, x) on the grid of LR."""

    numbers: dict[str, Any]
    maps: dict[str, Float]


def compare(pictures: Mapping[str, Image], hr: Image, factor: int, data_range: float) -> Compared:
    """Compare ``pictures``, by the prefixes of `PICTURES`, with ``hr``, all (y, x); ``factor``, ``data_range`` as for scores."""
    sr = pictures[""]
    numbers: dict[str, Any] = {}
    for prefix, picture in pictures.items():
        total, count = squared_error(picture, hr)
        line = fit_line(picture.astype(np.float64), hr.astype(np.float64))
        matched = (picture * line.gain + line.offset).astype(np.float32)
        crossings = local_frc.local_crossings(picture, hr, factor)
        similarity = ssim_map(picture, hr, data_range)
        inside = similarity[np.isfinite(similarity)]
        numbers |= {
            f"{prefix}squared_error": total,
            f"{prefix}pixels": count,
            f"{prefix}ssim": float(inside.mean()) if inside.size else ssim(picture, hr, data_range),
            f"{prefix}matched_squared_error": line.rms**2 * count,
            f"{prefix}matched_ssim": ssim(matched, hr, data_range),
            f"{prefix}gain": line.gain,
            f"{prefix}offset": line.offset,
            f"{prefix}frc": frc.ring_sums(picture, hr),
            f"{prefix}local_frc": local_frc.histogram(crossings),
        }
        if not prefix:
            maps = {"ssim": _coarse(similarity, factor)}
            lr_shape = (hr.shape[0] // factor, hr.shape[1] // factor)
            if crossings is None:
                maps["local_frc"] = np.full(lr_shape, np.nan, np.float32)
            else:
                maps["local_frc"] = local_frc.spread(crossings * factor, lr_shape)
    for polarity in POLARITIES:
        segmentation = particles.Segmentation.of(hr, polarity)
        truth = particles.detect(hr, None, segmentation=segmentation)
        for prefix, picture in pictures.items():
            other = particles.detect(picture, None, segmentation=segmentation)
            numbers[f"{prefix}{polarity}"] = particles.count(
                truth, other, particles.match(truth, other)
            )
    whole = difference(sr, hr)
    low, high = split_bands(whole, factor)
    numbers["sum"] = float(np.nansum(whole, dtype=np.float64))
    numbers["low_squared"] = float(np.nansum(low.astype(np.float64) ** 2))
    numbers["high_squared"] = float(np.nansum(high.astype(np.float64) ** 2))
    maps |= {
        "difference": whole,
        "difference_low": _coarse(low, factor),
        "difference_high": _coarse(high**2, factor) ** 0.5,
    }
    return Compared(numbers, maps)


def scores_of(
    found: Slices,
    data_range: float,
    field: Field,
    registration: Registration | str | None,
    limits: list[str],
) -> dict[str, Any]:
    """Scores of the whole stack.

    Parameters
    ----------
    found
        Numbers of `compare` for every slice.
    data_range
        Peak of PSNR and SSIM.
    field
        What was compared.
    registration
        Where HR lies over LR, or why nobody knows.
    limits
        Sentences are added here.
    """
    scores: dict[str, Any] = {}
    for prefix, who in PICTURES.items():
        scores |= _picture_scores(found, data_range, prefix)
        if scores[f"{prefix}psnr"] is None and scores[f"{prefix}ssim"] is not None:
            limits.append(
                f"{who[0].upper()}{who[1:]} equals HR in every pixel; its PSNR is infinite and written as null."
            )
    pixels = sum(n["pixels"] for n in found)
    scores["data_range"] = data_range
    scores["mean_difference"] = sum(n["sum"] for n in found) / pixels
    for band in ("low", "high"):
        scores[f"difference_{band}_rms"] = math.sqrt(
            sum(n[f"{band}_squared"] for n in found) / pixels
        )
    scores |= _resolutions(found, field, limits)
    scores["local_frc"] = _local(found, field, limits)
    for polarity, name in OBJECTS.items():
        scores[name] = _objects(found, polarity, field, limits)
    scores |= _placed(field, registration, limits)
    if field.hr is not None and field.hr.dtype.kind == "f":
        limits.append(
            "HR holds floats, which have no range of their own; PSNR and SSIM use the span of HR's values, "
            f"{data_range:.6g}."
        )
    return scores


def _picture_scores(found: Slices, data_range: float, prefix: str) -> dict[str, Any]:
    if f"{prefix}ssim" not in found[0]:
        names = ("psnr", "ssim", "matched_psnr", "matched_ssim")
        return {f"{prefix}{name}": None for name in names}
    raw, matched = StackScores(data_range), StackScores(data_range)
    for n in found:
        raw.merge(n[f"{prefix}squared_error"], n[f"{prefix}pixels"], n[f"{prefix}ssim"])
        matched.merge(
            n[f"{prefix}matched_squared_error"], n[f"{prefix}pixels"], n[f"{prefix}matched_ssim"]
        )
    return {
        f"{prefix}psnr": finite(raw.psnr),
        f"{prefix}ssim": raw.ssim,
        f"{prefix}psnr_per_slice": [finite(v) for v in raw.psnr_per_slice],
        f"{prefix}ssim_per_slice": raw.ssim_per_slice,
        f"{prefix}matched_psnr": finite(matched.psnr),
        f"{prefix}matched_ssim": matched.ssim,
        f"{prefix}gain": float(np.median([n[f"{prefix}gain"] for n in found])),
        f"{prefix}offset": float(np.median([n[f"{prefix}offset"] for n in found])),
    }


def _resolutions(found: Slices, field: Field, limits: list[str]) -> dict[str, Any]:
    """Resolution by Fourier ring correlation in nm, and the curves."""
    pixel = square_pixel_nm(field)
    result: dict[str, Any] = {}
    for prefix, who in PICTURES.items():
        if f"{prefix}frc" not in found[0]:
            result[f"{prefix}frc_nm"] = None
            continue
        frequency, correlation = frc.curve([s[f"{prefix}frc"] for s in found])
        period = frc.resolution_px(frequency, correlation)
        result[f"{prefix}frc_nm"] = period * pixel if period and pixel else None
        result[f"{prefix}frc_curve"] = [finite(float(v)) for v in correlation]
        result["frc_cycles_per_px"] = [float(v) for v in frequency]
        if not prefix and period is None:
            limits.append(
                f"The Fourier ring correlation of {who} with HR does not cross {frc.THRESHOLD:g}, so the resolution is undefined."
            )
    if pixel is None:
        limits.append("The pixel size is unknown or not square, so no resolution is given in nm.")
    return result


def _local(found: Slices, field: Field, limits: list[str]) -> dict[str, Any] | None:
    twins = [s["twin_local_frc"] for s in found] if "twin_local_frc" in found[0] else None
    local = local_frc.summarise_local(
        [s["local_frc"] for s in found],
        [s["bicubic_local_frc"] for s in found],
        twins,
        field.factor,
        square_pixel_nm(field),
    )
    if local is None:
        limits.append(
            f"No patch of {local_frc.patch_px(field.factor)} SR pixels of HR shows more than its noise, so there is no local ring correlation."
        )
    return local


def _objects(
    found: Slices, polarity: str, field: Field, limits: list[str]
) -> dict[str, Any] | None:
    """Particles or pores missed and invented by diameter, in SR, its twin and bicubic."""
    pixel = square_pixel_nm(field)
    total = {
        who: particles.summarise_counts([s[f"{prefix}{polarity}"] for s in found], pixel)
        for prefix, who in (("", "sr"), ("twin_", "twin"), ("bicubic_", "bicubic"))
        if f"{prefix}{polarity}" in found[0]
    }
    n = total["sr"]["n_true"]
    if n < ENOUGH_OBJECTS:
        limits.append(
            f"HR shows {n or 'no'} whole {OBJECTS[polarity]} ({polarity} islands under Otsu's threshold), too few to say which sizes SR keeps."
        )
        return None
    return total


def _placed(
    field: Field, registration: Registration | str | None, limits: list[str]
) -> dict[str, Any]:
    """Where HR lies over LR, and a sentence where that matters."""
    if not isinstance(registration, Registration):
        if registration is not None:
            limits.append(f"Whether HR lies exactly on SR could not be measured: {registration}")
        return {"shift_px": None, "registration": None}
    described = {**registration.describe(), "applied": field.registered}
    shift = float(np.hypot(*registration.shift_px))
    if not field.registered and shift > SHIFT_LIMIT_PX:
        dy, dx = registration.shift_px
        limits.append(
            f"HR lies {dy:+.2f}, {dx:+.2f} SR pixels (y, x) from LR and was compared where its file puts it, so scores and maps are too bad; "
            "check again with --register."
        )
    return {"shift_px": described["shift_px"], "registration": described}


def square_pixel_nm(field: Field) -> float | None:
    """Pixel size of SR of a ``field`` in nm, where it is known and the same along y and x."""
    vy, vx = field.sr.voxel_nm[1:]
    return vx if vy is not None and vx is not None and abs(vy / vx - 1) < 0.01 else None


def finite(value: float) -> float | None:
    """``value``, or None for what JSON cannot hold."""
    return value if math.isfinite(value) else None


def _coarse(image: npt.NDArray[Any], factor: int) -> Float:
    return area_average(image, factor).astype(np.float32)


@dataclass(frozen=True)
class HrRecord:
    """The ``numbers`` of `compare` on one slice."""

    numbers: dict[str, Any]


class HrEvidence(Evidence[HrRecord]):
    """SR, its twin and bicubic beside HR of the same field."""

    name = "against_hr"
    section = "scores"
    record = HrRecord
    draws = (
        MapKind("difference", "SR − HR, grey levels", grid="SR"),
        MapKind(
            "difference_low",
            "SR − HR below the Nyquist frequency of LR: contradicts LR, grey levels",
        ),
        MapKind(
            "difference_high",
            "SR − HR above the Nyquist frequency of LR, root mean square, grey levels",
        ),
        MapKind(
            "ssim",
            "local structural similarity of SR and HR, −1 to 1",
            shown=Shown("SSIM with HR", 0, 1, "", "dark: structure differs from HR"),
        ),
        MapKind(
            "local_frc",
            "where the ring correlation of SR and HR in a patch falls below 0.5, cycles per LR pixel (0.5 is LR's Nyquist frequency)",
            shown=Shown(
                "Local ring correlation",
                0,
                1,
                "cycles per LR pixel",
                "dark: SR leaves HR early; 0.5 is LR's Nyquist",
            ),
        ),
    )
    cannot = "Which detail of SR is real: scores say how far SR is from HR on the whole."

    @classmethod
    def missing(cls, setup: "Setup") -> str | None:
        """Only where there is HR."""
        if setup.field.hr is not None:
            return None
        return "No HR was given, so nothing here says how close SR comes to the truth."

    @classmethod
    def prepare(cls, setup: "Setup") -> Self:
        """Nothing has to be measured."""
        return cls()

    def look(self, seen: "Seen") -> Found[HrRecord]:
        """Compare one slice."""
        assert seen.hr is not None, "only with HR"
        pictures = {"": seen.sr, "bicubic_": seen.setup.bicubic(seen.index)}
        if seen.twin is not None:
            pictures["twin_"] = seen.twin
        compared = compare(pictures, seen.hr, seen.setup.field.factor, seen.setup.data_range)
        return Found(HrRecord(compared.numbers), compared.maps)

    def combine(self, records: Sequence[HrRecord], setup: "Setup", so_far: SoFar) -> dict[str, Any]:
        """Scores of the whole stack."""
        field, limits = setup.field, so_far.limits
        found = [r.numbers for r in records]
        scores = scores_of(found, setup.data_range, field, setup.registration, limits)
        if not field.registered and _made_from(field):
            limits.append(
                "LR was made from this HR by averaging, so both share their noise and the degradation is exactly the "
                "model's: PSNR, SSIM, resolution and chi-square are optimistic compared with two recordings on two microscopes."
            )
        return scores


def _made_from(field: Field) -> bool:
    """Whether LR is HR averaged, by what its file says or by its pixels."""
    if "degraded_from" in (field.lr.provenance or {}):
        return True
    assert field.hr is not None
    index = field.kept[len(field.kept) // 2]
    mean = area_average(field.hr.slice(index), field.factor)
    lr = field.lr_part.slice(index)
    step = 0.5 if field.lr.dtype.kind in "ui" else 1e-4 * max(1.0, float(np.nanmax(np.abs(lr))))
    return bool(np.nanmax(np.abs(mean - lr)) <= step + 1e-6)
