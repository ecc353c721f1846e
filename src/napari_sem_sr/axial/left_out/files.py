"""What the test on left-out slices found, as files: a table by slice, a map, and a picture of both."""

import csv
import io
from pathlib import Path

import numpy as np
import numpy.typing as npt
import tifffile
from scipy.ndimage import gaussian_filter

from napari_sem_sr.axial.bundle import LEFT_OUT_FILES
from napari_sem_sr.axial.left_out.comparison import LeftOut
from napari_sem_sr.io.atomic_write import atomic_write, translate_os_errors

# Pixels over which the map is averaged: single pixels are noise.
SMOOTH = 4.0
# Gains beyond show as these, in dB.
_SHOWN_DB = 4.0


def gain_map(left_out: LeftOut) -> npt.NDArray[np.float32]:
    """Gain over linear interpolation by place, (y, x) in dB; NaN where nothing was compared.

    Parameters
    ----------
    left_out
        What the test found.
    """
    valid = np.isfinite(left_out.linear_map)
    weight = gaussian_filter(valid.astype(np.float64), SMOOTH)
    errors = [
        gaussian_filter(np.where(valid, part, 0).astype(np.float64), SMOOTH)
        / np.maximum(weight, 1e-12)
        for part in (left_out.linear_map, left_out.network_map)
    ]
    floor = (left_out.data_range * 1e-6) ** 2
    gain = 10 * np.log10((errors[0] + floor) / (errors[1] + floor))
    return np.where(valid, gain, np.nan).astype(np.float32)


def write_left_out(folder: Path, left_out: LeftOut) -> None:
    """Write ``left_out.csv``, ``left_out.tif`` (gain in dB) and ``left_out.png`` into ``folder``.

    Parameters
    ----------
    left_out
        What the test found.
    """
    table, picture, drawn = (folder / name for name in LEFT_OUT_FILES)
    gain = gain_map(left_out)
    with translate_os_errors(folder):
        with atomic_write(table) as temporary:
            temporary.write_text(_table(left_out), encoding="utf-8")
        with atomic_write(picture) as temporary:
            tifffile.imwrite(temporary, gain, metadata={"axes": "YX"}, software=False)
        with atomic_write(drawn) as temporary:
            temporary.write_bytes(_drawn(left_out, gain))


def _decibel(left_out: LeftOut, error: float) -> float:
    floor = (left_out.data_range * 1e-6) ** 2
    return float(10 * np.log10(left_out.data_range**2 / max(error, floor)))


def _table(left_out: LeftOut) -> str:
    text = io.StringIO()
    rows = csv.writer(text, lineterminator="\n")
    rows.writerow(["slice", "psnr", "linear_psnr", "cubic_psnr"])
    for score in left_out.slices:
        decibel = (
            f"{_decibel(left_out, error):.3f}"
            for error in (score.network, score.linear, score.cubic)
        )
        rows.writerow([score.index, *decibel])
    return text.getvalue()


def _drawn(left_out: LeftOut, gain: npt.NDArray[np.float32]) -> bytes:
    from matplotlib.figure import Figure

    figure = Figure(figsize=(10, 4), layout="constrained")
    curve, place = figure.subplots(1, 2, width_ratios=(3, 2))
    indices = [s.index for s in left_out.slices]
    for name, colour in (("network", "C0"), ("linear", "C1"), ("cubic", "C2")):
        values = [_decibel(left_out, getattr(s, name)) for s in left_out.slices]
        curve.plot(indices, values, ".-", color=colour, label=name, linewidth=1)
    curve.set(xlabel="slice that was left out", ylabel="PSNR [dB]")
    curve.xaxis.get_major_locator().set_params(integer=True)
    curve.legend()
    shown = place.imshow(gain, cmap="RdYlGn", vmin=-_SHOWN_DB, vmax=_SHOWN_DB)
    place.set(title="gain over linear interpolation [dB]", xticks=[], yticks=[])
    figure.colorbar(shown, ax=place, shrink=0.8)
    stream = io.BytesIO()
    # no date or version: the same test draws the same file
    figure.savefig(stream, format="png", dpi=110, metadata={"Software": None})
    return stream.getvalue()
