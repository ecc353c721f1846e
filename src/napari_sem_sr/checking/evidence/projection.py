"""SR made consistent with LR, and what that changed.

Source: `consistency.project`, the smallest change that makes SR, degraded, equal LR; for area averaging the residual of
every LR pixel is taken off the SR pixels that it covers.

What it can and cannot tell: the projected stack cannot contradict LR any more, up to rounding. Whatever the degradation
wipes out is as invented as before, and where LR is noisy its noise is now in SR as steps between LR pixels.
"""

from collections.abc import Generator, Mapping
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np

from napari_sem_sr.checking.evidence.consistency import project, residual
from napari_sem_sr.checking.field import Field
from napari_sem_sr.degradation.degrade import Degradation
from napari_sem_sr.events import Event, Progress
from napari_sem_sr.intensity import to_dtype
from napari_sem_sr.io import ZarrStackWriter
from napari_sem_sr.metrics.psnr_ssim import StackScores, squared_error

NAME = "projected.zarr"


def iter_project(
    field: Field,
    out: Path,
    identity: Mapping[str, Any],
    data_range: float,
    degradation: Degradation,
) -> Generator[Event, None, dict[str, Any]]:
    """Write the projected SR of a field, or go on with it.

    Parameters
    ----------
    field
        LR, SR and HR.
    out
        Folder of the check.
    identity
        What is being checked, by which a half-finished one is known.
    data_range
        For PSNR.
    degradation
        After which SR is to be LR.

    Returns
    -------
    ``rms_change`` and ``largest_change`` in grey levels, ``changed_fraction`` of the pixels, ``residual_rms`` that is
    left (rounding), and with HR ``psnr`` of the projected stack (None without).
    """
    path = out / NAME
    if path.exists():
        writer = ZarrStackWriter.reopen(path)
    else:
        recorded = dict(field.sr.provenance or {})
        recorded.pop("complete", None)
        provenance = {
            **recorded,
            "projected": f"degraded ({degradation.describe()}) it is LR",
            "inputs": dict(identity),
            "software_version": version("napari-sem-sr"),
        }
        writer = ZarrStackWriter.create(path, like=field.sr, provenance=provenance)
    done = writer.done_slices()
    total = field.sr.shape[0]
    squared = left = 0.0
    largest, changed, pixels, places = 0.0, 0, 0, 0
    scores = StackScores(data_range)
    for index in range(total):
        yield Progress("projecting", index, total, "slices")
        sr, lr = field.sr.slice(index), field.lr_part.slice(index)
        projected = to_dtype(project(sr, lr, field.factor, degradation), sr.dtype)[0]
        if index not in done:
            writer.write_slice(index, projected)
        change = (projected.astype(np.float64) - sr)[np.isfinite(sr)]
        squared += float((change**2).sum())
        changed += int(np.count_nonzero(change))
        pixels += change.size
        largest = max(largest, float(np.abs(change).max(initial=0)))
        rest = residual(projected, lr, field.factor, degradation).astype(np.float64)
        rest = rest[np.isfinite(rest)]
        left += float((rest**2).sum())
        places += rest.size
        if field.hr is not None:
            # SSIM is not asked for here
            scores.merge(*squared_error(projected, field.hr.slice(index)), 0.0)
    yield Progress("projecting", total, total, "slices")
    writer.finish()
    psnr = scores.psnr if field.hr is not None else None
    return {
        "rms_change": float(np.sqrt(squared / max(1, pixels))),
        "largest_change": largest,
        "changed_fraction": changed / max(1, pixels),
        "residual_rms": float(np.sqrt(left / max(1, places))),
        "psnr": psnr if psnr is not None and np.isfinite(psnr) else None,
    }
