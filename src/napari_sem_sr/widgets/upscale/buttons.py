"""What the buttons of the dock Upscale say and whether they can be pressed; knows no window."""

from dataclasses import dataclass, field
from pathlib import Path

from napari_sem_sr.inference.runs.recorded import covers_picture
from napari_sem_sr.inference.settings import UpscaleSettings
from napari_sem_sr.stack import SemStack
from napari_sem_sr.widgets.qt.dock import link
from napari_sem_sr.widgets.upscale.tasks import Existing
from napari_sem_sr.widgets.words import tr

BUSY = tr("Something is running; wait for it or cancel it.")
UNFINISHED = "unfinished"
QUEUED = tr("This is in the queue already.")


@dataclass(frozen=True)
class ButtonState:
    """One button; without ``text`` it keeps its own.

    Parameters
    ----------
    tip
        Tooltip.
    enabled
        Whether it can be pressed.
    visible
        Whether it is there.
    """

    text: str = ""
    tip: str = ""
    enabled: bool = True
    visible: bool = True


@dataclass(frozen=True)
class Buttons:
    """All buttons.

    Parameters
    ----------
    start
        Upscale, or resume.
    queue
        Put it into the queue.
    preview
        One slice.
    again
        Start over.
    live
        What is on screen.
    """

    start: ButtonState = field(default_factory=ButtonState)
    queue: ButtonState = field(default_factory=ButtonState)
    preview: ButtonState = field(default_factory=ButtonState)
    again: ButtonState = field(default_factory=ButtonState)
    live: ButtonState = field(default_factory=ButtonState)


def buttons_for(
    stack: SemStack | None,
    settings: UpscaleSettings | None,
    found: Existing | None,
    reason: str,
    trouble: str,
    *,
    waiting: bool,
    running: bool,
    queue_runs: bool,
) -> Buttons:
    """Say what can be done.

    Parameters
    ----------
    stack
        That is chosen; None for none.
    settings
        None where they make no sense.
    found
        What lies at the place of the result.
    reason
        Why nothing can be done; empty where something can.
    trouble
        What is wrong with the place of the result, or the part that was chosen.
    waiting
        Whether this very run is in the queue.
    running
        Whether something is going on.
    queue_runs
        Whether that is the queue, so that more may be added.
    """
    text, tip, blocked = _offer(stack, settings, found)
    if queue_runs and not blocked and (found is None or not found.complete):
        text, tip = (
            tr("Then {lower}{value}", lower=text[0].lower(), value=text[1:]),
            tr("Done when what runs now has ended."),
        )
    why = reason or trouble or blocked or (QUEUED if waiting else "")
    busy = running and not queue_runs
    begin = why or (BUSY if busy or (running and found is not None and found.complete) else "")
    ours = found is not None and found.ours and not blocked
    may_queue = why or (
        tr("It is finished already.") if found is not None and found.complete else ""
    )
    seen = reason or (BUSY if running else "")
    return Buttons(
        start=ButtonState(text, begin or tip, not begin),
        queue=ButtonState(
            tip=may_queue or tr("Put it into the queue, and choose the next stack."),
            enabled=not may_queue,
        ),
        preview=ButtonState(
            tip=seen or tr("Upscale the slice on screen and show it in place; nothing is written."),
            enabled=not seen,
        ),
        again=ButtonState(
            tip=begin or tr("Remove what is there and start over."),
            enabled=not begin,
            visible=ours and not running,
        ),
        live=ButtonState(
            tip=reason
            or tr("Upscale what is on screen while you pan, zoom and scrub; nothing is written."),
            enabled=not reason,
        ),
    )


def _offer(
    stack: SemStack | None, settings: UpscaleSettings | None, found: Existing | None
) -> tuple[str, str, str]:
    """Text and tooltip of the main button, and why it cannot be pressed."""
    plain = tr("Upscale {size}", size=spoken_part(stack, settings))
    if found is None:
        return plain, tr("Upscale and write the result, slice by slice."), ""
    if not found.ours:
        return (
            plain,
            "",
            tr("Something else lies at the place of the result; choose another place."),
        )
    misfit = "" if found.recorded is None or stack is None else found.recorded.misfit(stack)
    if misfit:
        return (
            plain,
            "",
            tr(
                "The result there is not of this stack: {misfit}. Choose another place.",
                misfit=misfit,
            ),
        )
    made = "" if found.recorded is None else f" ({found.recorded.describe()})"
    if found.complete:
        return tr("Open result"), tr("This result is finished{made}; open it.", made=made), ""
    return (
        tr("Resume ({done} of {total})", done=found.done, total=found.total),
        tr("Continue what was started{made}; finished slices are kept.", made=made),
        "",
    )


def spoken_part(stack: SemStack | None, settings: UpscaleSettings | None) -> str:
    """``4 slices``, ``slice 2`` or ``a part of 4 slices``.

    Parameters
    ----------
    stack
        That is chosen; None for none.
    settings
        None where they make no sense.
    """
    if stack is None or settings is None:
        return tr("all slices")
    first, end = settings.slices or (0, stack.shape[0])
    if stack.shape[0] == 1:
        named = tr("1 slice")
    elif end - first == 1:
        named = tr("slice {first}", first=first)
    else:
        named = tr("{value} slices", value=end - first)
    return named if covers_picture(stack, settings) else tr("a part of {named}", named=named)


def run_text(found: Existing | None, beside: tuple[Path, Existing] | None) -> str:
    """What the run was that lies at the place of the result, or an unfinished one beside it.

    Parameters
    ----------
    found
        What lies at the place of the result.
    beside
        An unfinished run elsewhere.
    """
    if found is not None and found.recorded is not None:
        verb = tr("Made") if found.complete else tr("Begun")
        return tr("{verb} with {describe}.", verb=verb, describe=found.recorded.describe())
    if beside is None:
        return ""
    path, existing = beside
    recorded = existing.recorded
    if recorded is None:
        return ""
    return tr(
        "Unfinished: {done} of {total} slices in '{name}' ({describe}). {link}",
        done=existing.done,
        total=existing.total,
        name=path.name,
        describe=recorded.describe(),
        link=link(UNFINISHED, tr("Go on with it")),
    )
