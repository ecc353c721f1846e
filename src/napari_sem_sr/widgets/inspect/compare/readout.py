"""Grey values of all panes under the cursor."""

from typing import Any

import numpy as np

from napari_sem_sr.widgets.inspect.panes.comparison import Comparison
from napari_sem_sr.widgets.qt.dock import Line
from napari_sem_sr.widgets.words import tr


class Readout(Line):
    """One line: where the cursor is, and what each visible pane shows there.

    Parameters
    ----------
    comparison
        The comparison that all tabs of Inspect share.
    """

    def __init__(self, comparison: Comparison) -> None:
        super().__init__(small=True)
        self._comparison = comparison
        self.setToolTip(tr("Grey values under the cursor, in every pane that is shown."))
        comparison.viewer.mouse_move_callbacks.append(self._moved)

    def disconnect_viewer(self) -> None:
        """Stop listening."""
        self._comparison.viewer.mouse_move_callbacks.remove(self._moved)

    def _moved(self, _: Any, event: Any) -> None:
        if self._comparison.active:
            self.show_at(event.position)

    def show_at(self, position: Any) -> None:
        """Show the values at a point (z, y, x) of the world.

        Parameters
        ----------
        position
            (z, y, x) in the world.
        """
        panes = self._comparison.panes
        if not panes:
            return
        parts = [
            f"{name if name != 'difference' else 'diff.'} {value}"
            for name, pane in panes.items()
            if (value := _spoken(pane.get_value(position, world=True))) is not None
        ]
        y, x = (f"{v:.4g}" for v in position[-2:])
        self.say(f"y {y}, x {x} {self._comparison.unit} · {' · '.join(parts)}" if parts else "")


def _spoken(value: Any) -> str | None:
    # of a multiscale layer: (level, value)
    value = value[1] if isinstance(value, tuple) else value
    if value is None:
        return None
    number = float(np.asarray(value))
    return f"{number:.4g}" if np.isfinite(number) else "–"
