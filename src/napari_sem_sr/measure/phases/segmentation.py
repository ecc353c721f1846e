"""How grey values become phases: thresholds from the histogram of a whole volume, hysteresis, or labels from elsewhere.

Otsu's threshold (1979, IEEE Trans. SMC 9, 62) and its form for several phases (Liao, Chen & Chung 2001, J. Inf. Sci. Eng. 17, 713) are taken of
all voxels of a volume, not slice by slice, so that a phase means the same everywhere. Hysteresis (Canny 1986) takes what is above the lower
of two thresholds and hangs together with something above the higher.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.ndimage import gaussian_filter
from skimage.filters import threshold_multiotsu, threshold_otsu

from napari_sem_sr.errors import InputError
from napari_sem_sr.stack import SemStack

Labels = npt.NDArray[np.uint8]
# A voxel that no phase has: NaN borders of aligned stacks.
NOTHING = 255
BINS = 1024
MOST_PHASES = 8
# Standard deviation in pixels, in the plane; as for particles in pictures.
SMOOTH_PX = 1.0


@dataclass(frozen=True)
class Threshold:
    """How phases are found in grey values.

    Parameters
    ----------
    phases
        How many Otsu's method tells apart; not used where ``levels`` are given.
    levels
        Grey values between the phases, rising; from the histogram where they are empty.
    hysteresis
        The two ``levels`` are the lower and the higher threshold of one bright phase.
    smooth_px
        Blur in the plane before, standard deviation in pixels; 0 for none.
    """

    phases: int = 2
    levels: tuple[float, ...] = ()
    hysteresis: bool = False
    smooth_px: float = SMOOTH_PX

    def __post_init__(self) -> None:
        if not 2 <= self.phases <= MOST_PHASES or len(self.levels) >= MOST_PHASES:
            raise InputError(
                f"Two to {MOST_PHASES} phases can be told apart by grey; give as many."
            )
        if list(self.levels) != sorted(set(self.levels)) or not np.isfinite(self.levels).all():
            raise InputError(
                f"The thresholds {', '.join(f'{v:g}' for v in self.levels)} do not rise; give each once, the lowest first."
            )
        if self.hysteresis and len(self.levels) != 2:
            raise InputError("Hysteresis needs a lower and a higher threshold; give LOW:HIGH.")
        if not (np.isfinite(self.smooth_px) and self.smooth_px >= 0):
            raise InputError(f"A blur of {self.smooth_px} pixels is not possible; give 0 or more.")

    @classmethod
    def parse(cls, text: str, smooth_px: float = SMOOTH_PX) -> "Threshold":
        """Understand ``otsu``, ``otsu:3``, ``128``, ``80,160`` or ``100:140`` (hysteresis).

        Parameters
        ----------
        text
            As a person types it.
        smooth_px
            Standard deviation of the blur before, in pixels.

        Raises
        ------
        InputError
            If it is none of these.
        """
        words = text.strip().lower()
        try:
            if words.startswith("otsu"):
                _, _, count = words.partition(":")
                return cls(phases=int(count or 2), smooth_px=smooth_px)
            if ":" in words:
                low, high = (float(part) for part in words.split(":"))
                return cls(levels=(low, high), hysteresis=True, smooth_px=smooth_px)
            levels = tuple(float(part) for part in words.split(","))
            return cls(levels=levels, smooth_px=smooth_px)
        except ValueError:
            raise InputError(
                f"'{text}' is not a threshold; give otsu, otsu:3, a grey value, several with commas, or LOW:HIGH for hysteresis."
            ) from None

    def blurred(self, plane: npt.NDArray[Any]) -> npt.NDArray[np.float32]:
        """A plane (y, x) after the blur; NaN stays and does not spread.

        Parameters
        ----------
        plane
            ``(y, x)`` of any real dtype.
        """
        grey = plane.astype(np.float32)
        if self.smooth_px == 0:
            return grey
        masked = ~np.isfinite(grey)
        if not masked.any():
            return np.asarray(gaussian_filter(grey, self.smooth_px))
        weight = gaussian_filter((~masked).astype(np.float32), self.smooth_px)
        smooth = gaussian_filter(np.where(masked, 0, grey), self.smooth_px)
        return np.where(masked, np.nan, smooth / np.maximum(weight, 1e-6)).astype(np.float32)

    def chosen(self, histogram: "Histogram", name: str) -> tuple[float, ...]:
        """The thresholds for a volume called ``name``, of the `Histogram` of its blurred planes.

        Parameters
        ----------
        histogram
            Of all blurred planes.

        Raises
        ------
        InputError
            If the volume has no two phases, or nothing lies on one side of a threshold that was given.
        """
        low, high = histogram.low, histogram.high
        if not low < high:
            raise InputError(
                f"All of '{name}' is of one grey ({low:g}), so there are no phases; give another volume, or labels."
            )
        if self.levels:
            for level in self.levels:
                if not low < level <= high:
                    side, other = ("below", "above") if level <= low else ("above", "below")
                    raise InputError(
                        f"Nothing of '{name}' lies {side} the threshold {level:g}, all is {other} it; "
                        f"give one between {low:.4g} and {high:.4g}."
                    )
            return self.levels
        counts, middles = histogram.counts, histogram.middles
        if self.phases == 2:
            return (float(threshold_otsu(hist=(counts, middles))),)  # type: ignore[no-untyped-call]
        try:
            # fewer classes, as all combinations are tried
            coarse = (
                counts.reshape(-1, BINS // 128).sum(1),
                middles.reshape(-1, BINS // 128).mean(1),
            )
            found = threshold_multiotsu(hist=coarse, classes=self.phases)  # type: ignore[no-untyped-call]
        except ValueError as error:
            raise InputError(
                f"'{name}' has fewer grey values than {self.phases} phases; give fewer phases."
            ) from error
        return tuple(float(v) for v in found)

    def plane(self, smooth: npt.NDArray[np.float32], levels: Sequence[float]) -> Labels:
        """Phases 0, 1, ... of a blurred plane, from dark to bright; `NOTHING` where it is NaN.

        With hysteresis: 0, 1 between the thresholds, 2 above.

        Parameters
        ----------
        smooth
            ``(y, x)``, as `blurred` gives it.
        levels
            As `chosen` gives them.
        """
        phase = np.digitize(smooth, levels).astype(np.uint8)
        phase[~np.isfinite(smooth)] = NOTHING
        return phase


class Histogram:
    """Counts of grey values over a whole volume, plane by plane; its range has to be known.

    Parameters
    ----------
    low
        Least grey value.
    high
        Largest grey value.
    """

    def __init__(self, low: float, high: float) -> None:
        self.low, self.high = low, high
        self.counts = np.zeros(BINS, np.int64)
        edges = np.linspace(low, high, BINS + 1)
        self.middles = (edges[1:] + edges[:-1]) / 2

    def add(self, plane: npt.NDArray[Any]) -> None:
        """Count a plane; NaN is left out.

        Parameters
        ----------
        plane
            ``(y, x)``; may hold NaN.
        """
        values = plane[np.isfinite(plane)]
        self.counts += np.histogram(values, BINS, (self.low, self.high))[0]


def check_volume(stack: SemStack, voxel: tuple[float | None, ...] | None = None) -> None:
    """Refuse what has no volume.

    Parameters
    ----------
    stack
        That is to be measured.
    voxel
        (z, y, x) in nm as typed; None takes that of the stack.

    Raises
    ------
    InputError
        If the stack is a single slice, too thin, or its voxel size is not known.
    """
    if stack.shape[0] == 1:
        raise InputError(
            f"'{stack.name}' is a single slice, and numbers of a volume need at least 4; give a stack."
        )
    if min(stack.shape) < 4:
        raise InputError(
            f"'{stack.name}' has only {min(stack.shape)} voxels along {'zyx'[int(np.argmin(stack.shape))]}; "
            "numbers of a volume need at least 4 along each axis."
        )
    unknown = [axis for axis, v in zip("zyx", voxel or stack.voxel_nm, strict=True) if v is None]
    if unknown:
        raise InputError(
            f"The voxel size of '{stack.name}' along {' and '.join(unknown)} is not known; give it with --voxel Z,Y,X "
            "(nm), as surfaces and lengths depend on it."
        )
