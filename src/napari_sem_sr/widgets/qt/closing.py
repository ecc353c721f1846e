"""What happens when napari is closed while something is going on."""

from qtpy.QtWidgets import QMessageBox, QWidget


def ask_to_stop(parent: QWidget, question: str) -> bool:
    """Ask whether to stop what runs and close napari; nothing runs on without its window."""
    box = QMessageBox(parent)
    box.setIcon(QMessageBox.Icon.Question)
    box.setWindowTitle("Close napari?")
    box.setText(question)
    stop = box.addButton("Stop and close", QMessageBox.ButtonRole.AcceptRole)
    stay = box.addButton("Go on working", QMessageBox.ButtonRole.RejectRole)
    box.setDefaultButton(stay)
    box.setEscapeButton(stay)
    box.exec()
    return box.clickedButton() is stop
