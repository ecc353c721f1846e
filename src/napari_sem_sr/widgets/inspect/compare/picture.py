"""The canvas as a picture, with the places in it that were not measured."""

from typing import Any

from napari_sem_sr.widgets.inspect.panes.comparison import GAP_PX, Comparison

SYNTHETIC = ("SR", "twin")
# what the scale bar takes up at the lower edge of a pane
SCALE_BAR_PX = 48
Box = tuple[int, int, int, int]


def take_picture(comparison: Comparison) -> tuple[Any, list[Box]]:
    """RGB picture of the canvas, and boxes (top, left, height, width) of the panes that show SR or the twin."""
    viewer = comparison.viewer
    image = viewer.screenshot(canvas_only=True, flash=False)[..., :3]
    # a screen may have several pixels where Qt counts one
    ratio = image.shape[1] / viewer.canvas.size[1]
    height, width = comparison.pane_px()
    if comparison.mode == "side by side":
        _, columns = viewer.canvas.grid.shape
        places = [
            divmod(i, columns) for i, name in enumerate(comparison.panes) if name in SYNTHETIC
        ]
    else:
        places = [(0, 0)] if any(name in SYNTHETIC for name in comparison.pair) else []
    boxes = [
        (row * (height + GAP_PX), column * (width + GAP_PX), height - SCALE_BAR_PX, width)
        for row, column in places
    ]
    return image, [_scaled(box, ratio) for box in boxes]


def _scaled(box: Box, ratio: float) -> Box:
    top, left, height, width = (round(v * ratio) for v in box)
    return top, left, height, width
