"""Pictures for slides and papers, marked as what they are."""

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw, ImageFont

from napari_sem_sr.intensity import range_of
from napari_sem_sr.io.atomic_write import atomic_write, make_folder, translate_os_errors

MARK = "super-resolved (synthetic)"
# Legible on a slide, small beside the specimen.
_FRACTION_OF_HEIGHT = 1 / 40
_SMALLEST_PX = 9


def write_png(image2d: npt.NDArray[Any], path: str | Path, *, mark: bool = True) -> None:
    """Write one image, (y, x), as PNG; an existing file is replaced.

    uint8 and uint16 keep their values; other dtypes are drawn in 8 bits between their robust percentiles, NaN
    as black.

    Parameters
    ----------
    image2d
        ``(y, x)`` of any real dtype.
    path
        File to write.
    mark
        Draw "super-resolved (synthetic)" into the lower left corner.

    Raises
    ------
    OutputError
        If the disk refuses.
    InputError
        If no pixel is finite.
    """
    path = Path(path)
    pixels = image2d.copy() if image2d.dtype in (np.uint8, np.uint16) else _drawn(image2d)
    if mark:
        _draw_mark(pixels)
    with translate_os_errors(path):
        make_folder(path.parent.absolute())
        with atomic_write(path) as unfinished:
            Image.fromarray(pixels).save(unfinished, format="PNG")


def _drawn(image: npt.NDArray[Any]) -> npt.NDArray[np.uint8]:
    shade = np.nan_to_num(range_of(image).normalise(image), nan=0.0)
    return np.rint(np.clip(shade, 0, 1) * 255).astype(np.uint8)


def _draw_mark(pixels: npt.NDArray[Any]) -> None:
    """Draw white on black, so that it is seen on any specimen; a narrow image gets smaller letters."""
    height, width = pixels.shape[:2]
    size = max(_SMALLEST_PX, height * _FRACTION_OF_HEIGHT)
    label = _label(size)
    while label.shape[1] > width and size > 1:
        size *= 0.95
        label = _label(size)
    label = label[:height, :width]
    corner = pixels[height - label.shape[0] :, : label.shape[1]]
    shade = np.rint(label / 255 * np.iinfo(pixels.dtype).max).astype(pixels.dtype)
    corner[...] = shade if pixels.ndim == 2 else shade[..., np.newaxis]


def _label(size: float) -> npt.NDArray[np.uint8]:
    font = ImageFont.load_default(size=max(size, 1.0))
    left, top, right, bottom = font.getbbox(MARK)
    margin = max(1, round(size / 4))
    canvas = Image.new("L", (round(right - left) + 2 * margin, round(bottom - top) + 2 * margin))
    ImageDraw.Draw(canvas).text((margin - left, margin - top), MARK, fill=255, font=font)
    return np.asarray(canvas)
