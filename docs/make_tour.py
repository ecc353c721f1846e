"""The first hour as a scripted tour: a real napari over the bundled sample, a picture after every step.

Run ``make tour``, or this file under ``xvfb-run -a -s "-screen 0 1366x768x24"``. The pictures are those of
docs/tutorial.md. A step that does not get where it should raises, so the tutorial is tested by being made.
"""

import os
import tempfile
from pathlib import Path
from typing import Any

import napari
from make_screenshots import SIZE, open_docks, raise_dock, settle, wait_for
from PIL import Image

from napari_sem_sr.checking.judgements import read_judgements

PICTURES = Path(__file__).resolve().parent / "images" / "tour"
# taught on another material, so that the check has something to say
MODEL = "powder-x4"
JUDGED = 10
# a person's eye is not scripted; these are examples of what can be said
OPINIONS = ("artifact", "real", "unsure", "real", "artifact")


class Tour:
    """One napari, and the pictures taken of it."""

    def __init__(self) -> None:
        self.viewer = napari.Viewer(show=True)
        self.viewer.window.resize(*SIZE)
        self._count = 0

    def picture(self, name: str) -> None:
        self._count += 1
        settle(1.0)
        path = PICTURES / f"{self._count:02d}_{name}.png"
        self.viewer.window.screenshot(str(path), flash=False)
        # grey pictures and a few colours: a third of the size
        Image.open(path).convert("RGB").quantize(256).save(path, optimize=True)
        print(path.name)

    def sample_and_preview(self, upscale: Any, folder: Path) -> None:
        self.picture("docks")
        upscale.open_sample()
        upscale.choose_model(MODEL)
        upscale.set_output(folder / "medulla_sr.zarr")
        self.picture("sample")
        upscale.preview_button.click()
        wait_for(lambda: not upscale._work.running)
        self.picture("preview")

    def run(self, upscale: Any) -> None:
        upscale.start_button.click()
        wait_for(lambda: upscale._pace.done >= 4)
        self.picture("running")
        wait_for(lambda: not upscale._work.running)
        self.picture("done")

    def compare(self, tab: Any) -> None:
        tab.start_button.click()
        wait_for(lambda: "difference" in tab.comparison.panes)
        self.picture("row")
        self.viewer.scene.camera.zoom *= 3
        tab.on_screen.marks.point_at((120.0, 1000.0, 1000.0))
        tab.readout.show_at((120.0, 1000.0, 1000.0))
        tab.on_screen.grid_box.setChecked(True)
        self.picture("zoomed")
        tab.on_screen.grid_box.setChecked(False)
        self.viewer.reset_view()
        for mode in ("curtain", "blink", "overlay"):
            tab.modes.buttons[mode].click()
            self.picture(mode)
        tab.modes.buttons["side by side"].click()
        tab.views.buttons["xz"].click()
        self.picture("cut")
        tab.views.buttons["3D"].click()
        wait_for(lambda: tab.comparison.view == "3D" and not tab.views.work.running)
        self.viewer.scene.camera.angles = (10.0, 30.0, 120.0)
        self.picture("volumes")
        tab.views.buttons["xy"].click()
        wait_for(lambda: "difference" in tab.comparison.panes)

    def measure(self, tab: Any) -> None:
        self.viewer.scene.camera.zoom *= 2
        tab.profile.set_line((740.0, 620.0), (1180.0, 1010.0))
        self.picture("profile")
        tab.profile.clear_line()
        settle()
        tab.spectrum.button.click()
        wait_for(lambda: bool(tab.spectrum.spectra))
        self.picture("spectrum")

    def check(self, inspect: Any, folder: Path) -> None:
        inspect.tabs.setCurrentIndex(1)
        tab = inspect.pages["Answer check"]
        self.picture("before_the_check")
        tab.start_button.click()
        wait_for(lambda: tab.bar.maximum() > 1 and tab.bar.value() > 2)
        self.picture("checking")
        wait_for(lambda: tab.evidence is not None)
        wait_for(lambda: not tab.suspects.pictures.running)
        self.picture("verdict")
        tab.suspects.places.list.setCurrentRow(0)
        self.picture("worst_place")
        judged = min(JUDGED, len(tab.suspects.places.order))
        for place in range(judged):
            if place == 0:
                tab.suspects.judging.note.setText("brighter than its surroundings in LR too")
            tab.suspects.judging.say(OPINIONS[place % len(OPINIONS)])
            settle(0.1)
        kept = len(read_judgements(tab.evidence.folder))
        if kept != judged:
            raise RuntimeError(f"{kept} judgements were kept instead of {judged}")
        self.picture("judged")
        tab.export(folder / "report.html")
        if (
            "a colleague" not in tab.report_button.toolTip()
            or not (folder / "report.html").exists()
        ):
            raise RuntimeError("the report was not written")
        self.picture("exported")

    def evidence(self, inspect: Any, folder: Path) -> None:
        inspect.tabs.setCurrentIndex(0)
        tab = inspect.pages["Compare"]
        self.viewer.reset_view()
        tab.on_screen.ring_box.setChecked(True)
        tab.evidence.box.setCurrentText("invention")
        tab.evidence.show_map()
        wait_for(lambda: "evidence" in tab.comparison.panes)
        self.picture("evidence_map")
        tab.export(folder / "comparison.png")
        inspect.tabs.setCurrentIndex(2)
        test = inspect.pages["Blind test"]
        test.start_button.click()
        self.picture("blind_test")
        inspect.tabs.setCurrentIndex(0)
        tab.remove_button.click()
        self.picture("as_before")


def main() -> None:
    PICTURES.mkdir(parents=True, exist_ok=True)
    for old in PICTURES.glob("*.png"):
        old.unlink()
    home = Path.cwd()
    with tempfile.TemporaryDirectory() as name:
        os.chdir(name)
        try:
            tour = Tour()
            upscale, inspect = open_docks(tour.viewer)
            tour.sample_and_preview(upscale, Path())
            tour.run(upscale)
            raise_dock(tour.viewer, inspect)
            compare = inspect.pages["Compare"]
            tour.compare(compare)
            tour.measure(compare)
            tour.check(inspect, Path())
            tour.evidence(inspect, Path())
            tour.viewer.close()
        finally:
            os.chdir(home)


if __name__ == "__main__":
    main()
