"""napari's list of layers, as Qt shows it."""

from typing import TYPE_CHECKING

from qtpy.QtCore import Qt
from qtpy.QtWidgets import QApplication, QListView

if TYPE_CHECKING:
    from napari.layers import Layer


def leave_out_of_list(layer: "Layer") -> None:
    """Hide the row of a layer that nobody has to handle; it is drawn as ever.

    Qt keeps a hidden row hidden wherever it is moved. Without a window there is no list.

    Parameters
    ----------
    layer
        A layer of napari's viewer.
    """
    app = QApplication.instance()
    views = (
        [] if app is None else [w for w in QApplication.allWidgets() if isinstance(w, QListView)]
    )
    for view in views:
        model = view.model()
        if model is None:
            continue
        for row in range(model.rowCount()):
            if model.index(row, 0).data(Qt.ItemDataRole.UserRole) is layer:
                view.setRowHidden(row, True)
