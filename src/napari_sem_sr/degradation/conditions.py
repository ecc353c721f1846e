"""Under which conditions an LR stack was recorded, as networks are told them."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from math import sqrt
from typing import Any, Literal, Self

from napari_sem_sr.errors import InputError
from napari_sem_sr.intensity import IntensityRange

Origin = Literal["measured", "typed", "assumed"]


@dataclass(frozen=True)
class Conditions:
    """Noise and blur of one LR stack.

    The variance of the noise goes linearly from black to white, as that of counting statistics behind a detector with
    noise of its own does.

    Parameters
    ----------
    noise_black, noise_white
        Standard deviation of the noise at the black and at the white of the intensity range, as parts of that range.
    line_correlation
        Correlation of the noise between neighbouring pixels of a scan line (lag 1, along x), 0 to 0.5: a detector
        slower than the pixel clock. Noise is white across lines.
    blur_px
        Standard deviation, in LR pixels, of a Gaussian beam on top of the averaging over an LR pixel.
    """

    noise_black: float = 0.0
    noise_white: float = 0.0
    line_correlation: float = 0.0
    blur_px: float = 0.0

    def __post_init__(self) -> None:
        for name, value, most in (
            ("noise", self.noise_black, float("inf")),
            ("noise", self.noise_white, float("inf")),
            ("correlation along the line", self.line_correlation, 0.5),
            ("blur", self.blur_px, float("inf")),
        ):
            if not 0 <= value <= most or value == float("inf"):
                limit = "" if most == float("inf") else f" and at most {most:g}"
                raise InputError(f"The {name} must be at least 0{limit}, but is {value:g}.")

    @property
    def noise(self) -> float:
        """Standard deviation of the noise at mid range, as a part of the intensity range."""
        return sqrt((self.noise_black**2 + self.noise_white**2) / 2)

    def noise_grey(self, intensity: IntensityRange) -> float:
        """Standard deviation of the noise at mid range, in grey values.

        Parameters
        ----------
        intensity
            Range of the stack that the conditions are of; turns parts of the range into grey values.
        """
        return self.noise * (intensity.high - intensity.low)

    def with_noise_grey(self, sd: float, intensity: IntensityRange) -> Self:
        """The same conditions with noise of standard deviation ``sd`` in grey values at mid range.

        How it grows with the grey value stays as it is; where there was none, it is the same everywhere.

        Parameters
        ----------
        sd
            Standard deviation in grey values at mid range, at least 0.
        intensity
            Range of the stack that the conditions are of.
        """
        wanted = sd / (intensity.high - intensity.low)
        if self.noise == 0:
            black = white = wanted
        else:
            black, white = (n * wanted / self.noise for n in (self.noise_black, self.noise_white))
        return type(self)(black, white, self.line_correlation, self.blur_px)

    def to_json(self) -> dict[str, float]:
        """As written into provenance, report and card."""
        return {name: float(value) for name, value in asdict(self).items()}

    @classmethod
    def from_json(cls, values: Mapping[str, Any] | None) -> Self:
        """Read what `to_json` wrote; clean conditions where nothing was recorded.

        Parameters
        ----------
        values
            What was recorded in a card, in provenance or in a report; None or empty where nothing was.
        """
        return cls(**values) if values else cls()

    def sentence(self, intensity: IntensityRange) -> str:
        """For a person, in grey values and LR pixels.

        Parameters
        ----------
        intensity
            Range of the stack, to say noise in its grey values.
        """
        width = intensity.high - intensity.low
        black, white = self.noise_black * width, self.noise_white * width
        noise = f"{self.noise_grey(intensity):.3g}"
        parts = [f"noise {noise} grey levels"]
        if max(black, white) > 1.15 * min(black, white):
            parts = [f"noise {noise} grey levels ({black:.3g} at black, {white:.3g} at white)"]
        if self.line_correlation >= 0.05:
            parts.append(f"correlated along the line ({self.line_correlation:.2f})")
        parts.append(f"blur {self.blur_px:.2g} LR pixels" if self.blur_px else "no blur seen")
        return "; ".join(parts)


CLEAN = Conditions()
