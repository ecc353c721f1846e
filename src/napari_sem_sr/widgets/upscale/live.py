"""A layer that shows the SR of whatever is on screen, while someone pans, zooms and scrubs.

A few times a second it looks what is visible. When that has changed, what was being computed is dropped and the
new part asked for, centre first. The layer covers only what is visible, so a large stack costs no more than a
small one; where SR is not there yet it is transparent, and LR is seen.
"""

import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
from napari.layers import Image
from qtpy.QtCore import QObject, QTimer, Signal

from napari_sem_sr.errors import InputError
from napari_sem_sr.events import Event
from napari_sem_sr.inference.engine.tiling import Region
from napari_sem_sr.inference.settings import UpscaleSettings
from napari_sem_sr.stack import SemStack
from napari_sem_sr.widgets.qt.worker import Work
from napari_sem_sr.widgets.upscale.tasks import LiveSource, Memory
from napari_sem_sr.widgets.viewer import layers
from napari_sem_sr.widgets.words import tr

if TYPE_CHECKING:
    from napari.components import ViewerModel

LOOK_MS = 40
MAILBOX_MS = 15
# While the view keeps moving a request is left this long, so that some of it gets done.
PATIENCE_S = 0.2
# Most LR pixels along a side: beyond that a pixel of the screen holds several, and SR shows nothing more.
MOST_LR_PX = 768
# LR pixels to which what is shown is rounded outwards, so that a small pan needs no new picture.
GRAIN = 16
NAME = tr("SR live")


@dataclass(frozen=True)
class _Look:
    """What is wanted on screen."""

    index: int
    region: Region
    sharpness: float | None


class LivePreview(QObject):
    """Keeps one layer of SR over what is visible of one layer of LR.

    Parameters
    ----------
    viewer
        The viewer; only its public parts are used.
    memory
        Where the dock keeps the model it loaded last.
    parent
        Whose end is its end.
    """

    said = Signal(str)
    """A line on what is shown; empty when it is off."""
    failed = Signal(str)
    """One sentence for a person; it is off then."""
    stopped = Signal()
    """It went off by itself: its layer was removed, or it failed."""

    def __init__(self, viewer: "ViewerModel", memory: Memory, parent: QObject) -> None:
        super().__init__(parent)
        self._viewer = viewer
        self._memory = memory
        self._lr: Image | None = None
        self._stack: SemStack | None = None
        self._source: LiveSource | None = None
        self._sharpness: float | None = None
        self._paused = False
        self.layer: Image | None = None
        self._asked: _Look | None = None
        self._shown: _Look | None = None
        self._frame = np.empty((0, 0), np.float32)
        self._began = 0.0
        self._work = Work(self, MAILBOX_MS)
        self._work.reported.connect(self._report)
        self._work.finished.connect(lambda _: self._say_done())
        self._work.failed.connect(self._fail)
        self._timer = QTimer(self)
        self._timer.setInterval(LOOK_MS)
        self._timer.timeout.connect(self.look)
        self._redraw = QTimer(self)
        self._redraw.setSingleShot(True)
        self._redraw.setInterval(0)
        self._redraw.timeout.connect(self._draw)

    @property
    def is_on(self) -> bool:
        """Whether it has been started, paused or not."""
        return self._source is not None

    @property
    def is_settled(self) -> bool:
        """Whether everything that is visible is there."""
        return self._shown is not None and self._shown == self._asked and not self._work.running

    def start(
        self, lr: Image, stack: SemStack, model_path: Path, settings: UpscaleSettings
    ) -> None:
        """Follow what is visible of ``lr``, which shows ``stack``, with sharpness and device of ``settings``.

        Parameters
        ----------
        model_path
            Bundle of the model.
        """
        self.stop()
        self._lr, self._stack = lr, stack
        self._sharpness = settings.sharpness
        self._source = LiveSource(self._memory, stack, model_path, settings)
        if not self._paused:
            self._timer.start()
        self.said.emit(tr("looking at the screen"))

    def set_sharpness(self, sharpness: float | None) -> None:
        """Show another sharpness from now on.

        Parameters
        ----------
        sharpness
            0 twin to 1 SRGAN; None takes the default.
        """
        self._sharpness = sharpness

    def pause(self) -> None:
        """Leave the processor to something else; the layer stays as it is."""
        self._paused = True
        self._drop()
        self._timer.stop()
        if self.is_on:
            self.said.emit(tr("live preview pauses while something else runs"))

    def resume(self) -> None:
        """Go on after `pause`."""
        self._paused = False
        if self.is_on:
            self._timer.start()

    def stop(self) -> None:
        """Remove the layer and forget what was computed."""
        self._drop()
        self._timer.stop()
        self._source = self._lr = self._stack = None
        layer, self.layer = self.layer, None
        if layer is not None and layer in self._viewer.layers:
            self._viewer.layers.remove(layer)
        self._asked = self._shown = None
        self.said.emit("")

    def close(self) -> None:
        """Stop, and hear no more of what runs."""
        self.stop()
        self._work.close()

    def _drop(self) -> None:
        if self._source is not None:
            self._source.drop()
        if self._work.running:
            self._work.cancel()
        self._asked = None

    # ---- what is visible

    def look(self) -> None:
        """Ask for what is visible if it is not what was asked for last."""
        if self._removed():
            self.stop()
            self.stopped.emit()
            return
        wanted = self._wanted()
        if wanted is None or wanted == self._asked:
            return
        now = time.monotonic()
        if self._work.running:
            same_place = self._asked is not None and self._asked.index == wanted.index
            if not same_place or now - self._began > PATIENCE_S:
                self._drop()
            return
        self._begin(wanted, now)

    def _removed(self) -> bool:
        gone = self.layer is not None and self.layer not in self._viewer.layers
        return gone or self._lr not in self._viewer.layers

    def _wanted(self) -> _Look | None:
        lr, stack = self._lr, self._stack
        hidden = self.layer is not None and not self.layer.visible
        if lr is None or stack is None or hidden or self._viewer.dims.ndisplay != 2:
            return None
        try:
            visible = layers.visible_region(lr)
        except InputError:
            return None
        rows, columns = (
            _middle(bounds, size) for bounds, size in zip(visible, stack.shape[1:], strict=True)
        )
        return _Look(layers.shown_slice(self._viewer, lr), (rows, columns), self._sharpness)

    def _begin(self, wanted: _Look, now: float) -> None:
        source = self._source
        if source is None:
            return
        self._asked, self._began = wanted, now
        self._work.start(
            f"live SR of slice {wanted.index}",
            lambda: source.iter_tiles(wanted.index, wanted.region, wanted.sharpness),
        )

    # ---- what arrives

    def _report(self, event: Event) -> None:
        from napari_sem_sr.inference.live import LiveTile

        if not isinstance(event, LiveTile):
            return
        asked = self._asked
        # of a request that has been dropped since
        if asked is None or self._source is None or event.slice != asked.index:
            return
        if self._shown != asked:
            self._lay_out(asked, event.image.shape[0] // (event.region[0][1] - event.region[0][0]))
        (top, bottom), (left, right) = asked.region
        (y0, y1), (x0, x1) = event.region
        f = self._factor
        y = slice(max(top, y0), min(bottom, y1))
        x = slice(max(left, x0), min(right, x1))
        self._frame[
            f * (y.start - top) : f * (y.stop - top), f * (x.start - left) : f * (x.stop - left)
        ] = event.image[
            f * (y.start - y0) : f * (y.stop - y0), f * (x.start - x0) : f * (x.stop - x0)
        ]
        self._redraw.start()

    def _lay_out(self, asked: _Look, factor: int) -> None:
        """Put an empty picture where SR is asked for, with what the last one has of the same slice."""
        self._factor = factor
        (top, bottom), (left, right) = asked.region
        frame = np.full((factor * (bottom - top), factor * (right - left)), np.nan, np.float32)
        before = self._shown
        if before is not None and before.index == asked.index:
            _copy_overlap(self._frame, before.region, frame, asked.region, factor)
        self._frame, self._shown = frame, asked
        self._place()

    def _place(self) -> None:
        lr, shown, stack = self._lr, self._shown, self._stack
        if lr is None or shown is None or stack is None:
            return
        part = layers.on_screen(lr).cropped((shown.index, shown.index + 1), shown.region)
        pixels = SemStack.from_array(self._frame, name=NAME).data
        place = layers.placing(lr, part.upscaled(pixels, self._factor))
        picture = self._frame[np.newaxis]
        if self.layer is None:
            mark = {"synthetic": True, "live": True, "added_by_dock": True}
            self.layer = layers.add(
                self._viewer,
                (
                    picture,
                    {
                        **place,
                        "name": f"{lr.name} · {NAME}",
                        "contrast_limits": tuple(lr.contrast_limits),
                        "colormap": lr.colormap,
                        "gamma": lr.gamma,
                        "metadata": {layers.KEY: mark},
                    },
                    "image",
                ),
            )
            return
        self.layer.data = picture
        self.layer.translate = place["translate"]

    def _draw(self) -> None:
        if self.layer is not None:
            self.layer.refresh(extent=False, thumbnail=False)

    def _say_done(self) -> None:
        asked = self._asked
        if asked is None or self._shown != asked:
            return
        (top, bottom), (left, right) = asked.region
        part = "" if self._is_whole_view(asked) else tr(", the middle of what is visible")
        self.said.emit(
            tr(
                "live: slice {index}, {value} × {value2} LR px{part}",
                index=asked.index,
                value=bottom - top,
                value2=right - left,
                part=part,
            )
        )

    def _is_whole_view(self, asked: _Look) -> bool:
        return all(end - start < MOST_LR_PX for start, end in asked.region)

    def _fail(self, text: str) -> None:
        self.stop()
        self.failed.emit(text)
        self.stopped.emit()


def _middle(bounds: tuple[int, int], size: int) -> tuple[int, int]:
    """At most `MOST_LR_PX` in the middle of ``bounds``, rounded outwards to `GRAIN`."""
    start, end = bounds
    spare = max(0, end - start - MOST_LR_PX)
    start, end = start + spare // 2, end - (spare - spare // 2)
    return start // GRAIN * GRAIN, min(size, -(-end // GRAIN) * GRAIN)


def _copy_overlap(
    source: npt.NDArray[Any],
    source_region: Region,
    target: npt.NDArray[Any],
    region: Region,
    f: int,
) -> None:
    """Copy the SR pixels that two regions, in LR pixels, have in common."""
    common = [
        (max(a0, b0), min(a1, b1)) for (a0, a1), (b0, b1) in zip(source_region, region, strict=True)
    ]
    if any(start >= end for start, end in common):
        return
    there, here = (
        tuple(
            slice(f * (start - origin), f * (end - origin))
            for (start, end), (origin, _) in zip(common, bounds, strict=True)
        )
        for bounds in (source_region, region)
    )
    target[here] = source[there]
