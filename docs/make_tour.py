"""The first hour as a scripted tour: a real napari over the bundled samples, a picture after every step.

Run ``make tour``, or this file under ``xvfb-run -a -s "-screen 0 1366x768x24"``. The pictures are those of
docs/tutorial.md. A step that does not get where it should raises, so the tutorial is tested by being made. With a folder
and a theme (``docs/make_tour.py /tmp/tour light``) pictures go there instead.
"""

import os
import shutil
import sys
import tempfile
from pathlib import Path
from typing import Any

import napari
from make_screenshots import SIZE, open_docks, raise_dock, settle, shoot, wait_for

from napari_sem_sr.checking.review.judgements import read_judgements
from napari_sem_sr.samples import medulla_path
from napari_sem_sr.widgets.upscale.form import SOME
from napari_sem_sr.widgets.viewer import sample_data

PICTURES = Path(__file__).resolve().parent / "images" / "tour"
# knows such material; and one that has seen nothing but metal powder, so that the check has something to say
MODEL, STRANGER = "sem-x4", "powder-x4"
# of the stack without HR; they are enough to judge
SLICES = 12
JUDGED = 10
# a person's eye is not scripted; these are examples of what can be said
OPINIONS = ("artifact", "real", "unsure", "real", "artifact")
# in nm: on a sphere of the sample, and across its edge
POINT = (0.0, 1200.0, 1300.0)
LINE = ((1149.0, 1250.0), (1149.0, 1600.0))


class Tour:
    """One napari, and the pictures taken of it."""

    def __init__(self, pictures: Path, theme: str) -> None:
        self.viewer = napari.Viewer(show=True)
        self.viewer.theme = theme
        self.viewer.window.resize(*SIZE)
        self._pictures = pictures
        self._count = 0

    def picture(self, name: str) -> None:
        self._count += 1
        settle(1.0)
        path = self._pictures / f"{self._count:02d}_{name}.png"
        shoot(self.viewer, path)
        print(path.name, flush=True)

    def one_image(self, upscale: Any) -> None:
        """Real noise: an image recorded fast, and slowly for the true answer."""
        # docks are put in order a moment after they were opened
        settle()
        raise_dock(self.viewer, upscale)
        self.picture("docks")
        upscale.open_sample(sample_data.open_tin)
        upscale.choose_model(MODEL)
        upscale.set_output(Path("tin_sr.zarr"))
        wait_for(lambda: upscale.outlook.foreseen is not None)
        self.picture("sample")
        upscale.preview_button.click()
        wait_for(lambda: not upscale._work.running)
        self.picture("preview")
        upscale.start_button.click()
        wait_for(lambda: not upscale._work.running)
        self.picture("done")

    def turn(self) -> None:
        """Look at volumes from above one corner."""
        self.viewer.reset_view()
        self.viewer.scene.camera.angles = (10.0, 30.0, 120.0)
        self.viewer.scene.camera.zoom *= 0.85

    def compare(self, tab: Any) -> None:
        tab.start_button.click()
        wait_for(lambda: "difference" in tab.comparison.panes)
        self.picture("panes")
        self.viewer.scene.camera.zoom *= 3
        tab.on_screen.marks.point_at(POINT)
        tab.readout.show_at(POINT)
        tab.on_screen.grid_box.setChecked(True)
        self.picture("zoomed")
        tab.on_screen.grid_box.setChecked(False)
        self.viewer.reset_view()
        for mode in ("curtain", "blink", "overlay"):
            tab.modes.buttons[mode].click()
            self.picture(mode)
        tab.modes.buttons["side by side"].click()
        wait_for(lambda: "difference" in tab.comparison.panes)

    def measure(self, tab: Any) -> None:
        self.viewer.scene.camera.zoom *= 2
        tab.profile.set_line(*LINE)
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
        self.finish_check(tab)
        self.picture("verdict")
        compare = inspect.pages["Compare"]
        inspect.tabs.setCurrentIndex(0)
        self.viewer.reset_view()
        compare.on_screen.ring_box.setChecked(True)
        compare.evidence.box.setCurrentText("trust")
        compare.evidence.show_map()
        wait_for(lambda: "evidence" in compare.comparison.panes)
        self.picture("trust_mask")
        compare.remove_button.click()

    def a_stack(self, upscale: Any, inspect: Any) -> None:
        """Slices in a row: a run that is watched and checked as it goes, cuts, and volumes."""
        self.viewer.layers.clear()
        raise_dock(self.viewer, upscale)
        upscale.open_sample()
        upscale.choose_model(MODEL)
        upscale.set_output(Path("medulla_sr.zarr"))
        upscale.check_box.setChecked(True)
        self.viewer.reset_view()
        upscale.start_button.click()
        wait_for(lambda: upscale.runs.eta.done >= 4)
        # a slice that is there
        self.viewer.dims.set_current_step(0, 1)
        self.viewer.layers[-1].visible = True
        self.picture("running")
        wait_for(lambda: not upscale._work.running)
        upscale.check_box.setChecked(False)
        raise_dock(self.viewer, inspect)
        inspect.tabs.setCurrentIndex(0)
        tab = inspect.pages["Compare"]
        tab.start_button.click()
        wait_for(lambda: "difference" in tab.comparison.panes)
        tab.views.buttons["xz"].click()
        self.picture("cut")
        tab.views.buttons["3D"].click()
        wait_for(lambda: tab.comparison.view == "3D" and not tab.views.work.running)
        self.turn()
        self.picture("volumes")
        inspect.tabs.setCurrentIndex(1)
        self.finish_check(inspect.pages["Answer check"])
        inspect.tabs.setCurrentIndex(0)
        tab.views.trusted_box.setChecked(True)
        wait_for(lambda: not tab.views.work.running)
        self.turn()
        self.picture("trusted_volume")
        tab.remove_button.click()

    def finish_check(self, tab: Any) -> None:
        tab.start_button.click()
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
        wait_for(lambda: upscale._stack is not None and upscale._stack.name == "mine")
        upscale.choose_model(STRANGER)
        upscale.slices_box.setCurrentText(SOME)
        upscale.first_slice.setValue(0)
        upscale.last_slice.setValue(SLICES - 1)
        upscale.set_output(folder / "mine_sr.zarr")
        self.viewer.reset_view()
        wait_for(lambda: not (upscale.outlook._work.running or upscale.outlook._samples.running))
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
        inspect.tabs.setCurrentWidget(inspect.pages["Blind test"])
        inspect.pages["Blind test"].start_button.click()
        self.picture("blind_test")
        inspect.tabs.setCurrentIndex(0)
        tab.remove_button.click()
        self.picture("as_before")


def main() -> None:
    asked = sys.argv[1:]
    pictures = Path(asked[0]).resolve() if asked else PICTURES
    pictures.mkdir(parents=True, exist_ok=True)
    for old in pictures.glob("*.png"):
        old.unlink()
    home = Path.cwd()
    with tempfile.TemporaryDirectory() as name:
        os.chdir(name)
        try:
            tour = Tour(pictures, asked[1] if len(asked) > 1 else "dark")
            upscale, inspect = open_docks(tour.viewer)
            tour.one_image(upscale)
            raise_dock(tour.viewer, inspect)
            compare = inspect.pages["Compare"]
            tour.compare(compare)
            tour.measure(compare)
            tour.check(inspect)
            tour.a_stack(upscale, inspect)
            tour.without_hr(upscale, inspect, Path())
            tour.end(inspect, Path())
            tour.viewer.close()
        finally:
            os.chdir(home)


if __name__ == "__main__":
    main()
