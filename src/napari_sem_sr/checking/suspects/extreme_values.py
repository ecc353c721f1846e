"""How rare a peak of suspicion is on specimens where nothing was planted, so that scores mean something.

On every specimen held out from training the highest peaks of each kind of evidence are kept. Their number above a
level falls off exponentially (the tail of a Gumbel distribution, Coles 2001, "An Introduction to Statistical Modeling of
Extreme Values"), which says how many peaks of that height a clean stack of any size has. A place's score is 1
where a clean stack of the size that is checked has one such place of that kind of evidence, and grows by 1 for each
further factor of ten of rarity.

What it can and cannot tell: beyond the peaks that were seen, the tail is extrapolated. Held-out specimens count as clean:
faults that the model makes everywhere are usual for it and raise no score.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np
import numpy.typing as npt
from scipy.ndimage import maximum_filter

if TYPE_CHECKING:
    from torch import Tensor

Vector = npt.NDArray[np.float64]
Heights = TypeVar("Heights", npt.NDArray[np.float32], "Tensor")

# Kinds of evidence, each with its own tail, and how many reasons share it (too bright and too dark).
KINDS = {"residual": 2, "texture": 1, "invention": 1, "persistence": 1}
# Peaks below this many standard deviations are of no interest; one peak per this many LR pixels squared.
START = 3.5
NEAR = 5
# Peaks kept of each specimen.
KEPT = 64
# The tail is fitted to what lies above a level that this many peaks reach.
FITTED = 40


@dataclass(frozen=True)
class Tail:
    """Peaks per LR pixel above ``level`` for one reason, and the height over which they become e times rarer.

    Parameters
    ----------
    rate
        Per LR pixel.
    height
        In z-scores.
    """

    level: float
    rate: float
    height: float

    def threshold(self, pixels: int) -> float:
        """Height above which a clean stack of so many LR pixels has one peak.

        Parameters
        ----------
        pixels
            LR pixels of the stack.
        """
        return max(START, self.level + self.height * float(np.log(self.rate * max(1, pixels))))

    def score(self, image: Heights, pixels: int) -> Heights:
        """Scores of a map of peak heights.

        Parameters
        ----------
        image
            ``(y, x)``, z-scores.
        pixels
            LR pixels of the stack.
        """
        return 1 + (image - self.threshold(pixels)) / (self.height * float(np.log(10)))


# sem-x4 on the held-out specimens of benchmarks/checking, with and without noise: for SR whose model is not at hand or
# carries no calibration. Teachers are single images, so persistence is always judged by that of SR of FIB-SEM at slices of
# 10 nm (benchmarks/checking/evidence/persistence.py).
USUAL_TAILS: Mapping[str, Tail] = {
    "residual": Tail(5.3, 1e-4, 0.5),
    "texture": Tail(4.3, 2e-4, 0.75),
    "invention": Tail(3.6, 2e-4, 0.45),
    "persistence": Tail(3.5, 3e-5, 0.3),
}


def peaks(image: npt.NDArray[Any]) -> Vector:
    """The highest ``KEPT`` peaks of a map above ``START``, falling; filled up with 0.

    Parameters
    ----------
    image
        ``(y, x)``, z-scores; may hold NaN.
    """
    values = np.nan_to_num(image, nan=0.0)
    top = values[(values == maximum_filter(values, NEAR)) & (values > START)]
    found = np.zeros(KEPT)
    top = np.sort(top)[::-1][:KEPT]
    found[: len(top)] = top
    return found


def fit_tails(
    images: Sequence[Mapping[str, npt.NDArray[Any]]],
) -> dict[str, npt.NDArray[Any]]:
    """Calibration arrays of a model's scores, for ``calibration.safetensors``.

    Parameters
    ----------
    images
        Of each held-out image, by kind of evidence: z-scores ``(y, x)`` on the LR grid.
    """
    arrays: dict[str, npt.NDArray[Any]] = {}
    for kind in KINDS:
        maps = [image[kind] for image in images if kind in image]
        if maps:
            arrays[f"peaks_{kind}"] = np.stack([peaks(m) for m in maps])
            arrays[f"peaks_{kind}_pixels"] = np.array([float(np.isfinite(m).sum()) for m in maps])
    return arrays


def tails_of(calibration: Mapping[str, npt.NDArray[Any]]) -> dict[str, Tail]:
    """Tails kept in a model's calibration; ``USUAL_TAILS`` where there are too few peaks to fit one.

    Parameters
    ----------
    calibration
        By name, any shape.
    """
    found = {}
    for kind, reasons in KINDS.items():
        z_scores = calibration.get(f"peaks_{kind}")
        pixels = calibration.get(f"peaks_{kind}_pixels")
        tail = None
        if z_scores is not None and pixels is not None and z_scores.ndim == 2:
            tail = _fit(np.asarray(z_scores, np.float64), reasons * float(pixels.sum()))
        found[kind] = tail or USUAL_TAILS[kind]
    return found


def _fit(z_scores: Vector, pixels: float) -> Tail | None:
    # an image with more peaks than were kept says nothing below the last of them
    level = max(START, float(z_scores[:, -1].max()))
    above = np.sort(z_scores[z_scores > level])[::-1]
    if len(above) > FITTED:
        level = float(above[FITTED])
        above = above[:FITTED]
    if len(above) < FITTED // 4 or pixels <= 0:
        return None
    return Tail(level, len(above) / pixels, float((above - level).mean()))
