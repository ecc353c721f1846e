"""Bicubic interpolation: what any model has to beat, and what is shown beside every score."""

from typing import Any

import numpy as np
import numpy.typing as npt

from napari_sem_sr.intensity import to_dtype
from napari_sem_sr.metrics.resample import filled_near


def upscale_bicubic(lr: npt.NDArray[Any], factor: int) -> npt.NDArray[Any]:
    """Bicubic picture of ``lr`` (y, x) in its dtype, ``(factor * y, factor * x)``.

    The flavour is that of ``torch.nn.functional.interpolate`` (no antialiasing, corners not aligned), the
    same that the generator adds its detail to. NaN pixels stay NaN and do not spread.

    Parameters
    ----------
    factor
        SR pixels per LR pixel.
    """
    import torch

    from napari_sem_sr.model.generator import bicubic

    grey = lr.astype(np.float32)
    masked = ~np.isfinite(grey)
    with torch.inference_mode():
        picture = bicubic(torch.from_numpy(filled_near(grey))[None, None], factor)[0, 0].numpy()
    if masked.any():
        picture[np.repeat(np.repeat(masked, factor, 0), factor, 1)] = np.nan
    return to_dtype(picture, lr.dtype)[0]
