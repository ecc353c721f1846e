"""What the adversarial stage drew, and where GAN and twin disagree about it.

The twin is the generator before the adversarial stage. Above the Nyquist frequency of LR their difference is
what the adversarial stage invented. Where both draw the same detail it follows from LR; where they do not, LR
leaves it open.

Source: our own comparison on held-out specimens of several materials. H is a band-pass, a Gaussian of 0.7
minus one of 2.5 SR pixels at x4; A is the local correlation of H(GAN) and H(twin) in a Gaussian window of 5
SR pixels; e the local root mean square of H(SR). Ranks of -A and -e together found detail that is locally
uncorrelated with HR with an AUROC of 0.93 to 0.97, -e alone with 0.91 to 0.94, the mere amount of invention far less.

What it can and cannot tell: agreement of GAN and twin says that detail is *determined* by LR as far as this
model has learnt, not that it is true: on a material it was not taught on, both can be wrong together. A low e
says that there is too little detail to be right about, not that something was made up.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

import numpy as np
import numpy.typing as npt
from scipy.stats import rankdata

from napari_sem_sr.checking.protocol import Evidence, Found, MapKind, Shown, SoFar, summed

if TYPE_CHECKING:
    from torch import Tensor

    from napari_sem_sr.checking.view.invention_maps import Invention
    from napari_sem_sr.checking.view.seen import Seen
    from napari_sem_sr.checking.view.setup import Setup

Float = npt.NDArray[np.float32]

# Of a grey level: below it there is no detail.
TINY = 1e-3
# Where SR's detail is under the noise of LR, a low agreement says nothing.
DISAGREES = 0.5


def added(found: "Invention") -> "tuple[Tensor, Tensor]":
    """What was added to the twin, on the LR grid in grey levels, measured in two ways.

    Its amount, and the detail that no multiple of the twin's detail explains: a texture shows in the first, a
    structure in the second.

    Parameters
    ----------
    found
        Where SR differs from the twin.
    """
    return found.amount, found.unexplained


def wrong_detail(agreement: npt.NDArray[Any], energy: npt.NDArray[Any]) -> Float:
    """Mean rank of -A and -e among all given places, 0 (least) to 1 (most suspect); NaN stays NaN.

    Parameters
    ----------
    agreement
        ``(y, x)`` or any shape; local correlation A, -1 to 1.
    energy
        Of the same shape; local root mean square e of SR's detail.
    """
    valid = np.isfinite(agreement) & np.isfinite(energy)
    ranks = np.full(agreement.shape, np.nan, np.float32)
    if not valid.any():
        return ranks
    both = rankdata(-agreement[valid]) + rankdata(-energy[valid])
    ranks[valid] = (both / 2 - 1) / max(1, int(valid.sum()) - 1)
    return ranks


def doubt(agreement: "Tensor", energy: "Tensor", sigma: float) -> "Tensor":
    """Score of wrong detail that compares across slices: -A - 0.3 ln(e / sigma), ``sigma`` the noise of LR.

    Parameters
    ----------
    agreement
        ``(y, x)`` or any shape; local correlation A.
    energy
        Of the same shape; local root mean square e.
    """
    ratio = (energy / max(sigma, TINY)).clamp_min(TINY)
    return -agreement - 0.3 * ratio.log()


@dataclass(frozen=True)
class InventionRecord:
    """Sums over one slice: places, squares in grey levels, places where detail stands out of LR's noise and disagrees.

    Parameters
    ----------
    n
        Places.
    amount_squared
        Sum of (GAN − twin)².
    energy_squared
        Sum of SR's detail squared.
    agreement
        Sum of the local correlation.
    visible
        Places where detail stands out of LR's noise.
    disagreeing
        Those of them that correlate less than 0.5.
    """

    n: int
    amount_squared: float
    energy_squared: float
    agreement: float
    visible: int
    disagreeing: int


@dataclass(frozen=True)
class InventionSection:
    """How much was added to the twin, and how far both agree.

    ``amount_rms`` and ``detail_rms`` in grey levels; ``disagreeing_fraction`` is the share of the field where
    detail stands out of LR's noise and correlates less than 0.5 with the twin's.

    Parameters
    ----------
    compared
        What SR was compared with.
    agreement_mean
        -1 to 1.
    """

    compared: str
    amount_rms: float
    detail_rms: float
    agreement_mean: float
    disagreeing_fraction: float


class InventionEvidence(Evidence[InventionRecord]):
    """What the adversarial stage added."""

    name = "invention"
    section = "invention"
    record = InventionRecord
    draws = (
        MapKind(
            "invention", "what SR (or the GAN, where SR is the twin) adds to the twin, grey levels"
        ),
        MapKind(
            "agreement",
            "local correlation of that picture's detail with the twin's, −1 to 1",
            shown=Shown(
                "Agreement with the twin", 0, 1, "", "dark: detail that LR does not determine"
            ),
        ),
        MapKind(
            "doubt", "−agreement − 0.3 ln(detail / noise): larger where detail is more likely wrong"
        ),
    )
    cannot = (
        "Whether the twin is right: on a material it was not taught on, both can be wrong together."
    )

    @classmethod
    def missing(cls, setup: "Setup") -> str | None:
        """Without the model there is no twin."""
        if setup.model is not None:
            return None
        return "Without the model, invention and the model's domain could not be judged; give it with --model."

    @classmethod
    def prepare(cls, setup: "Setup") -> Self:
        """Nothing has to be measured."""
        return cls()

    def look(self, seen: "Seen") -> Found[InventionRecord]:
        """Sums and maps of one slice."""
        from napari_sem_sr.checking.view.filter_bank import total

        found, sigma = seen.invention, seen.setup.sigma
        assert found is not None, "only with a model"
        visible = found.energy > sigma
        valid = found.agreement.isfinite()
        record = InventionRecord(
            n=int(valid.sum()),
            amount_squared=total(found.amount.square().nan_to_num(0.0)),
            energy_squared=total(found.energy.square().nan_to_num(0.0)),
            agreement=total(found.agreement.nan_to_num(0.0)),
            visible=int(visible.sum()),
            disagreeing=int((visible & (found.agreement < DISAGREES)).sum()),
        )
        maps = {
            "invention": found.amount,
            "agreement": found.agreement,
            "doubt": doubt(found.agreement, found.energy, sigma),
        }
        return Found(record, {name: image.cpu().numpy() for name, image in maps.items()})

    def combine(
        self, records: Sequence[InventionRecord], setup: "Setup", so_far: SoFar
    ) -> InventionSection:
        """Root mean squares and shares of the whole field."""
        if setup.sr_is_twin:
            so_far.limits.append(
                "SR is the twin itself (sharpness 0) and invents nothing beyond it; agreement is that of the model's GAN."
            )
        t = summed(records)
        n = max(1, t["n"])
        return InventionSection(
            compared="the model's GAN with its twin" if setup.sr_is_twin else "SR with its twin",
            amount_rms=(t["amount_squared"] / n) ** 0.5,
            detail_rms=(t["energy_squared"] / n) ** 0.5,
            agreement_mean=t["agreement"] / n,
            disagreeing_fraction=t["disagreeing"] / n,
        )
