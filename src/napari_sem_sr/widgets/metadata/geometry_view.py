"""A drawing of how the imaged face is assumed to stand to the beam."""

import math

from qtpy.QtCore import QPointF, QRectF, Qt
from qtpy.QtGui import QColor, QPainter, QPaintEvent, QPen, QPolygonF
from qtpy.QtWidgets import QSizePolicy, QWidget

from napari_sem_sr.widgets.words import tr

# Distinct for colour-blind eyes on dark and on light ground (Okabe and Ito).
_BEAM, _FACE = QColor("#56B4E9"), QColor("#E69F00")
_HEAD = 7.0


class GeometryView(QWidget):
    """The beam from above, the face it meets, the face's normal, and the angle between both.

    Parameters
    ----------
    parent
        Widget that holds it.
    """

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._tilt: float | None = None
        self.setMinimumHeight(170)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)

    def show_tilt(self, tilt_deg: float | None) -> None:
        """Draw the face at ``tilt_deg``; where it is unknown, across the beam and dashed."""
        self._tilt = tilt_deg
        self.setAccessibleDescription(
            tr("tilt unknown")
            if tilt_deg is None
            else tr("face tilted by {tilt_deg:.1f} degrees", tilt_deg=tilt_deg)
        )
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: N802, D102
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        text = self.palette().windowText().color()
        centre = QPointF(self.width() * 0.42, self.height() * 0.62)
        reach = min(self.width() * 0.34, self.height() * 0.5)
        angle = math.radians(self._tilt or 0.0)
        along = QPointF(math.cos(angle), math.sin(angle))
        normal = QPointF(math.sin(angle), -math.cos(angle))
        self._draw_sample(painter, centre, along, normal, reach)
        top = centre - QPointF(0, reach * 1.05)
        _arrow(painter, top, centre - QPointF(0, 3), _BEAM)
        painter.setPen(text)
        painter.drawText(top + QPointF(-96, 8), tr("electron beam"))
        painter.setPen(QPen(text, 1, Qt.PenStyle.DashLine))
        painter.drawLine(centre, centre + normal * reach)
        painter.setPen(text)
        if self._tilt is None:
            painter.drawText(centre + QPointF(12, -reach * 0.5), tr("tilt unknown:"))
            painter.drawText(centre + QPointF(12, -reach * 0.5 + 16), tr("drawn at 0°"))
            return
        painter.drawText(centre + normal * reach * 1.05 + QPointF(6, 4), tr("normal of the face"))
        span = reach * 0.5
        box = QRectF(centre.x() - span, centre.y() - span, 2 * span, 2 * span)
        painter.drawArc(box, 90 * 16, -round(self._tilt * 16))
        # beside the beam, where there is no line whatever the angle
        painter.drawText(centre + QPointF(-46, -span + 4), f"{self._tilt:.1f}°")

    def _draw_sample(
        self, painter: QPainter, centre: QPointF, along: QPointF, normal: QPointF, reach: float
    ) -> None:
        left, right = centre - along * reach, centre + along * reach
        deep = normal * -reach * 0.3
        body = QColor(_FACE)
        body.setAlpha(50)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(body)
        painter.drawPolygon(QPolygonF([left, right, right + deep, left + deep]))
        style = Qt.PenStyle.DashLine if self._tilt is None else Qt.PenStyle.SolidLine
        painter.setPen(QPen(_FACE, 3, style))
        painter.drawLine(left, right)
        painter.setPen(self.palette().windowText().color())
        painter.drawText(left + QPointF(-2, -8), tr("imaged face"))


def _arrow(painter: QPainter, start: QPointF, end: QPointF, colour: QColor) -> None:
    painter.setPen(QPen(colour, 2))
    painter.drawLine(start, end)
    painter.setBrush(colour)
    wings = [end + QPointF(-_HEAD / 2, -_HEAD), end + QPointF(_HEAD / 2, -_HEAD)]
    painter.drawPolygon(QPolygonF([end, *wings]))
    painter.setPen(colour)
