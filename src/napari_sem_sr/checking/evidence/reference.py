"""The stack beside teachers that show other places of the same material: the usual case, where no HR of the field exists.

Nothing is compared pixel by pixel. Area fraction, sizes, chord lengths and spectrum of LR, bicubic, SR and teachers are
measured in the same way: one Otsu threshold for the stack, taken from LR, and one for each specimen of the
teachers, whose grey scale is another microscope's. Teachers are brought to SR's pixel size first, where both are known.

The interval of the teachers is a bootstrap over *specimens* (Efron 1979): 95 % for the mean. The stack is one specimen: it
has no interval of its own, and is held against the range of single specimens.

What it can and cannot tell: whether SR has the statistics of the material. A generator that draws teachers' texture
everywhere has them too: a match is no proof of truth, a mismatch is reason for doubt.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

import numpy as np
import numpy.typing as npt
from skimage.transform import rescale

from napari_sem_sr.checking.evidence.against_hr import square_pixel_nm
from napari_sem_sr.checking.field import Field
from napari_sem_sr.checking.protocol import Evidence, Found, SoFar
from napari_sem_sr.errors import InputError
from napari_sem_sr.measure.morphology import (
    Numbers,
    connectivity,
    measure,
    slice_links,
    summarise_morphology,
)
from napari_sem_sr.measure.particles import Polarity, Segmentation
from napari_sem_sr.teachers.teacher import Teacher

if TYPE_CHECKING:
    from napari_sem_sr.checking.view.seen import Seen
    from napari_sem_sr.checking.view.setup import Setup

Image = npt.NDArray[Any]

PICTURES = ("lr", "bicubic", "sr")
DRAWS = 2000
INTERVAL = (2.5, 97.5)
# With fewer there is no telling how specimens differ.
ENOUGH_SPECIMENS = 3
# Pixel sizes that differ less are taken for equal.
SAME_PIXEL = 0.02
SCALARS = ("fraction", "objects_density", "diameter_median", "chord_mean")
CURVES = ("objects", "chords", "power")


@dataclass(frozen=True, eq=False)
class MeasuredTeachers:
    """The teachers as measured.

    Parameters
    ----------
    polarity
        Of the phase that is looked at: the one that covers less of the teachers.
    specimens
        Sums of each specimen's images, by name.
    images
        How many there are.
    hashes
        Of their pixels.
    note
        What a person should know about their pixel size, if anything.
    """

    polarity: Polarity
    specimens: Mapping[str, Sequence[Numbers]]
    images: int
    hashes: Sequence[str]
    note: str = ""


def measure_teachers(teachers: Sequence[Teacher], pixel_nm: float | None) -> MeasuredTeachers:
    """Measure teachers at SR's pixel size.

    Parameters
    ----------
    teachers
        Of the same material as the stack.
    pixel_nm
        Side of an SR pixel in nm; None where unknown.

    Raises
    ------
    InputError
        If there are none.
    """
    if not teachers:
        raise InputError("No reference image was given; give at least one teacher image.")
    images: dict[str, list[Image]] = {}
    unknown = 0
    for teacher in teachers:
        unknown += teacher.pixel_nm is None or pixel_nm is None
        images.setdefault(teacher.group, []).append(_to_scale(teacher, pixel_nm))
    pooled = [Segmentation.of(i, "bright").mask(i).mean() for g in images.values() for i in g]
    polarity: Polarity = "bright" if float(np.mean(pooled)) <= 0.5 else "dark"
    specimens = {}
    for group, members in images.items():
        threshold = float(np.mean([Segmentation.of(i, polarity).threshold for i in members]))
        specimens[group] = [
            measure(i, Segmentation(polarity, threshold, Segmentation.of(i, polarity).rise))
            for i in members
        ]
    note = (
        f"The pixel size of {unknown} reference images or of SR is unknown, so they were compared pixel for pixel."
        if unknown
        else ""
    )
    hashes = [t.content_hash for t in teachers]
    return MeasuredTeachers(polarity, specimens, len(teachers), hashes, note)


@dataclass(frozen=True)
class ReferenceRecord:
    """Sums over one slice, by picture.

    Parameters
    ----------
    numbers
        By picture.
    """

    numbers: dict[str, Any]


@dataclass(frozen=True, eq=False)
class ReferenceEvidence(Evidence[ReferenceRecord]):
    """Measures slices in the way the teachers were.

    Parameters
    ----------
    teachers
        As measured.
    segmentation
        One for the stack, taken from its LR.
    """

    teachers: MeasuredTeachers
    segmentation: Segmentation

    name = "reference"
    section = "reference"
    record = ReferenceRecord
    cannot = (
        "Statistics like the reference's are no proof that single structures are true; a generator that draws the teachers' "
        "texture everywhere has them too."
    )

    @classmethod
    def missing(cls, setup: "Setup") -> str | None:
        """Only where teachers were given."""
        return None if setup.reference is not None else ""

    @classmethod
    def prepare(cls, setup: "Setup") -> Self:
        """Take the threshold from the middle slice."""
        assert isinstance(setup.reference, MeasuredTeachers), "only with teachers"
        middle = setup.field.lr_part.slice(setup.field.sr.shape[0] // 2)
        fine = _spread(middle, setup.field.factor)
        return cls(setup.reference, Segmentation.of(fine, setup.reference.polarity))

    def look(self, seen: "Seen") -> Found[ReferenceRecord]:
        """Sums over one slice, and what links it to the one before."""
        from napari_sem_sr.checking.view.seen import Seen

        setup, f = seen.setup, seen.setup.field.factor
        pictures = {
            "lr": _spread(seen.lr, f),
            "bicubic": setup.bicubic(seen.index),
            "sr": seen.sr,
        }
        found: dict[str, Any] = {
            name: measure(image, self.segmentation) for name, image in pictures.items()
        }
        before = None if seen.index == 0 else Seen(setup, seen.index - 1)
        for name in ("lr", "sr"):
            other = None
            if before is not None:
                other = self.segmentation.mask(_spread(before.lr, f) if name == "lr" else before.sr)
            found[name] |= slice_links(self.segmentation.mask(pictures[name]), other)
        return Found(ReferenceRecord(found))

    def combine(
        self, records: Sequence[ReferenceRecord], setup: "Setup", so_far: SoFar
    ) -> dict[str, Any]:
        """Stack and teachers side by side."""
        found = [r.numbers for r in records]
        return reference_of(found, self.teachers, setup.field, so_far.limits)


def _spread(lr: Image, factor: int) -> Image:
    return lr.repeat(factor, 0).repeat(factor, 1)


def reference_of(
    found: Sequence[Mapping[str, Any]], teachers: MeasuredTeachers, field: Field, limits: list[str]
) -> dict[str, Any]:
    """Stack and teachers side by side, of what `ReferenceEvidence` found on every slice.

    Parameters
    ----------
    found
        Records of all slices.
    field
        LR and SR.
    limits
        Gets a sentence for what could not be compared.

    Returns
    -------
    ``lr``, ``bicubic``, ``sr``: as `summarise_morphology`, in 3D ``connectivity``; ``teachers``: the same with ``low``
    and ``high`` of the mean's interval (None with fewer than 3 specimens) and ``range`` of single specimens.
    """
    known = square_pixel_nm(field)
    pixel = known or 1.0
    result: dict[str, Any] = {
        "unit": "nm" if known else "px",
        "phase": teachers.polarity,
        "n_specimens": len(teachers.specimens),
        "n_images": teachers.images,
        "hashes": list(teachers.hashes),
    }
    for name in PICTURES:
        sums = [{k: v for k, v in s[name].items() if k not in ("sizes", "links")} for s in found]
        result[name] = summarise_morphology(sums, pixel)
        if len(found) > 1 and name != "bicubic":
            result[name]["connectivity"] = connectivity([s[name] for s in found])
    each = [summarise_morphology(images, pixel) for images in teachers.specimens.values()]
    result["teachers"] = _with_intervals(each)
    if teachers.note:
        limits.append(teachers.note)
    if len(each) < ENOUGH_SPECIMENS:
        limits.append(
            f"The reference images show {len(each)} specimen{'s' if len(each) > 1 else ''}; how much specimens differ is unknown below "
            f"{ENOUGH_SPECIMENS}, so they have no intervals."
        )
    limits.append(ReferenceEvidence.cannot)
    return result


def _with_intervals(each: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Mean over specimens, and the bootstrap interval of that mean."""
    rng = np.random.default_rng(0)
    draws = rng.integers(0, len(each), (DRAWS, len(each)))
    enough = len(each) >= ENOUGH_SPECIMENS
    result: dict[str, Any] = {"edges": each[0]["edges"], "low": {}, "high": {}, "range": {}}
    for key in (*SCALARS, *CURVES):
        values = [e[key] for e in each if e[key] is not None]
        if len(values) < len(each):
            # a specimen without objects has no sizes, and no bootstrap can make them up
            mean = np.mean(values, axis=0) if values else None
            result[key] = None if mean is None else np.asarray(mean).tolist()
            result["low"][key] = result["high"][key] = result["range"][key] = None
            continue
        table = np.asarray(values, np.float64)
        result[key] = table.mean(axis=0).tolist()
        result["range"][key] = [float(table.min()), float(table.max())] if table.ndim == 1 else None
        means = table[draws].mean(axis=1)
        for name, percent in zip(("low", "high"), INTERVAL, strict=True):
            result[name][key] = np.percentile(means, percent, axis=0).tolist() if enough else None
    return result


def _to_scale(teacher: Teacher, pixel_nm: float | None) -> Image:
    if teacher.pixel_nm is None or pixel_nm is None:
        return teacher.image
    scale = teacher.pixel_nm / pixel_nm
    if abs(scale - 1) < SAME_PIXEL:
        return teacher.image
    image = teacher.image.astype(np.float64)
    return np.asarray(rescale(image, scale, order=3, anti_aliasing=scale < 1, preserve_range=True))
