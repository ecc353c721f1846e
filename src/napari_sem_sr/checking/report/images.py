"""Pictures and plots for the report page, as text that needs no other file."""

import base64
import io
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image

from napari_sem_sr.geometry import spoken_length
from napari_sem_sr.intensity import IntensityRange
from napari_sem_sr.stack import SemStack

# Light in the middle, readable by colour-blind people: red is SR brighter, blue SR darker.
DIVERGING = "RdBu_r"
SEQUENTIAL = "cividis"
# Beyond this share of the pixels the colours saturate; the bar says at which value.
SHOWN_SHARE = 99.5
# A scale bar is about this share of the width.
BAR_SHARE = 0.25


@dataclass(frozen=True)
class ScaleBar:
    """Length in pixels of the panel, and what it says.

    Parameters
    ----------
    length
        In pixels.
    label
        Length with its unit.
    """

    length: float
    label: str


@dataclass(frozen=True)
class RowPicture:
    """One picture of the row.

    Parameters
    ----------
    title, note
        Above and below it.
    uri
        The PNG as a data URI.
    width, height
        Of the field, in SR pixels.
    synthetic
        Whether it gets the mark of a picture that was not measured.
    bar
        Scale bar, if any.
    limit
        For a diverging picture: the value at which its colours saturate, in grey levels.
    """

    title: str
    note: str
    uri: str
    width: int
    height: int
    synthetic: bool = False
    bar: ScaleBar | None = None
    limit: float | None = None


def grey_uri(image: npt.NDArray[Any], shown: IntensityRange) -> str:
    """PNG of grey values between ``shown.low`` (black) and ``shown.high`` (white); NaN transparent.

    Parameters
    ----------
    image
        ``(y, x)``; may hold NaN.
    shown
        Range of greys.
    """
    level = shown.normalise(image)
    alpha = np.where(np.isfinite(level), 255, 0)
    grey = np.clip(np.nan_to_num(level), 0, 1) * 255
    return _png(np.stack([np.rint(grey), alpha], axis=-1).astype(np.uint8), "LA")


def diverging_uri(image: npt.NDArray[Any], limit: float) -> str:
    """PNG of signed values between -``limit`` (blue) and ``limit`` (red); NaN transparent.

    Parameters
    ----------
    image
        ``(y, x)``; may hold NaN.
    """
    from matplotlib import colormaps

    scaled = np.clip(np.nan_to_num(image.astype(np.float32)) / limit, -1, 1) / 2 + 0.5
    colour = (colormaps[DIVERGING](scaled) * 255).round().astype(np.uint8)
    colour[~np.isfinite(image), 3] = 0
    return _png(colour, "RGBA")


def shown_limit(image: npt.NDArray[Any]) -> float:
    """Symmetric limit for a signed picture, from its own values; 1 for one that is all zero.

    Parameters
    ----------
    image
        ``(y, x)`` or any shape; may hold NaN.
    """
    values = np.abs(image[np.isfinite(image)])
    return (float(np.percentile(values, SHOWN_SHARE)) if values.size else 0.0) or 1.0


def scale_bar(stack: SemStack, width: int) -> ScaleBar:
    """Scale bar for a picture of ``width`` pixels of ``stack``; in pixels of LR where no size is known."""
    world = stack.world
    wanted = width * world.scale[2] * BAR_SHARE
    magnitude = 10.0 ** np.floor(np.log10(wanted))
    length = max(m * magnitude for m in (1, 2, 5) if m * magnitude <= wanted)
    label = f"{length:g} LR px" if world.units[2] == "pixel" else spoken_length(length)
    return ScaleBar(length / world.scale[2], label)


def map_uri(image: npt.NDArray[Any], low: float, high: float) -> str:
    """PNG of values between ``low`` (dark) and ``high`` (light); NaN transparent.

    Parameters
    ----------
    image
        ``(y, x)``; may hold NaN.
    """
    from matplotlib import colormaps

    scaled = np.clip((np.nan_to_num(image.astype(np.float32)) - low) / (high - low), 0, 1)
    colour = (colormaps[SEQUENTIAL](scaled) * 255).round().astype(np.uint8)
    colour[~np.isfinite(image), 3] = 0
    return _png(colour, "RGBA")


def stops(name: str = DIVERGING, count: int = 11) -> list[tuple[int, str]]:
    """Colour bar as (percent, colour), from the lowest to the highest value.

    Parameters
    ----------
    name
        Of the colour map.
    count
        Of colours.
    """
    from matplotlib import colormaps
    from matplotlib.colors import to_hex

    return [
        (round(100 * i / (count - 1)), to_hex(colormaps[name](i / (count - 1))))
        for i in range(count)
    ]


def _png(pixels: npt.NDArray[np.uint8], mode: str) -> str:
    stream = io.BytesIO()
    Image.fromarray(pixels, mode).save(stream, "PNG", optimize=True)
    return "data:image/png;base64," + base64.b64encode(stream.getvalue()).decode("ascii")
