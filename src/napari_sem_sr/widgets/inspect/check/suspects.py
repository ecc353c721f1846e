"""The suspect places of a check, one after the other: listed, gone to, outlined and judged."""

from collections.abc import Callable
from functools import partial

from qtpy.QtCore import Qt
from qtpy.QtGui import QKeySequence
from qtpy.QtWidgets import QShortcut, QVBoxLayout, QWidget

from napari_sem_sr.checking.suspects.places import centre_of, corners_of
from napari_sem_sr.events import Event
from napari_sem_sr.intensity import IntensityRange
from napari_sem_sr.widgets.inspect.check.judging import KEYS, Judging
from napari_sem_sr.widgets.inspect.check.place_list import PlaceList
from napari_sem_sr.widgets.inspect.check.tasks import FinishedCheck, PlaceSeen, iter_places
from napari_sem_sr.widgets.inspect.panes.comparison import Comparison
from napari_sem_sr.widgets.inspect.panes.role_form import RoleForm
from napari_sem_sr.widgets.inspect.panes.roles import seats_of
from napari_sem_sr.widgets.qt.dock import Line, Tone
from napari_sem_sr.widgets.qt.worker import Work
from napari_sem_sr.widgets.viewer import layers
from napari_sem_sr.widgets.viewer.overlay import Mark
from napari_sem_sr.widgets.words import tr

MARK = "place"
# a place is shown with this much around it, and never larger than so many SR pixels fill a pane
SURROUNDINGS, LEAST_PX = 6.0, 80
BACK_KEY, ON_KEY = "P", "N"


class Suspects(QWidget):
    """The list; what belongs below it is in `below`, so that it stays in sight.

    Parameters
    ----------
    comparison
        The comparison that all tabs of Inspect share.
    roles
        Which layer plays which role.
    compare
        Lays out the panes; called before the first place is shown.
    keys_in
        The widget in which the keys work; they work on the canvas as well.
    """

    def __init__(
        self,
        comparison: Comparison,
        roles: RoleForm,
        compare: Callable[[], None],
        keys_in: QWidget,
    ) -> None:
        super().__init__()
        self._comparison = comparison
        self._roles = roles
        self._compare = compare
        self._evidence: FinishedCheck | None = None
        self.pictures = Work(self)
        self.places = PlaceList()
        self.about = Line(small=True)
        self.judging = Judging()
        whole, below = QVBoxLayout(self), QVBoxLayout()
        whole.setContentsMargins(0, 0, 0, 0)
        whole.addWidget(self.places)
        self.below = QWidget()
        self.below.setLayout(below)
        below.setContentsMargins(0, 0, 0, 0)
        below.addWidget(self.about)
        below.addWidget(self.judging)
        self.places.picked.connect(self.go_to)
        self.judging.judged.connect(self.places.next_open)
        self.judging.changed.connect(lambda: self.places.show_judgements(self.judging.said))
        self.judging.undo_button.clicked.connect(self.undo)
        self.pictures.reported.connect(self._show_picture)
        self.pictures.failed.connect(lambda text: self.about.say(text, Tone.BAD))
        actions: dict[str, Callable[[], object]] = {
            **{key: partial(self.judging.say, opinion) for key, opinion in KEYS.items()},
            ON_KEY: lambda: self.places.step(1),
            BACK_KEY: lambda: self.places.step(-1),
            "Ctrl+Z": self.undo,
        }
        for key, action in actions.items():
            shortcut = QShortcut(QKeySequence(key), keys_in)
            shortcut.setContext(Qt.ShortcutContext.WidgetWithChildrenShortcut)
            shortcut.activated.connect(action)
        self._canvas_keys = {k.lower(): a for k, a in actions.items() if len(k) == 1}
        self.forget()

    def forget(self) -> None:
        """Show no places."""
        self.pictures.close()
        self._evidence = None
        self.hide()
        self.judging.hide()
        self.judging.begin(None, ())
        self.about.say("")
        self._comparison.set_mark(MARK, None)
        self._bind_keys(on=False)

    def show_places(self, evidence: FinishedCheck) -> None:
        """List the places of a check.

        Parameters
        ----------
        evidence
            A finished check; None for none.

        Raises
        ------
        InputError
            If the layers do not say where they lie.
        """
        self.forget()
        report = evidence.report
        regions = list(report.regions)
        seats, units = seats_of(self._roles.roles)
        self._evidence, self._seat = evidence, seats["SR"]
        self.judging.begin(evidence.folder, regions)
        self.places.show_places(
            regions,
            self._seat,
            f"{units[-1]:~P}",
            self.judging.said,
            hr=report.hr is not None,
            slider=lambda z: layers.slider_step(self._comparison.viewer, z),
        )
        if not regions:
            self.about.say(tr("No place of the stack stands out from the rest."))
            return
        self.show()
        self.judging.show()
        self.about.say(tr("Go to the worst places with ↓ or a click, and judge each."))
        self.pictures.start("looking at places", lambda: iter_places(evidence))
        self._bind_keys(on=True)

    def _show_picture(self, event: Event) -> None:
        sr = self._roles.roles.get("SR")
        if isinstance(event, PlaceSeen) and sr is not None:
            low, high = sr.contrast_limits
            self.places.show_picture(
                event.index, event.seen, IntensityRange(float(low), float(high))
            )

    def go_to(self, index: int) -> None:
        """Show a place in all panes, outlined.

        Parameters
        ----------
        index
            Number of the place, in the report's order.
        """
        if self._evidence is None:
            return
        if not self._comparison.active:
            self._compare()
        region = self._evidence.report.regions[index]
        self.judging.look_at(index)
        z, y, x = centre_of(region, self._seat)
        corners = corners_of(region, self._seat)
        self._comparison.set_mark(MARK, Mark("rectangle", corners, width_px=2))
        extent = max(
            SURROUNDINGS * float((corners.max(axis=0) - corners.min(axis=0)).max()),
            LEAST_PX * self._seat.world.scale[-1],
        )
        self._comparison.camera.look_at(z, (y, x), extent)
        self.about.say(
            tr(
                "#{value} · slice {slice} · {where} · {value2:.1f} × the limit: {value3}",
                value=index + 1,
                slice=self.places.slice(index),
                where=self.places.where(index),
                value2=region["score"],
                value3=", ".join(region["reasons"]),
            )
        )

    def undo(self) -> None:
        """Take back what was said last, and go there."""
        index = self.judging.undo()
        if index is not None:
            self.places.go_to(index)
            self.judging.look_at(index)

    def _bind_keys(self, *, on: bool) -> None:
        for key, action in self._canvas_keys.items():
            self._comparison.viewer.bind_key(key, _for_key(action) if on else None, overwrite=True)


def _for_key(action: Callable[[], object]) -> Callable[[object], None]:
    """What napari can bind to a key; it wants a function with a name."""

    def press(_: object) -> None:
        action()

    return press
