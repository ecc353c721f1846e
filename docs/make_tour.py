"""The first hour as a scripted tour: a real napari over the bundled sample, a picture after every step.

Run ``make tour``, or this file under ``xvfb-run -a -s "-screen 0 1366x768x24"``. The pictures are those of
docs/tutorial.md. A step that does not get where it should raises, so the tutorial is tested by being made.
"""

import os
import shutil
import tempfile
from pathlib import Path
from typing import Any

import napari
from make_screenshots import SIZE, open_docks, raise_dock, settle, wait_for
from PIL import Image

from napari_sem_sr.checking.review.judgements import read_judgements
from napari_sem_sr.samples import medulla_path
from napari_sem_sr.widgets.upscale.form import SOME

PICTURES = Path(__file__).resolve().parent / "images" / "tour"
# knows such material; and one that has seen nothing but metal powder, so that the check has something to say
MODEL, STRANGER = "sem-x4", "powder-x4"
# of the stack without HR; they are enough to judge
SLICES = 10
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

    def turn(self) -> None:
        """Look at volumes from above one corner."""
        self.viewer.scene.camera.angles = (10.0, 30.0, 120.0)

    def run(self, upscale: Any) -> None:
        upscale.start_button.click()
        wait_for(lambda: upscale.runs.eta.done >= 4)
        self.picture("running")
        wait_for(lambda: not upscale._work.running)
        self.picture("done")

    def compare(self, tab: Any) -> None:
        tab.start_button.click()
        wait_for(lambda: "difference" in tab.comparison.panes)
        self.picture("panes")
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
        self.turn()
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

    def check(self, inspect: Any) -> None:
        """Check against HR, and look at the trust mask."""
        inspect.tabs.setCurrentIndex(1)
        tab = inspect.pages["Answer check"]
        tab.options.expand(animate=False)
        self.picture("before_the_check")
        tab.options.collapse(animate=False)
        self.finish_check(tab, "checking")
        self.picture("verdict")
        compare = inspect.pages["Compare"]
        inspect.tabs.setCurrentIndex(0)
        self.viewer.reset_view()
        compare.on_screen.ring_box.setChecked(True)
        compare.evidence.box.setCurrentText("trust")
        compare.evidence.show_map()
        wait_for(lambda: "evidence" in compare.comparison.panes)
        self.picture("trust_mask")
        compare.views.buttons["3D"].click()
        wait_for(lambda: compare.comparison.view == "3D" and not compare.views.work.running)
        compare.views.trusted_box.setChecked(True)
        wait_for(lambda: not compare.views.work.running)
        self.turn()
        self.picture("trusted_volume")
        compare.remove_button.click()

    def finish_check(self, tab: Any, name: str = "") -> None:
        tab.start_button.click()
        if name:
            wait_for(lambda: tab.bar.maximum() > 1 and tab.bar.value() > 2)
            self.picture(name)
        wait_for(lambda: not tab.work.running)
        if tab.evidence is None:
            raise RuntimeError(tab.message.text())
        wait_for(lambda: not tab.suspects.pictures.running)

    def without_hr(self, upscale: Any, inspect: Any, folder: Path) -> None:
        """A stack of one's own, for which there is no HR, and a model that does not know it."""
        self.viewer.layers.clear()
        shutil.copy(medulla_path(), folder / "mine.ome.tif")
        raise_dock(self.viewer, upscale)
        upscale.open_paths([folder / "mine.ome.tif"])
        upscale.choose_model(STRANGER)
        upscale.slices_box.setCurrentText(SOME)
        upscale.first_slice.setValue(0)
        upscale.last_slice.setValue(SLICES - 1)
        upscale.set_output(folder / "mine_sr.zarr")
        self.viewer.reset_view()
        self.picture("stranger")
        upscale.start_button.click()
        wait_for(lambda: not upscale._work.running)
        raise_dock(self.viewer, inspect)
        inspect.tabs.setCurrentIndex(1)
        tab = inspect.pages["Answer check"]
        self.finish_check(tab)
        self.picture("suspects")
        places = tab.suspects.places
        places.list.setCurrentRow(0)
        wait_for(lambda: "difference" in inspect.pages["Compare"].comparison.panes)
        self.picture("worst_place")
        judging = tab.suspects.judging
        for place in range(JUDGED):
            if place == 0:
                judging.note.setText("no such spot in LR")
            judging.say(OPINIONS[place % len(OPINIONS)])
            settle(0.1)
        kept = len(read_judgements(tab.evidence.folder))
        if kept != JUDGED:
            raise RuntimeError(f"{kept} judgements were kept instead of {JUDGED}")
        self.picture("judged")
        tab.export(folder / "report.html")
        if not (folder / "report.html").exists():
            raise RuntimeError("the report was not written")
        self.picture("exported")

    def end(self, inspect: Any, folder: Path) -> None:
        tab = inspect.pages["Compare"]
        inspect.tabs.setCurrentIndex(0)
        tab.evidence.box.setCurrentText("invention")
        tab.evidence.show_map()
        wait_for(lambda: "evidence" in tab.comparison.panes)
        self.picture("evidence_map")
        tab.export(folder / "comparison.png")
        inspect.tabs.setCurrentIndex(2)
        inspect.pages["Blind test"].start_button.click()
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
            tour.check(inspect)
            tour.without_hr(upscale, inspect, Path())
            tour.end(inspect, Path())
            tour.viewer.close()
        finally:
            os.chdir(home)


if __name__ == "__main__":
    main()
