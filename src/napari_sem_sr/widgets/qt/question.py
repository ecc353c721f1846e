"""A question with named answers."""

from collections.abc import Sequence

from qtpy.QtWidgets import QMessageBox, QWidget


def ask(parent: QWidget | None, title: str, text: str, answers: Sequence[str]) -> int | None:
    """Ask a person; return the index of the answer, None where the question was closed.

    Parameters
    ----------
    parent
        Window over which it opens.
    title
        For a person.
    text
        For a person.
    answers
        Texts of the buttons; the first is what Enter chooses.
    """
    box = QMessageBox(QMessageBox.Icon.Question, title, text, parent=parent)
    buttons = [box.addButton(answer, QMessageBox.ButtonRole.ActionRole) for answer in answers]
    box.setDefaultButton(buttons[0])
    box.addButton(QMessageBox.StandardButton.Cancel)
    box.exec()
    clicked = box.clickedButton()
    return buttons.index(clicked) if clicked in buttons else None


def ask_to_stop(parent: QWidget, text: str) -> bool:
    """Ask whether to stop what runs and close napari: nothing runs on without its window.

    Parameters
    ----------
    parent
        Window over which it opens.
    text
        For a person.
    """
    return ask(parent, "Close napari?", text, ("Go on working", "Stop and close")) == 1
