"""How much closer than bicubic SR is to HR, foreseen without HR.

A twin that learned to be right on average is the mean of all pictures that fit LR. Of such a picture the error of any
other picture of the same LR is its own error plus the squared distance between them (Pythagoras in the space of random
variables): bicubic is off by the twin's error and its distance from the twin, SR by the twin's error and its distance.
Both distances are measured; only the twin's own error has to be foreseen, by a linear model of its logarithm, learned on
specimens held out from training under several noises.

Source: orthogonality of the conditional mean (any textbook on estimation, Kay 1993, chapter 12); what is learned, and the
interval by leaving specimens out (Vovk, Gammerman, Shafer 2005), is our own.

What it can and cannot tell: the mean of a whole slice on material like the teachers'. Where the twin itself is wrong, as on
another material or under noise beyond what it learned, it is too hopeful; the domain alarm has to catch that.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Literal, Self

import numpy as np
import numpy.typing as npt

from napari_sem_sr.checking.protocol import Evidence, Found, SoFar
from napari_sem_sr.degradation.measure_conditions import measure_conditions
from napari_sem_sr.model.bicubic import upscale_bicubic

if TYPE_CHECKING:
    from napari_sem_sr.checking.view.seen import Seen
    from napari_sem_sr.checking.view.setup import Setup

Arrays = dict[str, npt.NDArray[Any]]
Vector = npt.NDArray[np.float64]

KEYS = ("gain.weights", "gain.residuals")
RIDGE = 1e-2
# Of rounding to a grey level, below which logarithms of squared grey levels are cut off.
ROUNDING = 1 / 12
# Held-out errors between these quantiles make the interval.
INTERVAL = (0.05, 0.95)
# Gains in dB below which bicubic may well be as close: so little is foreseen where there is nothing to gain. The interval
# does not decide: it reaches below nothing for many images that do gain (benchmarks/checking/expected_gain.py).
DOUBTFUL_DB = 0.3
# Fewer specimens than this give no interval, and then no prediction either.
MIN_SPECIMENS = 5


@dataclass(frozen=True)
class Distances:
    """What is measured on one slice, all in squared grey levels.

    Parameters
    ----------
    bicubic, sr
        Mean squared distance of the bicubic picture and of SR from the twin.
    noise
        Variance of LR's noise.
    contrast
        Variance of the twin.
    detail
        Mean squared difference between neighbouring pixels of the twin.
    """

    bicubic: float
    sr: float
    noise: float
    contrast: float
    detail: float

    @classmethod
    def of(
        cls,
        lr: npt.NDArray[Any],
        sr: npt.NDArray[Any],
        twin: npt.NDArray[Any],
        factor: int,
        noise_variance: float,
    ) -> "Distances | None":
        """Measure one slice: LR (y, x), SR and twin (f y, f x) in grey values; None where nothing is finite.

        Parameters
        ----------
        lr
            ``(y, x)``.
        sr
            ``(f y, f x)``.
        twin
            ``(f y, f x)``.
        factor
            SR pixels per LR pixel.
        noise_variance
            Of LR, in grey values².
        """
        pictures = [p.astype(np.float32) for p in (upscale_bicubic(lr, factor), sr, twin)]
        valid = np.logical_and.reduce([np.isfinite(p) for p in pictures])
        if not valid.any():
            return None
        bicubic, made, mean = pictures

        def squared(difference: npt.NDArray[np.float32]) -> float:
            return float(np.mean(np.square(difference[valid], dtype=np.float64)))

        steps = np.diff(mean, axis=1)
        return cls(
            bicubic=squared(bicubic - mean),
            sr=squared(made - mean),
            noise=noise_variance,
            contrast=float(np.var(mean[valid], dtype=np.float64)),
            detail=float(np.nanmean(np.square(steps, dtype=np.float64))),
        )

    @property
    def of_twin(self) -> "Distances":
        """The same slice with the twin as SR."""
        return replace(self, sr=0.0)

    @property
    def features(self) -> Vector:
        """Logarithms of which that of the twin's squared error is a linear function; a constant last."""
        values = np.array([self.bicubic, self.noise, self.contrast, self.detail])
        return np.append(np.log(values + ROUNDING), 1.0)

    def gain(self, twin_error: float) -> float:
        """PSNR of SR over bicubic in dB, if the twin is off by ``twin_error`` (mean square)."""
        return float(10 * np.log10((twin_error + self.bicubic) / (twin_error + self.sr)))


@dataclass(frozen=True)
class Gain:
    """PSNR over bicubic in dB, as foreseen, and its 90 % interval.

    Parameters
    ----------
    value
        As foreseen.
    low, high
        Ends of the interval.
    """

    value: float
    low: float
    high: float

    def to_json(self) -> dict[str, float]:
        """As in ``report.json``."""
        return {"psnr_gain_over_bicubic_db": self.value, "low": self.low, "high": self.high}

    @property
    def spoken_db(self) -> tuple[float, float, float]:
        """Value and ends of the interval as they are said, in tenths of a dB and without a minus before nothing."""
        value, low, high = (round(v, 1) + 0.0 for v in (self.value, self.low, self.high))
        return value, low, high

    @property
    def colour(self) -> Literal["green", "amber", "red"]:
        """Green where better than bicubic, red where worse, amber where that is not sure."""
        if self.value <= 0:
            return "red"
        return "amber" if self.value < DOUBTFUL_DB else "green"


@dataclass(frozen=True, eq=False)
class HeldOutErrors:
    """One held-out image: what was measured, and how far bicubic, SR and twin were from HR (mean squares).

    Parameters
    ----------
    distances
        What can be measured without HR.
    bicubic_error
        In grey values².
    sr_error
        In grey values².
    twin_error
        In grey values².
    """

    distances: Distances
    bicubic_error: float
    sr_error: float
    twin_error: float

    @property
    def gain(self) -> float:
        """True gain of SR over bicubic in dB."""
        floor = ROUNDING
        return float(10 * np.log10((self.bicubic_error + floor) / (self.sr_error + floor)))


@dataclass(frozen=True, eq=False)
class ExpectedGain:
    """The prediction as calibrated.

    Parameters
    ----------
    weights
        Of `Distances.features`.
    residuals
        True minus foreseen gain in dB of images whose specimen was left out.
    """

    weights: Vector
    residuals: Vector

    @classmethod
    def of(cls, arrays: Mapping[str, npt.NDArray[Any]]) -> "ExpectedGain | None":
        """Take it from a model's calibration; None where the model has none.

        Parameters
        ----------
        arrays
            By name, any shape.
        """
        if KEYS[0] not in arrays:
            return None
        return cls(*(arrays[key].astype(np.float64) for key in KEYS))

    def predict(self, slices: Sequence[Distances]) -> Gain:
        """Foresee the gain of a stack from some of its slices (at least one).

        Parameters
        ----------
        slices
            As of `Distances.of`.
        """
        values = [d.gain(float(np.exp(d.features @ self.weights))) for d in slices]
        value = float(np.mean(values))
        low, high = np.quantile(self.residuals, INTERVAL)
        return Gain(value, value + float(low), value + float(high))


def fit_gain(examples: Sequence[HeldOutErrors], groups: Sequence[str]) -> Arrays:
    """Learn the twin's error from held-out images; nothing where there are too few specimens.

    Parameters
    ----------
    examples
        Of held-out teachers.
    groups
        Specimen of each example.
    """
    names = sorted(set(groups))
    if len(names) < MIN_SPECIMENS:
        return {}
    features = np.stack([e.distances.features for e in examples])
    wanted = np.log(np.array([e.twin_error for e in examples]) + ROUNDING)
    group = np.array(groups)
    residuals = np.empty(len(examples))
    for name in names:
        inside = group == name
        weights = _ridge(features[~inside], wanted[~inside])
        for place in np.flatnonzero(inside):
            foreseen = examples[int(place)].distances.gain(float(np.exp(features[place] @ weights)))
            residuals[place] = examples[int(place)].gain - foreseen
    return {KEYS[0]: _ridge(features, wanted), KEYS[1]: residuals}


def _ridge(features: npt.NDArray[np.float64], wanted: Vector) -> Vector:
    """Ridge regression (Hoerl and Kennard 1970); the constant is not held back."""
    penalty = RIDGE * len(features) * np.eye(features.shape[1])
    penalty[-1, -1] = 0
    return np.asarray(np.linalg.solve(features.T @ features + penalty, features.T @ wanted))


@dataclass(frozen=True, eq=False)
class GainEvidence(Evidence[Distances]):
    """The gain that is to be expected, asked of every slice.

    Parameters
    ----------
    expected
        As calibrated.
    noise_variance
        Of LR, in squared grey levels.
    """

    expected: ExpectedGain
    noise_variance: float

    name = "expected_gain"
    section = "expected"
    record = Distances
    cannot = "On another material than the teachers' the foreseen gain over bicubic is too hopeful; see the domain."

    @classmethod
    def missing(cls, setup: "Setup") -> str | None:
        """The model, or what it was calibrated with."""
        if setup.model is None:
            return "Without the model, the gain over bicubic could not be foreseen."
        if ExpectedGain.of(setup.model.calibration) is None:
            return (
                f"Model '{setup.model.card.name}' has too few specimens, or was calibrated by an earlier version, so its "
                "gain over bicubic could not be foreseen."
            )
        return None

    @classmethod
    def prepare(cls, setup: "Setup") -> Self:
        """Measure the noise of LR."""
        assert setup.model is not None, "only with a model"
        expected = ExpectedGain.of(setup.model.calibration)
        assert expected is not None, "only where there is one"
        measured = measure_conditions(setup.field.lr_part, setup.intensity)
        return cls(expected, measured.conditions.noise_grey(setup.intensity) ** 2)

    def look(self, seen: "Seen") -> Found[Distances]:
        """Distances of one slice; one without valid pixels has no say."""
        assert seen.twin is not None, "only with a model"
        factor = seen.setup.field.factor
        return Found(Distances.of(seen.lr, seen.sr, seen.twin, factor, self.noise_variance))

    def combine(
        self, records: Sequence[Distances], setup: "Setup", so_far: SoFar
    ) -> dict[str, float] | None:
        """The gain of the stack as a whole."""
        if not records:
            so_far.limits.append(
                "No slice has valid pixels, so the gain over bicubic could not be foreseen."
            )
            return None
        return self.expected.predict(records).to_json()
