"""Transport tortuosity: by how much a phase slows diffusion down beyond what its fraction does, with TauFactor.

TauFactor (Kench, Squires & Cooper 2023, JOSS 8, 5358; MIT) solves the Laplace equation with finite volumes; it is the extra
``[tortuosity]`` of this package. Its solver for voxels that are not cubes diverged in our hands, so slices are repeated until voxels are about
cubes, and the plain one is used.
"""

from collections.abc import Generator

import numpy as np

from napari_sem_sr.errors import InputError
from napari_sem_sr.events import Event
from napari_sem_sr.inference.background import in_background
from napari_sem_sr.measure.scratch import PlaneFile
from napari_sem_sr.stack import Triple

# The solver holds the whole volume several times over.
MOST_VOXELS = 30_000_000


def check_installed() -> None:
    """Refuse to go on without TauFactor.

    Raises
    ------
    InputError
        If it is not installed.
    """
    try:
        import taufactor  # noqa: F401
    except ImportError:
        raise InputError(
            "Transport tortuosity needs TauFactor; install it with: pip install 'napari-sem-sr[tortuosity]'."
        ) from None


def iter_transport(
    masks: PlaneFile, voxel: Triple[float], axis: int, what: str
) -> Generator[Event, None, tuple[float | None, str]]:
    """Transport tortuosity along an axis, or None and why there is none.

    Parameters
    ----------
    masks
        The phase.
    voxel
        (z, y, x) in nm.
    axis
        0 (z), 1 (y) or 2 (x).
    what
        Name of the step, for a person.
    """
    times = [max(1, round(v / min(voxel))) for v in voxel]
    if np.prod(masks.shape) * np.prod(times) > MOST_VOXELS:
        return (
            None,
            f"has more than {MOST_VOXELS // 10**6} million voxels, so no transport tortuosity",
        )
    tau = yield from in_background(lambda: _solve(masks, times, axis), what)
    if tau is None:
        return (
            None,
            f"does not reach through the volume along {'zyx'[axis]}, so no transport tortuosity",
        )
    return tau, ""


def _solve(masks: PlaneFile, times: list[int], axis: int) -> float | None:
    import taufactor

    volume = masks.read_slab(0, masks.shape[0]).astype(np.uint8)
    for along, count in enumerate(times):
        volume = np.repeat(volume, count, axis=along)
    solver = taufactor.Solver(np.ascontiguousarray(np.moveaxis(volume, axis, 0)))
    solver.solve(verbose=False)
    tau = float(solver.tau)
    return tau if np.isfinite(tau) else None
