"""How many teachers, and how many epochs: PSNR and SSIM on images of specimens never trained on."""

from collections.abc import Generator, Mapping, Sequence
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from pydantic import BaseModel, ConfigDict

from napari_sem_sr.events import Event
from napari_sem_sr.model.bicubic import upscale_bicubic
from napari_sem_sr.model.bundle import Model
from napari_sem_sr.study.folder import Row, StudyFolder
from napari_sem_sr.study.grid import GridPicture, write_grid
from napari_sem_sr.study.images import Images, real_images, simulated_images
from napari_sem_sr.study.models import Which, iter_model, upscaled
from napari_sem_sr.study.page import Page, StudyPlot, StudyResult, write_page
from napari_sem_sr.study.plots import BICUBIC, COLOURS, svg
from napari_sem_sr.training.settings import TrainSettings
from napari_sem_sr.training.validation.evaluation import pair_of
from napari_sem_sr.training.validation.overfitting import Verdict, judge

STUDY = "teachers"
SHOWN_PX = 160
CURVE = ("psnr", "ssim", "bicubic_psnr", "bicubic_ssim", "train_psnr", "train_bicubic_psnr")
# The network of a real training, but teachers so small that a single one has little to teach: at 256 x 256 pixels it
# was not learned by heart in 500 epochs. In small batches, so that those epochs are some 2000 steps.
RECIPE = TrainSettings(epochs=1, gan_share=0.25, batch=1, gan_batch=1, patch_lr_px=12)


class TeachersPlan(BaseModel):
    """What the study does.

    Parameters
    ----------
    epochs
        Epochs by number of teachers.
    teacher_px, held_out_px
        Sides of the square images.
    held_out
        Images looked at during training, and as many others tested on at the end.
    settings
        Recipe; its budget is replaced.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")
    epochs: dict[int, int] = {1: 500, 3: 300, 10: 150, 30: 60, 100: 25, 1000: 5}
    teacher_px: int = 96
    held_out: int = 8
    held_out_px: int = 512
    settings: TrainSettings = RECIPE

    def settings_for(self, count: int) -> TrainSettings:
        """Return the recipe with the budget for ``count`` teachers."""
        return self.settings.model_copy(update={"epochs": self.epochs[count], "minutes": None})


# As many steps for each number of teachers.
QUICK = TeachersPlan(epochs={1: 500, 3: 170, 10: 50, 30: 17, 100: 5}, held_out=4, held_out_px=256)


def iter_teachers(
    out: Path, plan: TeachersPlan, sources: Sequence[Path] = ()
) -> Generator[Event, None, StudyResult]:
    """Train with more and more teachers and write what came of it to ``out``.

    Parameters
    ----------
    out
        Folder for models, CSV, plots, pictures and ``study.html``; finished trainings in it are kept.
    plan
        How many teachers, how long.
    sources
        Files and folders of real teacher images; simulated tin spheres where there are none. Numbers
        of teachers that they do not reach are left out.

    Returns
    -------
    Findings, and the rows of ``teachers.csv``.

    Raises
    ------
    InputError, OutputError, TrainingError
    """
    folder = StudyFolder.open(out, STUDY, plan, sources)
    images = _images(plan, sources)
    models = {}
    for count in sorted(c for c in plan.epochs if c <= len(images.train)):
        models[count] = yield from iter_model(
            folder, f"teachers-{count:04d}", images.split(count), plan.settings_for(count)
        )
    rows = [_row(count, model) for count, model in models.items()]
    folder.write_csv("teachers.csv", rows)
    folder.write_csv("curves.csv", [p for c, m in models.items() for p in _curve(c, m)])
    _draw_grid(folder, models, images)
    return write_page(folder, _page(plan, images, rows, models), rows)


def _images(plan: TeachersPlan, sources: Sequence[Path]) -> Images:
    if sources:
        return real_images(sources, plan.held_out, plan.held_out_px, plan.teacher_px)
    most = max(plan.epochs)
    return simulated_images("tin", most, plan.held_out, plan.teacher_px, plan.held_out_px)


def verdict_of(model: Model) -> Verdict:
    """What the curve of a model says about overfitting.

    Parameters
    ----------
    model
        A trained one, whose card holds its curve.
    """
    return judge([p.model_dump() for p in model.card.training.curve], model.card.teachers.unit)


def _row(count: int, model: Model) -> Row:
    training, scores = model.card.training, model.card.scores
    verdict = verdict_of(model)
    means = {
        f"{which}_{score}": float(np.mean([getattr(s, f"{which}_{score}") for s in scores]))
        for which in ("bicubic", "twin", "gan")
        for score in ("psnr", "ssim")
    }
    return {
        "teachers": count,
        "twin_epochs": training.epochs["twin"],
        "gan_epochs": training.epochs["gan"],
        "steps": sum(training.steps.values()),
        "seconds": training.seconds,
        **means,
        "overfitted": verdict.since_epoch is not None,
        "overfitted_stage": verdict.stage,
        "overfitted_since_epoch": verdict.since_epoch,
        "verdict": verdict.sentence,
    }


def _curve(count: int, model: Model) -> list[Row]:
    return [
        {
            "teachers": count,
            "stage": p.stage,
            "epoch": p.epoch,
            "step": p.step,
            **{name: p.scores[name] for name in CURVE},
        }
        for p in model.card.training.curve
    ]


def _draw_grid(folder: StudyFolder, models: Mapping[int, Model], images: Images) -> None:
    factor = next(iter(models.values())).card.factor
    rows = []
    networks: tuple[tuple[Which, str], ...] = (("twin", "twin"), ("gan", "SRGAN"))
    for which, label in networks:
        pair = pair_of(images.test[0], factor)
        tiles = [
            GridPicture("LR", pair.lr),
            GridPicture("bicubic", upscale_bicubic(pair.lr, factor)),
        ]
        for count, model in models.items():
            title = f"{label}, {count} teacher{'s' if count != 1 else ''}"
            tiles.append(GridPicture(title, upscaled(model, which, pair), synthetic=True))
        rows.append([*tiles, GridPicture("HR", pair.hr)])
    write_grid(folder.path / "grid.png", rows, images.test[0].pixel_nm, SHOWN_PX)


def _page(
    plan: TeachersPlan, images: Images, rows: Sequence[Row], models: Mapping[int, Model]
) -> Page:
    best, one = rows[-1], rows[0]
    gains = {r["teachers"]: r["twin_psnr"] - r["bicubic_psnr"] for r in rows}
    finding = [
        f"On specimens never trained on, the twin gains {gains[one['teachers']]:+.2f} dB over bicubic with "
        f"{_teachers(one['teachers'])} and {gains[best['teachers']]:+.2f} dB with {best['teachers']}.",
        *(
            f"{_teachers(r['teachers']).capitalize()}: {r['verdict']}"
            for r in rows
            if r["overfitted"] or r is one
        ),
    ]
    return Page(
        title="How many teachers, and how many epochs",
        question=f"{images.material}, ×{plan.settings.factor}. Every score is of specimens that no model was trained on.",
        finding=finding,
        plots=[
            _by_teachers(rows, "psnr", "PSNR (dB)"),
            _by_teachers(rows, "ssim", "SSIM"),
            _by_epoch(models),
            _gap(models),
        ],
        grids=[
            (
                "grid.png",
                "One part of a held-out image, by the twins (above) and by the SRGANs (below). The eye does not tell "
                "how many teachers a picture took; the scores do.",
            )
        ],
        table=[_shown(r) for r in rows],
        method=[
            f"Teachers of {plan.teacher_px} × {plan.teacher_px} pixels, one per specimen for simulated ones; models with "
            "more teachers know all those of the models with fewer.",
            f"{len(images.calibration)} images of other specimens are looked at during training (the curves), "
            f"{len(images.test)} of yet others only at the end (the table).",
            "LR is made of HR by area averaging. An epoch shows every teacher's share of patches once, so an epoch with "
            "100 teachers has 100 times the steps of one with a single teacher: fewer epochs are not less work.",
            "The twin that is kept is the best one on the images looked at, so an overfitted twin is not the one in the "
            "pictures; the verdict is about the curve.",
            f"Network: {plan.settings.architecture.channels} channels, {plan.settings.architecture.blocks} blocks; "
            f"seed {plan.settings.seed}.",
        ],
        limits=[
            "One seed per number of teachers; differences of a few hundredths of a decibel are chance.",
            "Larger networks overfit sooner, larger teachers later.",
            *(
                ["Simulated images are cleaner and more alike than real ones."]
                if images.truth
                else []
            ),
        ],
        files=[
            ("teachers.csv", "one row per number of teachers"),
            ("curves.csv", "scores during training"),
            ("models/", "the models, as any other model of this program"),
        ],
    )


def _teachers(count: int) -> str:
    return "one teacher" if count == 1 else f"{count} teachers"


def _shown(row: Row) -> dict[str, str]:
    return {
        "teachers": f"{row['teachers']}",
        "epochs": f"{row['twin_epochs']} + {row['gan_epochs']}",
        "steps": f"{row['steps']}",
        "minutes": f"{row['seconds'] / 60:.1f}",
        "bicubic (dB)": f"{row['bicubic_psnr']:.2f}",
        "twin (dB)": f"{row['twin_psnr']:.2f}",
        "SRGAN (dB)": f"{row['gan_psnr']:.2f}",
        "bicubic SSIM": f"{row['bicubic_ssim']:.3f}",
        "twin SSIM": f"{row['twin_ssim']:.3f}",
        "SRGAN SSIM": f"{row['gan_ssim']:.3f}",
        "verdict": row["verdict"],
    }


def _by_teachers(rows: Sequence[Row], score: str, label: str) -> StudyPlot:
    count = [r["teachers"] for r in rows]

    def draw(axes: Axes) -> None:
        for which, name, colour in (("twin", "twin", COLOURS[0]), ("gan", "SRGAN", COLOURS[1])):
            axes.plot(count, [r[f"{which}_{score}"] for r in rows], "o-", color=colour, label=name)
        axes.axhline(rows[0][f"bicubic_{score}"], color=BICUBIC, linestyle="--", label="bicubic")
        axes.set(xscale="log", xlabel="teachers", ylabel=label, xticks=count)
        axes.set_xticklabels([str(c) for c in count])
        axes.minorticks_off()
        axes.legend(frameon=False, fontsize=9)

    title = f"{label.split(maxsplit=1)[0]} by number of teachers"
    return StudyPlot(
        f"{score}_by_teachers", title, svg(draw), "Whole test images, at the end of training."
    )


def _by_epoch(models: Mapping[int, Model]) -> StudyPlot:
    def draw(axes: Axes) -> None:
        for (count, model), colour in zip(models.items(), COLOURS, strict=False):
            training = model.card.training
            points = [p for p in training.curve if p.stage == "twin"]
            # parts of epochs: with many teachers there is much to see within one
            epochs_per_step = training.epochs["twin"] / training.steps["twin"]
            axes.plot(
                [p.step * epochs_per_step for p in points],
                [p.scores["psnr"] for p in points],
                ".-",
                color=colour,
                label=_teachers(count),
            )
        axes.set(xscale="log", xlabel="epochs", ylabel="PSNR (dB)")
        axes.legend(frameon=False, fontsize=9, loc="center left", bbox_to_anchor=(1.0, 0.5))

    note = (
        "The twin, on images looked at during training. With more teachers fewer epochs are needed."
    )
    return StudyPlot("psnr_by_epoch", "PSNR by epochs", svg(draw), note)


def _gap(models: Mapping[int, Model]) -> StudyPlot:
    def gap(scores: Mapping[str, float]) -> float:
        known = scores["train_psnr"] - scores["train_bicubic_psnr"]
        return known - (scores["psnr"] - scores["bicubic_psnr"])

    def draw(axes: Axes) -> None:
        for (count, model), colour in zip(models.items(), COLOURS, strict=False):
            curve = model.card.training.curve
            before = max(p.step for p in curve if p.stage == "twin")
            steps = [p.step + (before if p.stage == "gan" else 0) for p in curve]
            axes.plot(
                steps, [gap(p.scores) for p in curve], ".-", color=colour, label=_teachers(count)
            )
        axes.axhline(0, color="#444444", linewidth=0.8)
        axes.set(xlabel="steps (twin, then SRGAN)", ylabel="gap in gain (dB)")
        axes.legend(frameon=False, fontsize=9)

    note = "Gain over bicubic on images trained on, less that on images never seen: what is known by heart."
    return StudyPlot("gap_by_step", "Known less unseen", svg(draw), note)
