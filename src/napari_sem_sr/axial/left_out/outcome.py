"""What the test on left-out slices says, in words; needs no torch."""

from collections.abc import Mapping
from typing import Any

# A gain below this, in dB, is none.
WORTH_IT_DB = 0.1
UNTESTED = "Not tested on slices left out."


def is_worth_it(left_out: Mapping[str, Any]) -> bool:
    """Whether the network did better than interpolation on slices it never saw.

    Parameters
    ----------
    left_out
        As in the provenance of a volume.
    """
    return bool(_gain(left_out) >= WORTH_IT_DB)


def spoken(left_out: Mapping[str, Any]) -> str:
    """Say in one sentence what the test found; takes ``provenance.left_out``.

    Parameters
    ----------
    left_out
        As in the provenance of a volume.
    """
    gain, count = _gain(left_out), left_out["n_slices"]
    slices = f"{count} slice{'s' if count > 1 else ''} it never saw"
    best = "linear" if left_out["linear_psnr"] >= left_out["cubic_psnr"] else "cubic"
    if is_worth_it(left_out):
        return f"{gain:+.1f} dB over {best} interpolation on {slices}."
    return f"No better than {best} interpolation here ({gain:+.1f} dB on {slices}): do not use it for this stack."


def _gain(left_out: Mapping[str, Any]) -> float:
    best = max(left_out["linear_psnr"], left_out["cubic_psnr"])
    return float(left_out["psnr"]) - float(best)
