"""×4 and ×8: which particles are still found, by diameter, and where the Nyquist limit of LR lies."""

from collections.abc import Generator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
from matplotlib.axes import Axes
from pydantic import BaseModel, ConfigDict

from napari_sem_sr.events import Event, Progress
from napari_sem_sr.measure.particles import Particles, Segmentation, detect, match
from napari_sem_sr.model.bicubic import upscale_bicubic
from napari_sem_sr.model.bundle import Model
from napari_sem_sr.model.card_parts import Architecture
from napari_sem_sr.samples.truth import Simulated
from napari_sem_sr.study.folder import Row, StudyFolder
from napari_sem_sr.study.grid import GridPicture, write_grid
from napari_sem_sr.study.images import Images, simulated_images
from napari_sem_sr.study.models import iter_model, upscaled
from napari_sem_sr.study.page import Page, StudyPlot, StudyResult, write_page
from napari_sem_sr.study.plots import BICUBIC, COLOURS, svg
from napari_sem_sr.training.settings import TrainSettings
from napari_sem_sr.training.validation.evaluation import pair_of

STUDY = "factor"
SHOWN_PX = 160
# Bounds of the classes of diameter, in nm: a factor of about 1.3 each.
CLASSES_NM = (15.0, 20.0, 26.0, 34.0, 44.0, 58.0, 76.0, 100.0, 130.0, 170.0, 220.0)
# Where particles begin, between the ground's median (0) and the threshold of Otsu (1): small ones are dim.
DIM = 0.5
# Particles hidden by others are not asked for.
LEAST_VISIBLE = 0.8
# A recall of this share counts as reliable.
RELIABLE = 0.8
PICTURES = ("hr", "bicubic", "twin", "gan")
LABELS = {"hr": "HR", "bicubic": "bicubic", "twin": "twin", "gan": "SRGAN"}
STYLE = {
    "hr": ("#000000", ":"),
    "bicubic": (BICUBIC, "--"),
    "twin": (COLOURS[0], "-"),
    "gan": (COLOURS[1], "-"),
}

Factor = Literal[4, 8]
Grey = npt.NDArray[Any]


class FactorPlan(BaseModel):
    """What the study does.

    Parameters
    ----------
    factors
        Upscale factors to compare.
    teachers, teacher_px
        Simulated specimens to teach with, and sides of their square images.
    held_out, held_out_px
        Specimens looked at during training and as many others searched for particles.
    settings
        Recipe and budget of each model; the factor is replaced, and the LR patch with it.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")
    factors: tuple[Factor, ...] = (4, 8)
    teachers: int = 100
    teacher_px: int = 512
    held_out: int = 24
    held_out_px: int = 512
    settings: TrainSettings = TrainSettings(epochs=40)

    def settings_for(self, factor: Factor) -> TrainSettings:
        """Return the recipe for ``factor``; patches keep their size in HR."""
        patch = self.settings.patch_lr_px * self.settings.factor // factor
        return self.settings.model_copy(update={"factor": factor, "patch_lr_px": patch})


QUICK = FactorPlan(
    teachers=24,
    teacher_px=384,
    held_out=8,
    settings=TrainSettings(
        epochs=16,
        gan_share=0.25,
        batch=4,
        gan_batch=4,
        architecture=Architecture(channels=32, blocks=4, tail_channels=16),
    ),
)


def iter_factor(out: Path, plan: FactorPlan) -> Generator[Event, None, StudyResult]:
    """Train a model for each factor, look for the particles of unseen specimens, write the result to ``out``.

    Parameters
    ----------
    out
        Folder for models, CSV, plots, pictures and ``study.html``; finished trainings in it are kept.
    plan
        How many teachers, how long.

    Returns
    -------
    Findings, and the rows of ``recall.csv``.

    Raises
    ------
    OutputError, TrainingError
    """
    folder = StudyFolder.open(out, STUDY, plan)
    images = simulated_images(
        "tin", plan.teachers, plan.held_out, plan.teacher_px, plan.held_out_px
    )
    models: dict[Factor, Model] = {}
    for factor in plan.factors:
        models[factor] = yield from iter_model(
            folder, f"tin-x{factor}", images.split(), plan.settings_for(factor)
        )
    rows: list[Row] = []
    for factor, model in models.items():
        rows += yield from _iter_recall(factor, model, images)
    folder.write_csv("recall.csv", rows)
    folder.write_csv("factor.csv", [_summary(f, models[f], rows) for f in models])
    _draw_grid(folder, models, images)
    return write_page(folder, _page(plan, images, models, rows), rows)


def _iter_recall(factor: Factor, model: Model, images: Images) -> Generator[Event, None, list[Row]]:
    """Search every picture of every test specimen."""
    wanted = np.zeros(len(CLASSES_NM) - 1, int)
    hits = {which: np.zeros(len(CLASSES_NM) - 1, int) for which in PICTURES}
    total = len(images.truth)
    for number, (teacher, truth) in enumerate(zip(images.test, images.truth, strict=True)):
        yield Progress(f"looking for particles, ×{factor}", number, total, "images")
        pair = pair_of(teacher, factor)
        pictures: dict[str, Grey] = {"hr": pair.hr, "bicubic": upscale_bicubic(pair.lr, factor)}
        pictures |= {"twin": upscaled(model, "twin", pair), "gan": upscaled(model, "gan", pair)}
        segmentation = particle_segmentation(pair.hr)
        everything = as_particles(truth)
        sizes = np.digitize(everything.diameters, CLASSES_NM) - 1
        inside = (sizes >= 0) & (sizes < len(wanted))
        inside &= truth.particles.visible >= LEAST_VISIBLE
        wanted += np.bincount(sizes[inside], minlength=len(wanted))
        for which, picture in pictures.items():
            found = detect(picture, truth.pixel_nm, segmentation=segmentation)
            hit = np.zeros(len(everything), bool)
            hit[match(everything, found).pairs[:, 0]] = True
            hits[which] += np.bincount(sizes[hit & inside], minlength=len(wanted))
            yield Progress(f"looking for particles, ×{factor}", number, total, "images")
    pixel = images.truth[0].pixel_nm
    return [
        {
            "factor": factor,
            "lr_pixel_nm": factor * pixel,
            "nyquist_nm": nyquist_nm(factor, pixel),
            "diameter_from_nm": CLASSES_NM[c],
            "diameter_to_nm": CLASSES_NM[c + 1],
            "particles": int(n),
            **{f"recall_{which}": float(hits[which][c] / n) if n else None for which in PICTURES},
        }
        for c, n in enumerate(wanted)
    ]


def particle_segmentation(hr: Grey) -> Segmentation:
    """Return the segmentation for all pictures of one field: Otsu's of HR, its threshold lowered for dim particles.

    Parameters
    ----------
    hr
        ``(y, x)``, the field that the threshold is found on.
    """
    otsu = Segmentation.of(hr, "bright")
    ground = float(np.median(hr[hr < otsu.threshold]))
    return replace(otsu, threshold=ground + DIM * (otsu.threshold - ground))


def as_particles(truth: Simulated) -> Particles:
    """All simulated particles, hidden ones too, as the answer check tells of particles.

    Parameters
    ----------
    truth
        What was simulated, with the place and size of each particle.
    """
    p = truth.particles
    centres = np.column_stack([p.y_nm, p.x_nm]) / truth.pixel_nm
    labels = np.zeros(truth.image.shape, np.int32)
    return Particles(centres, p.diameter_nm, 1 / truth.pixel_nm, labels)


def nyquist_nm(factor: int, pixel_nm: float) -> float:
    """Shortest period that LR holds, in nm: two LR pixels.

    Parameters
    ----------
    factor
        SR pixels per LR pixel.
    pixel_nm
        Side of an SR pixel in nm.
    """
    return 2 * factor * pixel_nm


def smallest_reliable_nm(rows: Sequence[Row], which: str) -> float | None:
    """Lower bound of the smallest class from which on recall stays reliable; None if there is none.

    Parameters
    ----------
    rows
        Rows of ``recall.csv`` of one factor.
    which
        ``"hr"``, ``"bicubic"``, ``"twin"`` or ``"gan"``: compared with what is found in HR, as nobody can
        ask for more.
    """
    smallest = None
    for row in reversed(rows):
        if not row["recall_hr"]:
            continue
        if row[f"recall_{which}"] < RELIABLE * row["recall_hr"]:
            break
        smallest = row["diameter_from_nm"]
    return smallest


def _summary(factor: Factor, model: Model, rows: Sequence[Row]) -> Row:
    own = [r for r in rows if r["factor"] == factor]
    return {
        "factor": factor,
        "lr_pixel_nm": own[0]["lr_pixel_nm"],
        "nyquist_nm": own[0]["nyquist_nm"],
        **{f"smallest_reliable_{w}_nm": smallest_reliable_nm(own, w) for w in PICTURES[1:]},
        "twin_gain_db": model.card.gain("twin"),
        "gan_gain_db": model.card.gain("gan"),
    }


def _draw_grid(folder: StudyFolder, models: Mapping[Factor, Model], images: Images) -> None:
    rows = []
    for factor, model in models.items():
        pair = pair_of(images.test[0], factor)
        rows.append(
            [
                GridPicture(f"LR for ×{factor}", pair.lr),
                GridPicture("bicubic", upscale_bicubic(pair.lr, factor)),
                GridPicture("twin", upscaled(model, "twin", pair), synthetic=True),
                GridPicture("SRGAN", upscaled(model, "gan", pair), synthetic=True),
                GridPicture("HR", pair.hr),
            ]
        )
    write_grid(folder.path / "grid.png", rows, images.test[0].pixel_nm, SHOWN_PX)


def _page(
    plan: FactorPlan, images: Images, models: Mapping[Factor, Model], rows: Sequence[Row]
) -> Page:
    pixel = images.truth[0].pixel_nm
    by_factor = {f: [r for r in rows if r["factor"] == f] for f in models}
    count = sum(r["particles"] for r in by_factor[plan.factors[0]])
    return Page(
        title="How far: ×4 or ×8",
        question=f"{images.material}, HR pixels of {pixel:g} nm. Which particles are still found, by their diameter?",
        finding=[_finding(f, by_factor[f]) for f in models],
        plots=[_recall_plot(f, by_factor[f]) for f in models],
        grids=[("grid.png", "One part of a specimen never trained on, for each factor.")],
        table=[_shown(r) for r in rows],
        method=[
            f"{plan.teachers} specimens to teach with; {count} particles on {len(images.truth)} other specimens to look "
            f"for, those that are to at least {LEAST_VISIBLE:.0%} not hidden by others.",
            "Particles are looked for in every picture as the answer check does, under one segmentation taken from HR, its "
            "threshold lowered half-way to the ground as small particles are dim, and matched with the simulated truth by "
            "place and size. What is not found in HR either is the search's loss, not the model's.",
            f"The limit of a factor is where recall falls under {RELIABLE:.0%} of that in HR.",
            "Nyquist line: two LR pixels, the shortest period that LR holds.",
        ],
        limits=[
            "A particle that is found may still have been drawn in the wrong shape.",
            "Where particles touch, parting them is part of the search, and of its errors.",
            "Simulated images; LR is made by area averaging, without noise of its own.",
        ],
        files=[
            ("recall.csv", "recall by factor and class of diameter"),
            ("factor.csv", "the limit of each factor"),
            ("models/", "the models, as any other model of this program"),
        ],
    )


def _finding(factor: int, rows: Sequence[Row]) -> str:
    limits = {w: smallest_reliable_nm(rows, w) for w in ("bicubic", "twin", "gan")}
    named = ", ".join(
        f"{LABELS[w]} {'none' if v is None else f'from {v:g} nm'}" for w, v in limits.items()
    )
    nyquist = rows[0]["nyquist_nm"]
    below = [r for r in rows if r["diameter_to_nm"] <= nyquist and r["particles"]]
    total = sum(r["particles"] for r in below)
    kept = sum(r["recall_gan"] * r["particles"] for r in below)
    lost = (
        f" Of the {total} particles below the Nyquist line of {nyquist:g} nm the SRGAN shows {kept / total:.0%}."
        if total
        else ""
    )
    return f"×{factor} finds particles reliably: {named}.{lost}"


def _recall_plot(factor: int, rows: Sequence[Row]) -> StudyPlot:
    used = [r for r in rows if r["particles"]]
    middle = [np.sqrt(r["diameter_from_nm"] * r["diameter_to_nm"]) for r in used]

    def draw(axes: Axes) -> None:
        for which in PICTURES:
            colour, line = STYLE[which]
            recall = [r[f"recall_{which}"] for r in used]
            axes.plot(middle, recall, line, marker=".", color=colour, label=LABELS[which])
        axes.axvline(rows[0]["nyquist_nm"], color="#444444", linewidth=1, label="Nyquist of LR")
        ticks = [20, 40, 80, 160]
        axes.set(
            xscale="log", xlabel="diameter (nm)", ylabel="recall", ylim=(0, 1.02), xticks=ticks
        )
        axes.set_xticklabels([str(t) for t in ticks])
        axes.minorticks_off()
        axes.legend(frameon=False, fontsize=9)

    note = f"LR pixels of {rows[0]['lr_pixel_nm']:g} nm; the line is at two of them."
    return StudyPlot(
        f"recall_x{factor}", f"×{factor}: particles found, by diameter", svg(draw), note
    )


def _shown(row: Row) -> dict[str, str]:
    return {
        "factor": f"×{row['factor']}",
        "diameter (nm)": f"{row['diameter_from_nm']:g} to {row['diameter_to_nm']:g}",
        "particles": f"{row['particles']}",
        **{
            f"{LABELS[w]}": "–" if row[f"recall_{w}"] is None else f"{row[f'recall_{w}']:.0%}"
            for w in PICTURES
        },
    }
