"""Which part of LR an SR stack (and an HR stack) covers, from where they lie in the world.

What it can and cannot tell: it places stacks by voxel sizes and origins, or by their shapes where files say
nothing. It looks at pixels only where asked to (`iter_place`): then HR is laid over LR by `teachers.registration`.
"""

from collections.abc import Collection, Generator, Mapping, Sequence
from dataclasses import dataclass, replace
from dataclasses import field as dataclass_field

from napari_sem_sr.errors import InputError
from napari_sem_sr.events import Event, drain
from napari_sem_sr.inference.background import in_background
from napari_sem_sr.stack import SemStack
from napari_sem_sr.teachers.registration.pairs import iter_register_stack, registered
from napari_sem_sr.teachers.registration.register import Registration

Interval = tuple[int, int]

# A voxel size written with three digits still gives the integer that is meant.
FACTOR_TOLERANCE = 0.01
# Of a slice: origins come from floating-point sums.
SLICE_TOLERANCE = 0.1
# Of an SR pixel: beyond this, rounding to whole pixels is worth a sentence.
PIXEL_TOLERANCE = 0.1
# Slices that tell whether HR lies where its file says.
GLANCED_SLICES = 3
REGISTERING = "registering HR with LR"


@dataclass(frozen=True, eq=False)
class Field:
    """The field that is checked: the part of LR that all given stacks cover.

    Parameters
    ----------
    lr
        The whole LR stack.
    slices, region
        The part of it that is checked, in LR slices and LR pixels, ((y0, y1), (x0, x1)).
    factor
        Upscale factor.
    sr, hr
        Cropped to that part: ``(slices, factor * y, factor * x)``.
    sr_start
        Where that part begins in SR as it was given (slice, y, x).
    notes
        What a person should know about how they were placed.
    without
        Slices of the field that are left out.
    empty
        Slices of the field in which no pixel can be compared, and which of "LR", "SR" and "HR" has no value there.
    registered
        Whether HR was laid over LR by what its pixels show.
    """

    lr: SemStack
    slices: Interval
    region: tuple[Interval, Interval]
    factor: int
    sr: SemStack
    hr: SemStack | None
    sr_start: tuple[int, int, int] = (0, 0, 0)
    notes: tuple[str, ...] = ()
    without: frozenset[int] = frozenset()
    empty: Mapping[int, str] = dataclass_field(default_factory=dict)
    registered: bool = False

    @property
    def lr_part(self) -> SemStack:
        """LR, cropped to the field."""
        return self.lr.cropped(self.slices, self.region)

    @property
    def kept(self) -> tuple[int, ...]:
        """Slices of the field that are looked at."""
        apart = self.without | self.empty.keys()
        return tuple(i for i in range(self.sr.shape[0]) if i not in apart)

    def leaving_out(self, slices: Collection[int]) -> "Field":
        """Return the field without some slices of LR: charged, damaged, out of focus.

        Parameters
        ----------
        slices
            Numbers in LR.

        Raises
        ------
        InputError
            If LR has no such slice, or nothing is left.
        """
        unknown = sorted(z for z in slices if not 0 <= z < self.lr.shape[0])
        if unknown:
            raise InputError(
                f"There is no slice {unknown[0]} to leave out; '{self.lr.name}' has 0:{self.lr.shape[0]}."
            )
        field = replace(self, without=frozenset(z - self.slices[0] for z in slices))
        if not field.kept:
            raise InputError("All slices of the field are left out; keep at least one.")
        return field


@dataclass(frozen=True)
class FineOrigin:
    """Where a fine stack begins: in LR slices, and in fine pixels from the first edge of LR.

    Parameters
    ----------
    factor
        Fine pixels per LR pixel.
    first_slice
        Of LR.
    top
        Fine pixels along y.
    left
        Fine pixels along x.
    """

    factor: int
    first_slice: int
    top: int
    left: int


def align(lr: SemStack, sr: SemStack, hr: SemStack | None = None) -> Field:
    """Find the part of ``lr`` that ``sr`` and ``hr`` cover.

    Raises
    ------
    InputError
        If the upscale factor is not an integer >= 2, SR and HR have different pixel sizes, or nothing overlaps.
    """
    notes: list[str] = []
    place = _place(lr, sr, None, notes)
    stacks = [(sr, place)]
    if hr is not None:
        where = _place(lr, hr, (sr, place), notes)
        if where.factor != place.factor:
            raise InputError(
                f"'{hr.name}' {hr.shape} has {where.factor} pixels and '{sr.name}' {sr.shape} has {place.factor} "
                "per LR pixel; give HR and SR of the same pixel size."
            )
        stacks.append((hr, where))
    f = place.factor
    slices = _common(
        lr.shape[0], [(w.first_slice, w.first_slice + s.shape[0]) for s, w in stacks], 1
    )
    rows = _common(lr.shape[1], [(w.top, w.top + s.shape[1]) for s, w in stacks], f)
    columns = _common(lr.shape[2], [(w.left, w.left + s.shape[2]) for s, w in stacks], f)
    if slices is None or rows is None or columns is None:
        names = " and ".join(f"'{s.name}' {s.shape}" for s, _ in stacks)
        raise InputError(
            f"{names} and the LR stack '{lr.name}' {lr.shape} do not overlap where their files place them; "
            "give stacks of the same field, or correct their origins."
        )
    cropped = [
        s.cropped(
            (slices[0] - w.first_slice, slices[1] - w.first_slice),
            (
                (f * rows[0] - w.top, f * rows[1] - w.top),
                (f * columns[0] - w.left, f * columns[1] - w.left),
            ),
        )
        for s, w in stacks
    ]
    return Field(
        lr=lr,
        slices=slices,
        region=(rows, columns),
        factor=f,
        sr=cropped[0],
        hr=cropped[1] if hr is not None else None,
        sr_start=(
            slices[0] - place.first_slice,
            f * rows[0] - place.top,
            f * columns[0] - place.left,
        ),
        notes=tuple(notes),
    )


def iter_place(
    lr: SemStack, sr: SemStack, hr: SemStack | None, *, register: bool
) -> Generator[Event, None, tuple[Field, Registration | str | None]]:
    """Find the field, and where HR lies over LR by its pixels: measured always, undone if asked to ``register``.

    Parameters
    ----------
    lr
        As measured.
    sr
        Made from it.
    hr
        Of the same field; None without one.

    Returns
    -------
    The field, and the registration; a sentence where it was not asked for and cannot be had, None without HR.

    Raises
    ------
    InputError
        As `align`; or if HR cannot be registered although that was asked for.
    """
    if hr is None:
        return align(lr, sr), None
    if register:
        found = yield from in_background(lambda: drain(iter_register_stack(lr, hr)), REGISTERING)
        return replace(align(lr, sr, registered(lr, hr, found)), registered=True), found
    field = align(lr, sr, hr)
    part, whole = field.lr_part, field.hr
    assert whole is not None

    def look() -> Registration:
        return drain(iter_register_stack(part, whole, sampled=GLANCED_SLICES))

    try:
        return field, (yield from in_background(look, REGISTERING))
    except InputError as error:
        return field, str(error)


def _common(size: int, spans: Sequence[Interval], step: int) -> Interval | None:
    """Whole LR pixels inside LR and all ``spans`` (in fine pixels, ``step`` per LR pixel)."""
    first = max(0, *(-(-start // step) for start, _ in spans))
    end = min(size, *(stop // step for _, stop in spans))
    return (first, end) if first < end else None


def _place(
    lr: SemStack, fine: SemStack, sr: tuple[SemStack, FineOrigin] | None, notes: list[str]
) -> FineOrigin:
    by_shape = _covers(lr, fine)
    if not _comparable(lr, fine):
        if by_shape is not None:
            return FineOrigin(by_shape, 0, 0, 0)
        if sr is not None and _same_size(fine, sr[0], sr[1].factor):
            return sr[1]
        raise InputError(
            f"'{fine.name}' {fine.shape} is not a whole multiple of the LR stack '{lr.name}' {lr.shape} in y and x, and "
            "nothing says where it lies; give stacks of the same field, or their voxel sizes."
        )
    a, b = lr.world, fine.world
    ratios = [a.scale[i] / b.scale[i] for i in (1, 2)]
    factor = round(ratios[0])
    if by_shape is not None and factor == 1:
        notes.append(
            f"'{fine.name}' states the pixel size of LR although it has {by_shape} times as many pixels along y and x; "
            "it was taken to cover the same field."
        )
        return FineOrigin(by_shape, 0, 0, 0)
    if factor < 2 or any(abs(r - factor) > FACTOR_TOLERANCE * factor for r in ratios):
        raise InputError(
            f"The pixels of '{fine.name}' are {ratios[0]:.4g} × {ratios[1]:.4g} (y, x) times finer than those of "
            f"'{lr.name}'; an integer factor of 2 or more is needed."
        )
    starts = [
        ((b.translate[i] - b.scale[i] / 2) - (a.translate[i] - a.scale[i] / 2)) / b.scale[i]
        for i in (1, 2)
    ]
    depth = 0.0
    if a.units[0] == b.units[0]:
        if abs(b.scale[0] / a.scale[0] - 1) > FACTOR_TOLERANCE:
            raise InputError(
                f"The slices of '{fine.name}' are {b.scale[0]:g} and those of '{lr.name}' {a.scale[0]:g} {a.units[0]} apart; "
                "give stacks of the same slices."
            )
        depth = (b.translate[0] - a.translate[0]) / a.scale[0]
    if by_shape == factor and max(map(abs, starts)) < factor and abs(depth) < 1:
        # files that carry no origin put the centre of the first pixel at 0, coarse or fine
        return FineOrigin(factor, 0, 0, 0)
    if sr is not None and _same_size(fine, sr[0], factor) and fine.origin_nm == (0.0, 0.0, 0.0):
        if sr[0].origin_nm != fine.origin_nm:
            notes.append(
                f"'{fine.name}' does not say where it lies and has the size of SR; it was taken to cover the same field."
            )
        return sr[1]
    if abs(depth - round(depth)) > SLICE_TOLERANCE:
        notes.append(
            f"'{fine.name}' lies {depth:+.2f} slices from LR; the nearest slice was compared."
        )
    if any(abs(s - round(s)) > PIXEL_TOLERANCE for s in starts):
        notes.append(
            f"'{fine.name}' begins {starts[0]:+.2f}, {starts[1]:+.2f} (y, x) of its pixels from LR; it was compared at the "
            "nearest whole pixel."
        )
    return FineOrigin(factor, round(depth), round(starts[0]), round(starts[1]))


def _comparable(lr: SemStack, fine: SemStack) -> bool:
    """Whether the files say enough to place ``fine`` over ``lr`` in y and x."""
    return all(
        (v is None) == (w is None) and (v is not None or a != b)
        for v, w, a, b in zip(
            lr.voxel_nm[1:], fine.voxel_nm[1:], lr.pixel_step[1:], fine.pixel_step[1:], strict=True
        )
    )


def _covers(lr: SemStack, fine: SemStack) -> int | None:
    """Factor by which ``fine`` covers exactly LR, up to pixels that do not fill an LR pixel."""
    factor = fine.shape[1] // lr.shape[1]
    rests = [n - factor * m for n, m in zip(fine.shape[1:], lr.shape[1:], strict=True)]
    fits = factor >= 2 and all(0 <= rest < factor for rest in rests)
    return factor if fits and fine.shape[0] == lr.shape[0] else None


def _same_size(fine: SemStack, sr: SemStack, factor: int) -> bool:
    rests = [n - m for n, m in zip(fine.shape[1:], sr.shape[1:], strict=True)]
    return fine.shape[0] == sr.shape[0] and all(0 <= rest < factor for rest in rests)
