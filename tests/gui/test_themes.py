"""What is written in colour can be read on both themes of napari."""

from typing import Any

import pytest
from napari.components import ViewerModel
from napari.utils.theme import get_theme
from qtpy.QtGui import QColor, QPalette

from napari_sem_sr.widgets.qt.dock import (
    LINK_ON_DARK,
    LINK_ON_LIGHT,
    ON_DARK,
    ON_LIGHT,
    Dock,
    Line,
    Tone,
    link,
)

THEMES = {"dark": ON_DARK, "light": ON_LIGHT}
LINKS = {"dark": LINK_ON_DARK, "light": LINK_ON_LIGHT}


class Idle(Dock):
    """A dock with nothing to end."""

    def tear_down(self) -> None:
        pass


def contrast(first: str, second: str) -> float:
    """Contrast ratio as WCAG 2.2 defines it."""

    def luminance(colour: str) -> float:
        parts = QColor(colour).getRgbF()[:3]
        red, green, blue = (
            v / 12.92 if v <= 0.04045 else ((v + 0.055) / 1.055) ** 2.4 for v in parts
        )
        return 0.2126 * red + 0.7152 * green + 0.0722 * blue

    low, high = sorted((luminance(first), luminance(second)))
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("theme", THEMES)
def test_lines_and_links_stand_out_from_the_background(theme: str) -> None:
    background = get_theme(theme).background.as_hex()
    assert all(contrast(colour, background) >= 4.5 for colour in THEMES[theme].values())
    assert contrast(LINKS[theme], background) >= 4.5


def test_a_line_takes_the_colours_of_the_theme_that_comes(qtbot: Any) -> None:
    viewer = ViewerModel()
    dock = Idle(viewer)
    qtbot.addWidget(dock)
    line = Line()
    dock.body.addWidget(line)
    line.say("look out", Tone.CARE)
    dock.show()
    for theme, colours in THEMES.items():
        viewer.theme = theme
        # as napari restyles its window
        dock.follow_theme()
        line.say("look out", Tone.CARE)
        shown = line.palette().color(QPalette.ColorRole.WindowText).name()
        assert shown == colours[Tone.CARE]
        line.say(link("there", "over there"))
        assert f"color: {LINKS[theme]}" in line.text()
    line.say("as usual")
    assert line.palette().color(QPalette.ColorRole.WindowText).name() not in ON_LIGHT.values()
