"""One point of the specimen lies at one place of every pane, measured on the pixels that are really drawn."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from scipy.ndimage import center_of_mass, label

from napari_sem_sr.widgets.inspect.panes.comparison import GAP_PX
from napari_sem_sr.widgets.viewer.overlay import Mark

# in LR pixels, and the SR pixel inside it
LR_DOT, SR_DOT = (13, 9), (54, 38)
SIDE = 32


@pytest.fixture
def tab(viewer: Any, open_dock: Callable[[str], Any], qtbot: Any) -> Any:
    """Slice 0: one LR pixel, and the 4 × 4 SR and HR pixels that it covers. Slice 1: one pixel of SR and of HR."""
    lr = np.zeros((2, SIDE, SIDE), np.uint8)
    lr[0][LR_DOT] = 255
    fine = np.zeros((2, 4 * SIDE, 4 * SIDE), np.uint8)
    fine[0, 4 * LR_DOT[0] : 4 * LR_DOT[0] + 4, 4 * LR_DOT[1] : 4 * LR_DOT[1] + 4] = 255
    fine[1][SR_DOT] = 255
    common = {"units": ("nm",) * 3, "contrast_limits": (0, 255)}
    viewer.add_image(lr, name="a LR", scale=(20, 37.2, 37.2), **common)
    for role in ("SR", "HR"):
        viewer.add_image(
            fine, name=f"a {role}", scale=(20, 9.3, 9.3), translate=(0, -13.95, -13.95), **common
        )
    tab = open_dock("Inspect")[1].pages["Compare"]
    tab.difference.subject_box.setCurrentText("none")
    tab.on_screen.cross_box.setChecked(False)
    tab.compare()
    # nothing but the dots is to be white
    viewer.canvas.overlays.scale_bar.visible = False
    for pane in tab.comparison.panes.values():
        pane.name_overlay.visible = False
    qtbot.wait(100)
    return tab


def dots(viewer: Any, qtbot: Any) -> list[tuple[float, float]]:
    """Centre (y, x) of every dot on the canvas, in screen pixels, from the left."""
    qtbot.wait(100)
    picture = viewer.screenshot(canvas_only=True, flash=False)[..., 0]
    found, count = label(picture > 128)
    return sorted(center_of_mass(found > 0, found, range(1, count + 1)), key=lambda c: c[1])


@pytest.mark.parametrize("zoom", [1.0, 2.7])
@pytest.mark.parametrize(("z", "roles"), [(0, ["LR", "SR", "HR"]), (1, ["SR", "HR"])])
def test_a_dot_lies_within_one_screen_pixel_in_every_pane(
    tab: Any, viewer: Any, qtbot: Any, z: int, roles: list[str], zoom: float
) -> None:
    viewer.dims.set_current_step(0, z)
    camera = viewer.scene.camera
    camera.center = (0.0, SR_DOT[0] * 9.3 - 13.95, SR_DOT[1] * 9.3 - 13.95)
    camera.zoom *= zoom
    found = dots(viewer, qtbot)
    assert len(found) == len(roles)
    _, width = tab.comparison.camera.pane_px()
    columns = [list(tab.comparison.panes).index(role) for role in roles]
    inside = [(y, x - c * (width + GAP_PX)) for (y, x), c in zip(found, columns, strict=True)]
    assert np.ptp(np.array(inside), axis=0).max() <= 1.0, inside


def test_marks_lie_over_the_same_pixel_in_every_pane(tab: Any, viewer: Any, qtbot: Any) -> None:
    viewer.dims.set_current_step(0, 1)
    y, x = (i * 9.3 - 13.95 for i in SR_DOT)
    viewer.scene.camera.center = (0.0, y, x)
    corners = np.array([[-1, -1], [-1, 1], [1, 1], [1, -1]]) * 60 + [y, x]
    tab.comparison.set_mark("place", Mark("rectangle", corners))
    qtbot.wait(200)
    picture = viewer.screenshot(canvas_only=True, flash=False).astype(int)
    # orange, the colour of marks, and nothing else that is coloured
    rows, columns = np.nonzero((picture[..., 0] - picture[..., 2]) > 60)
    _, width = tab.comparison.camera.pane_px()
    centres = []
    for place in range(3):
        left = place * (width + GAP_PX)
        here = (columns >= left) & (columns < left + width)
        middle = [(v[here].min() + v[here].max()) / 2 for v in (rows, columns)]
        centres.append((middle[0], middle[1] - left))
    assert np.ptp(np.array(centres), axis=0).max() <= 1.0, centres
