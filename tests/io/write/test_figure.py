"""Figures of a chosen size in three formats, with a caption beside them."""

import re
import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from napari_sem_sr.errors import OutputError
from napari_sem_sr.io.write.figure import ColourBar, Panel, write_figure
from napari_sem_sr.io.write.png import MARK

GREY = 90


def panel(title: str = "LR 20 nm", *, synthetic: bool = False, bar: bool = False) -> Panel:
    colours = np.stack([np.arange(256, dtype=np.uint8)] * 3, axis=1)
    return Panel(
        np.full((300, 400, 3), GREY, np.uint8),
        title,
        pixel=5.0,
        unit="nanometer",
        synthetic=synthetic,
        colour_bar=ColourBar(colours, -20, 20, "SR−HR (grey)") if bar else None,
    )


@pytest.mark.parametrize("suffix", [".png", ".tif"])
def test_a_picture_has_the_width_and_the_resolution_that_were_asked_for(
    tmp_path: Path, suffix: str
) -> None:
    path = tmp_path / f"figure{suffix}"
    beside = write_figure(
        [panel(), panel("SR 5 nm", synthetic=True)],
        path,
        "a caption\n",
        columns=2,
        width_mm=85,
        dpi=300,
    )
    with Image.open(path) as picture:
        assert picture.width == round(85 / 25.4 * 300)
        assert np.allclose(picture.info["dpi"], 300, atol=0.5)
    assert beside.read_text(encoding="utf-8") == "a caption\n"


def letters(path: Path) -> str:
    """Text operators of a PDF, its streams unpacked."""
    content = path.read_bytes()
    streams = re.findall(rb"stream\r?\n(.*?)\r?\nendstream", content, re.DOTALL)
    unpacked = b""
    for stream in streams:
        try:
            unpacked += zlib.decompress(stream)
        except zlib.error:
            continue
    return unpacked.decode("latin-1")


def test_a_pdf_holds_letters_that_stay_sharp(tmp_path: Path) -> None:
    write_figure([panel("SR 5 nm", synthetic=True)], tmp_path / "figure.pdf", "", columns=1)
    said = "".join(re.findall(r"\((.*?)\) Tj|\((.*?)\)", letters(tmp_path / "figure.pdf"))[0])
    assert said


def rows_that_differ(first: Path, second: Path) -> tuple[np.ndarray, np.ndarray]:
    one, other = (np.asarray(Image.open(p).convert("L")).astype(int) for p in (first, second))
    return np.nonzero(one != other)


def test_only_what_was_not_measured_is_marked_and_the_mark_fits_its_panel(tmp_path: Path) -> None:
    panels = [panel(), panel("SR 5 nm", synthetic=True), panel("HR 5 nm")]
    for name, mark in (("with.png", True), ("without.png", False)):
        write_figure(panels, tmp_path / name, "", columns=3, width_mm=170, dpi=300, mark=mark)
    rows, columns = rows_that_differ(tmp_path / "with.png", tmp_path / "without.png")
    width = round(170 / 25.4 * 300)
    assert width / 3 <= columns.min() and columns.max() <= 2 * width / 3
    # letters of 7 pt are 1.3 mm high without their tails at least: two lines of them
    assert rows.max() - rows.min() > 2 * 1.3 / 25.4 * 300
    assert len(MARK) == 26


def test_a_computed_panel_has_its_colour_bar_below_it(tmp_path: Path) -> None:
    for name, bar in (("bar.png", True), ("none.png", False)):
        write_figure([panel("SR−HR", bar=bar)], tmp_path / name, "", columns=1, width_mm=85)
    with Image.open(tmp_path / "bar.png") as with_bar, Image.open(tmp_path / "none.png") as none:
        assert with_bar.height > none.height
        low = np.asarray(with_bar.convert("L"))[none.height :]
    assert low.min() < 60


def test_another_format_is_refused_and_nothing_is_written(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match="ending in"):
        write_figure([panel()], tmp_path / "figure.jpg", "", columns=1)
    assert not list(tmp_path.iterdir())
