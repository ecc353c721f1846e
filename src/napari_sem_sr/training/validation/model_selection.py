"""Which moment of a training is kept, by its scores on images that it never learned from."""

from collections.abc import Mapping, Sequence
from itertools import count

Scores = Mapping[str, float]

# PSNR that an SRGAN may lie under its twin: detail of HR's power that is right nowhere doubles the twin's error, which
# is 3 dB, and a little less power is asked for.
PSNR_COST_DB = 2.5
# dB of missing power that are no worse than one dB of PSNR beyond that.
EXCESS = 3.0
# dB of missing power that are no worse than a correlation lost in full.
AGREEMENT_DB = 25.0
# dB; of two that are as good as each other the one that learned longer is taken.
AS_GOOD_DB = 0.2


def is_best(stage: str, new: Scores, earlier: Sequence[Scores]) -> bool:
    """Whether the network with scores ``new`` is to be kept instead of all ``earlier`` ones of its stage.

    The twin is there to be close to the truth: its PSNR decides. Of the SRGAN, PSNR alone would choose the network
    that did not begin; see `shortfall`.

    Parameters
    ----------
    stage
        ``"twin"`` or ``"gan"``.
    """
    if not earlier:
        return True
    if stage == "twin":
        return new["psnr"] > max(s["psnr"] for s in earlier)
    # against the best there ever was: else each could be a little worse than the one before
    return shortfall(new) < min(shortfall(s) for s in earlier) + AS_GOOD_DB


def shortfall(scores: Scores) -> float:
    """How much an SRGAN lacks, in dB: power of detail, agreement with HR, and PSNR where that cost too much.

    Agreement and PSNR count only as far as they are worse than those of the twin with noise added to it. Where HR
    itself is noisy every SRGAN loses that much, and the one that hardly began would always be the best.

    Parameters
    ----------
    scores
        By name, as of `mean_scores`.
    """
    cost = scores.get("twin_psnr", scores["psnr"]) - scores["psnr"]
    return (
        scores["detail_miss_db"]
        + AGREEMENT_DB * scores.get("agreement_lost", 0.0)
        + EXCESS * max(0.0, cost - PSNR_COST_DB)
    )


def agreement_lost(scores: Scores, twin: Scores) -> float:
    """Correlation with HR that an SRGAN has less than its twin with noise of the same power, mean of the bands.

    Adding noise until the power of an annulus has grown by the factor g divides its correlation with HR by √g.

    Parameters
    ----------
    scores
        Of the SRGAN by name, as of `mean_scores`.
    twin
        Of the twin, in the same way.
    """
    lost = []
    for n in count(1):
        if f"agreement_{n}" not in twin:
            break
        grown = 10 ** ((scores[f"detail_db_{n}"] - twin[f"detail_db_{n}"]) / 20)
        noisy = twin[f"agreement_{n}"] / max(1.0, grown)
        lost.append(max(0.0, noisy - scores[f"agreement_{n}"]))
    return sum(lost) / len(lost) if lost else 0.0
