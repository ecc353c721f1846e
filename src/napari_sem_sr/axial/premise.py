"""Whether a stack looks the same along its depth as across its slices, which is what learning across slices assumes.

Lines along z of the measured slices are compared with lines across the slices that were thinned as z is: their power
spectra, and the mean lengths of their bright and dark chords (at Otsu's threshold of the stack). In an isotropic
material they agree but for chance; layers, fibres and drawn grains differ, as does a stack whose slice spacing is
not what the file says, or whose slices do not lie over each other.

What it can and cannot tell: a difference says that the premise is doubtful, not that the volume is wrong, which is
what the test on left-out slices is for. Structure that is anisotropic on a scale finer than the slice spacing
cannot be seen in the slices.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from skimage.filters import threshold_otsu

from napari_sem_sr.axial.resample import rows_at

Float = npt.NDArray[np.float32]

# Fewer slices give no spectrum along z.
FEWEST_SLICES = 8
# Lines are compared over at most this many slices, on windows this wide.
_SLICES, _SIDE = 64, 256
# Mean chords along z over those across the slices, and spectra beyond what the lateral directions differ by, that are
# worth a warning. Of 24 parts of an isotropic volume, thinned 2 to 6 times, none lies beyond (chords 0.84 to 1.06, as
# noise along z is white); of the same ones with a spacing wrong by 1.6 about three in four do (benchmarks/axial/premise.py).
CHORDS_SHORTER, CHORDS_LONGER = 0.8, 1.15
SPECTRA_DIFFER_DB = 1.5


@dataclass(frozen=True)
class Premise:
    """How depth and lateral directions compare.

    Parameters
    ----------
    chord_ratio
        Mean chord along z over that across the slices, both sampled as z is.
    spectrum_db
        Root mean square difference of the spectra along z and across the slices, in dB; both of unit power.
    lateral_spectrum_db
        The same between the two lateral directions: what chance and the lateral directions themselves come to.
    """

    chord_ratio: float
    spectrum_db: float
    lateral_spectrum_db: float

    @property
    def warning(self) -> str | None:
        """One sentence for a person where depth looks different; None where it does not."""
        beyond = self.spectrum_db - self.lateral_spectrum_db
        if self.chord_ratio > CHORDS_LONGER:
            what = (
                f"Structures are {self.chord_ratio:.1f} times as long along z as across the slices"
            )
        elif self.chord_ratio < CHORDS_SHORTER:
            what = f"Structures are {1 / self.chord_ratio:.1f} times shorter along z than across the slices"
        elif beyond > SPECTRA_DIFFER_DB:
            what = f"Depth looks {self.spectrum_db:.1f} dB different from the slices"
        else:
            return None
        return (
            f"{what}: either the slice spacing is wrong, the slices are not aligned, or the material is layered or "
            "drawn; believe the volume only where the test on left-out slices says so."
        )

    def numbers(self) -> dict[str, float]:
        """As they go into the provenance."""
        return {name: round(value, 3) for name, value in vars(self).items()}


def compare_directions(
    read: Callable[[int], npt.NDArray[Any]], n_slices: int, ratio: float
) -> Premise | None:
    """Compare depth and lateral directions of a stack; None where it is too small to tell.

    Parameters
    ----------
    read
        Gives measured slice k, (y, x).
    n_slices
        Number of measured slices.
    ratio
        Slice spacing in pixels.
    """
    count = min(n_slices, _SLICES)
    first = (n_slices - count) // 2
    block = np.stack([_window(read(first + k)) for k in range(count)]).astype(np.float32)
    valid = np.isfinite(block)
    lateral = int((min(block.shape[1:]) - 1) / ratio) + 1
    length = min(count, lateral)
    if length < FEWEST_SLICES or not valid.all():
        return None
    threshold = float(threshold_otsu(block))  # type: ignore[no-untyped-call]
    places = ratio * np.arange(length)
    start = (count - length) // 2
    # each (length, lines)
    along_z = block[start : start + length].reshape(length, -1)
    along_y = rows_at(np.moveaxis(block, 1, 0), places).reshape(length, -1)
    along_x = rows_at(np.moveaxis(block, 2, 0), places).reshape(length, -1)
    z, y, x = (_spectrum(lines) for lines in (along_z, along_y, along_x))
    chords = [_mean_chord(lines, threshold) for lines in (along_z, along_y, along_x)]
    return Premise(
        chord_ratio=chords[0] / float(np.sqrt(chords[1] * chords[2])),
        spectrum_db=_difference(z, (y + x) / 2),
        lateral_spectrum_db=_difference(y, x),
    )


def _window(image: npt.NDArray[Any]) -> npt.NDArray[Any]:
    return image[tuple(slice(max(0, (n - _SIDE) // 2), (n + _SIDE) // 2) for n in image.shape)]


def _spectrum(lines: Float) -> npt.NDArray[np.float64]:
    """Mean power spectrum, of unit sum, of (length, lines); one Hann window (Welch 1967)."""
    window = np.hanning(len(lines) + 2)[1:-1, None]
    centred = lines - lines.mean(axis=0)
    power = (np.abs(np.fft.rfft(centred * window, axis=0)) ** 2).mean(axis=1)[1:]
    whole: npt.NDArray[np.float64] = power / power.sum()
    return whole


def _difference(a: npt.NDArray[np.float64], b: npt.NDArray[np.float64]) -> float:
    decibel = 10 * np.log10((a + 1e-9) / (b + 1e-9))
    return float(np.sqrt((decibel**2).mean()))


def _mean_chord(lines: Float, threshold: float) -> float:
    """Mean length in samples of the stretches of (length, lines) on one side of ``threshold``."""
    changes = np.count_nonzero(np.diff(lines > threshold, axis=0))
    return float(lines.size / (changes + lines.shape[1]))
