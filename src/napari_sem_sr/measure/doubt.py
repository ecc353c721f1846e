"""Which voxels of SR are not trusted, and which of these could belong to the other phase.

From the maps of a check (`sem-sr check`): a voxel is untrusted where the trust mask says so, or where it says nothing. It *could go the other
way* where it is untrusted and either its grey value is nearer to the threshold than the expected error there, or, without that map or with
labels from elsewhere, it lies within half an LR pixel of the border of a phase: SR that agrees with LR cannot move a border much further.
"""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import zarr
from scipy.ndimage import binary_dilation, binary_erosion

from napari_sem_sr.errors import InputError
from napari_sem_sr.stack import SemStack

Mask = npt.NDArray[np.bool_]
REPORT, MAPS = "report.json", "maps.zarr"
TRUST, ERROR = "trust", "expected_error"


def has_trust(folder: Path) -> bool:
    """Whether a folder holds a finished check with a trust mask that was not refused.

    Parameters
    ----------
    folder
        Any path.
    """
    return (folder / REPORT).exists() and (folder / MAPS / TRUST).exists()


@dataclass(frozen=True, eq=False)
class Doubt:
    """What a check says of the voxels of one SR stack.

    Parameters
    ----------
    trust
        (z, y, x) on the LR grid: 1 trusted, 0 not, NaN unknown.
    error
        Expected error in grey levels on the LR grid; None where there is no such map.
    factor
        SR pixels per LR pixel along y and x.
    """

    trust: Any
    error: Any | None
    factor: int

    @classmethod
    def read(cls, folder: Path, sr: SemStack) -> "Doubt":
        """Take up the maps in the ``folder`` of a check.

        Parameters
        ----------
        sr
            The stack that was checked.

        Raises
        ------
        InputError
            If there is no trust mask, or it is not of this stack's voxels.
        """
        path = folder / MAPS / TRUST
        if not path.exists():
            raise InputError(
                f"The check in '{folder}' has no trust mask (it needs a calibrated model with enough specimens, see its "
                "report); measure without --trust."
            )
        trust = zarr.open_array(path / "0", mode="r")
        z, y, x = sr.shape
        factor = y // trust.shape[1]
        if (trust.shape[0], trust.shape[1] * factor, trust.shape[2] * factor) != (z, y, x):
            raise InputError(
                f"The check in '{folder}' is of a stack of other voxels than '{sr.name}' {sr.shape}; "
                "give the check that was made of it."
            )
        error = folder / MAPS / ERROR
        known = zarr.open_array(error / "0", mode="r") if error.exists() else None
        return cls(trust, known, factor)

    @staticmethod
    def checked(folder: Path) -> str:
        """Hash of the SR stack that the check in ``folder`` is of.

        Raises
        ------
        InputError
            If there is no finished check.
        """
        try:
            report = json.loads((folder / REPORT).read_text(encoding="utf-8"))
            return str(report["sr"]["hash"])
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise InputError(
                f"'{folder}' holds no finished check; give the folder that sem-sr check wrote."
            ) from error

    def untrusted(self, index: int) -> Mask:
        """What of SR slice ``index`` (y, x) is not trusted."""
        return self._fine(~(np.asarray(self.trust[index]) == 1))

    def undecided(
        self, index: int, untrusted: Mask, mask: Mask, from_threshold: npt.NDArray[Any] | None
    ) -> Mask:
        """What of a slice could belong to the other phase.

        Parameters
        ----------
        index
            Number of the slice.
        untrusted
            Of `untrusted`.
        mask
            Where the phase is.
        from_threshold
            ``(y, x)``, distance of each grey value from the nearest threshold, grey levels; None for given labels.
        """
        if self.error is not None and from_threshold is not None:
            error = self._fine(np.asarray(self.error[index], np.float32))
            # where the error is not known either way is open
            return untrusted & ~(from_threshold > error)
        reach = max(1, self.factor // 2)
        near = binary_dilation(mask, iterations=reach) & ~binary_erosion(
            mask, iterations=reach, border_value=1
        )
        return np.asarray(untrusted & near)

    def _fine(self, coarse: npt.NDArray[Any]) -> npt.NDArray[Any]:
        return np.repeat(np.repeat(coarse, self.factor, axis=0), self.factor, axis=1)
