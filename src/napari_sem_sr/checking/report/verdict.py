"""What a person should take away: one sentence and four lights, each with its reason; never one score."""

from dataclasses import dataclass
from typing import Any, Literal

from napari_sem_sr.checking.evidence.expected_gain import Gain
from napari_sem_sr.checking.report.document import Report
from napari_sem_sr.geometry import spoken_length

Colour = Literal["green", "amber", "red", "grey"]

# chi-square of a residual that is LR's noise is 1. Generators that are taught on clean images leave more than
# that behind on clean LR, which is no fault as long as it is a small share of LR's contrast.
CHI2_LIMIT = 2.0
AMBER_SHARE, RED_SHARE = 0.1, 0.2
# With fewer specimens, what is usual among them is hardly known.
FEW_SPECIMENS = 8
# PSNR that nobody could tell apart.
SAME_DB = 0.05
# With less of LR compared, SR as a whole was not judged.
MOSTLY = 0.5


@dataclass(frozen=True)
class Light:
    """One question and its answer.

    Parameters
    ----------
    question
        What is asked.
    colour
        green: yes; amber: with reservations; red: no; grey: could not be judged.
    answer
        In a word or two, so that the colour is not needed to read it.
    why
        One sentence.
    """

    question: str
    colour: Colour
    answer: str
    why: str


def lights(report: Report) -> tuple[Light, Light, Light, Light]:
    """Whether SR is consistent with LR, within the model's domain, calibrated enough, and better than bicubic.

    Parameters
    ----------
    report
        All but its verdict is used.
    """
    return _consistent(report), _within_domain(report), _calibrated(report), _better(report)


def verdict(report: Report) -> str:
    """One plain sentence on what SR may be used for.

    Parameters
    ----------
    report
        All but its verdict is used.
    """
    name = f"'{report.sr['name']}'"
    consistent = _consistent(report)
    if consistent.colour == "red":
        return f"{name} contradicts the LR it was made of, so look for a fault before looking at detail: {_lower(consistent.why)}"
    if report.domain is not None and report.domain["alarm"]:
        reasons = " and ".join(report.domain["reasons"])
        return f"Do not rely on fine detail of {name}: the stack lies outside what the model was taught on, as {reasons}."
    if consistent.colour == "grey":
        return f"Whether {name} agrees with the measured LR could not be judged: {_lower(consistent.why)}"
    places = len(report.regions)
    look = f"; look at the {places} suspect places first" if places > 1 else ""
    where = "" if _compared(report) == 1 else " where it could be compared"
    if report.scores is None:
        better = _better(report)
        if better.colour == "red":
            return (
                f"{name} is probably no closer to the truth than bicubic interpolation, so use the twin (sharpness 0) or "
                f"bicubic: {_lower(better.why)}"
            )
        agrees = (
            f"{name} agrees with the measured LR{where}, but without HR nothing proves detail finer than LR's pixels{_size(report)}, "
            f"which was generated{look}."
        )
        if report.expected is None:
            return agrees
        gain = report.expected["psnr_gain_over_bicubic_db"]
        return f"{agrees} It is expected to be {gain:.1f} dB closer to the truth than bicubic."
    scores = report.scores
    if scores["psnr"] is None:
        return f"{name} equals HR in every pixel{where}."
    if scores["bicubic_psnr"] is None:
        return f"{name} differs from HR, which bicubic interpolation equals in every pixel."
    gain = scores["psnr"] - scores["bicubic_psnr"]
    near = "closer to" if gain > 0 else "farther from"
    resolution = (
        ""
        if scores["frc_nm"] is None
        else f" and follows HR down to detail of {spoken_length(scores['frc_nm'], 3)}"
    )
    return (
        f"{name} is {near} HR than bicubic interpolation{where} by {abs(gain):.1f} dB PSNR "
        f"({scores['psnr']:.1f} against {scores['bicubic_psnr']:.1f}){resolution}{look}."
    )


def _better(report: Report) -> Light:
    question = "Closer to the truth than bicubic?"
    scores: Any = report.scores
    if scores is not None and None not in (scores["psnr"], scores["bicubic_psnr"]):
        gain = scores["psnr"] - scores["bicubic_psnr"]
        why = f"Against HR, its PSNR is {gain:+.1f} dB over that of bicubic interpolation."
        if abs(gain) < SAME_DB:
            return Light(question, "amber", "no difference", why)
        return Light(question, *(("green", "yes") if gain > 0 else ("red", "no")), why)
    found: Any = report.expected
    if found is None:
        return Light(question, "grey", "not judged", "The gain could not be foreseen; see limits.")
    gain = Gain(*(found[k] for k in ("psnr_gain_over_bicubic_db", "low", "high")))
    value, low, high = gain.spoken_db
    why = f"{value:+.1f} dB are expected from LR, SR and twin alone ({low:+.1f} to {high:+.1f} with 90 % probability)."
    colour = gain.colour
    if colour == "red":
        return Light(question, colour, "probably not", why)
    if colour == "amber":
        return Light(question, colour, "hardly", why)
    return Light(question, colour, "yes, as expected", why)


def _consistent(report: Report) -> Light:
    question = "Consistent with the measured LR?"
    found: Any = report.consistency
    if found is None or found["chi2"] is None:
        return Light(question, "grey", "not judged", "No pixel of LR could be compared.")
    part = _compared(report)
    if part < MOSTLY:
        return Light(
            question,
            "grey",
            "not judged",
            f"Only {100 * part:.0f} % of the field could be compared.",
        )
    share = found["residual_rms"] / found["lr_contrast"] if found["lr_contrast"] else 0.0
    why = (
        f"Degraded back to LR, SR is off by {found['residual_rms']:.2g} (rms, in grey levels), {100 * share:.1f} % of LR's contrast; "
        f"{100 * found['fraction_beyond_3_sigma']:.1f} % of the pixels are beyond 3 σ of LR's noise."
    )
    if part < 1:
        why += f" {max(0.1, 100 * (1 - part)):.1f} % of the field could not be compared."
    if found["chi2"] > CHI2_LIMIT and share > RED_SHARE:
        return Light(question, "red", "no", why)
    if found["chi2"] > CHI2_LIMIT and share > AMBER_SHARE:
        return Light(question, "amber", "partly", why)
    if part < 1:
        return Light(question, "amber", "where it was judged", why)
    return Light(question, "green", "yes", why)


def _compared(report: Report) -> float:
    """Share of the field that could be compared."""
    share = (report.consistency or {}).get("compared_fraction", 1.0)
    return 0.0 if share is None else float(share)


def _within_domain(report: Report) -> Light:
    question = "Within the model's domain?"
    found: Any = report.domain
    if found is None:
        return Light(
            question, "grey", "not judged", "The model or its domain statistics were not at hand."
        )
    if found["alarm"]:
        reasons = " and ".join(found["reasons"])
        return Light(question, "red", "no", f"{reasons[0].upper()}{reasons[1:]}.")
    if found["threshold"] is None:
        return Light(
            question,
            "amber",
            "unsure",
            "With one teacher specimen, how much specimens differ is unknown.",
        )
    why = (
        f"Distance {found['distance']:.2g} from the teachers, where 1 is what one of their {found['n_specimens']} specimens typically "
        f"has from the others; the alarm is raised beyond {found['threshold']:.2g}."
    )
    if found["n_specimens"] < FEW_SPECIMENS:
        return Light(question, "amber", "probably", why)
    return Light(question, "green", "yes", why)


def _calibrated(report: Report) -> Light:
    question = "Enough calibration for a trust mask?"
    found: Any = report.trust
    if found is None:
        return Light(question, "grey", "not judged", "The model was not at hand.")
    if found["refused"]:
        reason = str(found["refused"])
        return Light(question, "red", "no", f"{reason[0].upper()}{reason[1:]}.")
    return Light(
        question,
        "green",
        "yes",
        f"{100 * found['trusted_fraction']:.0f} % of the field may be trusted; over specimens like the {found['n_calibration']} of the "
        f"calibration, trusted and wrong detail covers at most {100 * found['alpha']:g} % on average.",
    )


def _size(report: Report) -> str:
    size = report.lr["voxel_nm"][2]
    return "" if size is None else f" ({spoken_length(size)})"


def _lower(sentence: str) -> str:
    return sentence[0].lower() + sentence[1:]
