"""What the step Isotropic says of a test, and where the volume goes."""

from pathlib import Path

from napari_sem_sr.widgets.qt.dock import Tone
from napari_sem_sr.widgets.upscale.isotropic import default_volume, outcome_line


def test_a_gain_is_green_and_none_is_amber() -> None:
    found = {"psnr": 30.4, "linear_psnr": 28.8, "cubic_psnr": 28.6, "n_slices": 24}
    assert outcome_line(found) == (
        "+1.6 dB over linear interpolation on 24 slices it never saw.",
        Tone.GOOD,
    )
    text, tone = outcome_line({**found, "psnr": 28.8})
    assert text.startswith("No better than linear interpolation here")
    assert tone is Tone.CARE
    assert outcome_line(None)[1] is Tone.CARE


def test_the_volume_lies_beside_the_sr() -> None:
    assert default_volume(Path("a/stack_sr.zarr")) == Path("a/stack_isotropic.zarr")
    assert default_volume(Path("a/other.tif")) == Path("a/other_isotropic.zarr")
