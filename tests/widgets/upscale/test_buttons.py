"""What the buttons of Upscale offer, without a window."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from napari_sem_sr.inference.runs.recorded import RecordedRun
from napari_sem_sr.inference.settings import UpscaleSettings
from napari_sem_sr.stack import SemStack
from napari_sem_sr.widgets.upscale.buttons import Buttons, buttons_for, run_text
from napari_sem_sr.widgets.upscale.tasks import Existing

STACK = SemStack.from_array(np.zeros((4, 8, 9), np.uint8), "cathode")
RUN = RecordedRun(
    "sem-x4", "hash", 4, 0.5, "cathode", "source", slices=(0, 4), region=((0, 8), (0, 9))
)
HALF = Existing(ours=True, complete=False, done=1, total=4, recorded=RUN)


def buttons(
    found: Existing | None = None,
    settings: UpscaleSettings | None = None,
    reason: str = "",
    trouble: str = "",
    **state: Any,
) -> Buttons:
    given = {"waiting": False, "running": False, "queue_runs": False, **state}
    return buttons_for(STACK, settings or UpscaleSettings(), found, reason, trouble, **given)


@pytest.mark.parametrize(
    ("settings", "text"),
    [
        (UpscaleSettings(), "Upscale 4 slices"),
        (UpscaleSettings(slices=(2, 3)), "Upscale slice 2"),
        (UpscaleSettings(slices=(1, 3)), "Upscale 2 slices"),
        (UpscaleSettings(region=((0, 4), (0, 4))), "Upscale a part of 4 slices"),
    ],
)
def test_the_button_names_what_it_will_do(settings: UpscaleSettings, text: str) -> None:
    assert buttons(settings=settings).start.text == text


def test_what_is_there_is_continued_or_opened_and_the_tooltip_says_what_it_was() -> None:
    half = buttons(HALF)
    assert half.start.text == "Resume (1 of 4)" and "sem-x4, sharpness 0.50" in half.start.tip
    assert half.again.visible
    whole = buttons(replace(HALF, complete=True, done=4))
    assert whole.start.text == "Open result" and not whole.queue.enabled


def test_what_is_foreign_cannot_be_begun_but_previewed() -> None:
    strange = Existing(ours=False, complete=False, done=0, total=0)
    larger = replace(HALF, recorded=replace(RUN, region=((0, 80), (0, 90)), source_name="anode"))
    for found in (strange, larger):
        shown = buttons(found)
        assert not shown.start.enabled and not shown.again.visible
        assert shown.preview.enabled and shown.live.enabled
    assert "'anode'" in buttons(larger).start.tip


def test_while_the_queue_goes_on_more_is_added_to_it_but_the_same_only_once() -> None:
    more = buttons(running=True, queue_runs=True)
    assert more.start.enabled and more.start.text == "Then upscale 4 slices"
    assert not more.preview.enabled
    again = buttons(running=True, queue_runs=True, waiting=True)
    assert not again.start.enabled and "queue already" in again.start.tip
    assert not buttons(running=True).start.enabled, "a preview has to end first"


def test_disabled_buttons_say_why() -> None:
    shown = buttons(reason="No model is installed.")
    for button in (shown.start, shown.queue, shown.preview, shown.live):
        assert not button.enabled and button.tip == "No model is installed."
    troubled = buttons(trouble="The output lies in the input.")
    assert not troubled.start.enabled and troubled.preview.enabled


def test_an_unfinished_run_beside_is_offered() -> None:
    assert run_text(None, None) == ""
    assert "Begun with sem-x4" in run_text(HALF, None)
    text = run_text(None, (Path("old.zarr"), HALF))
    assert "1 of 4 slices in 'old.zarr'" in text and "href='unfinished'" in text
