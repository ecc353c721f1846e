"""Pixel sizes: which factor lies between teachers and a stack, and teachers brought to just that factor."""

from collections.abc import Sequence
from dataclasses import replace
from statistics import median

import numpy as np
from PIL import Image

from napari_sem_sr.errors import InputError
from napari_sem_sr.intensity import to_dtype
from napari_sem_sr.teachers.teacher import Teacher

FACTORS = (2, 3, 4, 8)
# Teachers coarser than LR pixel / factor by this much are still used: stretched by 5 %, they miss nothing visible.
COARSER = 0.95
# Finer ones lose what they show beyond SR; so much of it is given away without asking.
FINER = 1.3
# Pixel sizes are written with a few digits.
SAME = 0.01


def factor_between(teacher_nm: Sequence[float], lr_pixel_nm: float) -> int:
    """Upscale factor that pixel sizes ask for: 5 nm and 20 nm make 4; so do 4 nm and 20 nm, after resampling.

    Parameters
    ----------
    teacher_nm
        Known pixel sizes of teachers; their median counts.
    lr_pixel_nm
        Pixel size of the stack.

    Raises
    ------
    InputError
        If the ratio is not near one of ``FACTORS``.
    """
    pixel = median(teacher_nm)
    ratio = lr_pixel_nm / pixel
    near = [f for f in FACTORS if COARSER <= ratio / f <= FINER]
    if near:
        return max(near)
    between = f"Teachers of {pixel:.4g} nm and a stack of {lr_pixel_nm:.4g} nm per pixel are {ratio:.3g} apart"
    below = [f for f in FACTORS if f <= ratio]
    if not below:
        raise InputError(f"{between}; teachers have to be at least twice as fine as the stack.")
    raise InputError(
        f"{between}, which is not near 2, 3, 4 or 8; choose the factor {below[-1]} "
        f"(teachers are then resampled to {lr_pixel_nm / below[-1]:.4g} nm), or give other teachers."
    )


def resample(teacher: Teacher, pixel_nm: float) -> Teacher:
    """Teacher on pixels of ``pixel_nm``, of the same extent to half a pixel, without aliasing, in its dtype.

    Lanczos' window, as wide as a new pixel asks for (Pillow's ``resize``).

    Parameters
    ----------
    teacher
        With known pixel size.
    """
    if teacher.pixel_nm is None or abs(teacher.pixel_nm / pixel_nm - 1) < SAME:
        return teacher
    scale = teacher.pixel_nm / pixel_nm
    height, width = (max(1, round(n * scale)) for n in teacher.image.shape)
    picture = Image.fromarray(teacher.image.astype(np.float32))
    image = np.asarray(picture.resize((width, height), Image.Resampling.LANCZOS))
    return replace(teacher, image=to_dtype(image, teacher.image.dtype)[0], pixel_nm=pixel_nm)
