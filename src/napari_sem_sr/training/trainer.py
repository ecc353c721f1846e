"""From teachers to a model: one training run or several, their scores, and the bundle."""

import shutil
import time
from collections.abc import Generator, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

from lightning_fabric import Fabric

from napari_sem_sr.errors import ModelError, OutputError, SemSrError, TrainingError
from napari_sem_sr.events import CheckpointSaved, Event, Judged, Notice, drain
from napari_sem_sr.inference.engine.devices import pick_device
from napari_sem_sr.io.lock import locked
from napari_sem_sr.model.bundle import Model, load_bundle
from napari_sem_sr.model.checkpoint import Checkpoint, load_checkpoint, save_checkpoint
from napari_sem_sr.model.parts import CARD, SUFFIX, parse_card, read_parts
from napari_sem_sr.model.zoo import check_name, user_folder
from napari_sem_sr.stack import SemStack
from napari_sem_sr.teachers.teacher import Split, Teacher
from napari_sem_sr.training.budget import Around
from napari_sem_sr.training.data.patch_sampler import check_teacher
from napari_sem_sr.training.data.preparation import everyone, iter_training_data
from napari_sem_sr.training.finish.finish import FINISHING_SHARE, iter_finish
from napari_sem_sr.training.finish.outcome import Outcome
from napari_sem_sr.training.loop.fold import Fold
from napari_sem_sr.training.loop.leave_one_group_out import (
    SHIPPED_SHARE,
    fold_of_all,
    keep_outcome,
    kept_outcome,
    leave_one_group_out_folds,
    unjudged,
)
from napari_sem_sr.training.loop.training_run import TrainingRun
from napari_sem_sr.training.loop.unfinished import CHECKPOINT, keep_teachers, training_folder
from napari_sem_sr.training.optimise.memory import freed_memory_kept
from napari_sem_sr.training.optimise.precision import fabric_for, pick_precision
from napari_sem_sr.training.optimise.start import Start, bundled_start, settings_for
from napari_sem_sr.training.settings import TrainSettings
from napari_sem_sr.training.validation.overfitting import judge, worst


def iter_train(
    teachers: Sequence[Teacher],
    settings: TrainSettings,
    out: Path,
    *,
    lr: SemStack | None = None,
    pixel_nm: float | None = None,
    name: str | None = None,
    split: Split | None = None,
    start: Model | Literal["bundled"] | None = None,
    licence: str = "unpublished",
    credits: Sequence[str] = (),
    resume: bool = False,
    watched: bool = False,
    began: float | None = None,
) -> Generator[Event, None, Model]:
    """Train a model and write its bundle to ``out``; see `train` for parameters.

    Yields an event for every step, and with ``watched`` a picture of one patch every few seconds; closing the
    generator leaves a checkpoint from which ``resume`` continues exactly (on the CPU bit for bit, with a
    budget in epochs). A budget in minutes runs from ``began`` on the monotonic clock, now by default.

    Parameters
    ----------
    teachers, settings, lr, pixel_nm, name, split, start, licence, credits
        As for `train`.
    """
    with locked(out):
        began = time.monotonic() if began is None else began
        if isinstance(start, Model):
            settings = settings_for(start, settings)
        folder = training_folder(out)
        finished = resume and out.exists() and not _is_unscored(out, folder)
        if not finished:
            _check_target(out, folder, resume=resume)
        device = pick_device(settings.device)
        precision = pick_precision(settings.precision, device, settings.devices)
        data = yield from iter_training_data(
            teachers, settings, lr=lr, pixel_nm=pixel_nm, split=split
        )
        split, settings = data.split, data.settings
        if start == "bundled":
            start, settings = bundled_start(settings)
            if start is not None:
                yield Notice(
                    f"Starting from '{start.card.name}': both networks, under the conditions learned for."
                )
        if finished:
            yield Notice(f"The training of '{out}' is finished already.")
            return _finished(out, split)
        fabric = fabric_for(device, settings.devices, precision)
        taught = everyone(split)
        fixed = {
            "settings": settings.model_dump(mode="json"),
            "start": start.content_hash if start else None,
            "teachers": [t.content_hash for t in taught],
        }
        found = _checkpoint_of(folder, fixed) if resume else None
        for teacher in split.train:
            check_teacher(teacher, settings.patch_lr_px * settings.factor)
        _make_folder(folder)
        if found is None:
            keep_teachers(folder, taught)
        if split.unit != "specimen":
            yield Notice(
                f"Only one specimen: scores are measured on a held-out {split.unit}, which is not independent."
            )
        # what resuming finds spent already is in the checkpoint
        lost = time.monotonic() - began if found is None else 0.0
        session = _Session(settings, fabric, folder, fixed, found, start, lost, watched=watched)
        left_out: dict[str, Outcome] = {}
        if data.leave_one_group_out:
            folds = leave_one_group_out_folds(taught)
            spent = (
                f"{SHIPPED_SHARE:.0%} of the time" if settings.minutes else "as many epochs again"
            )
            yield Notice(
                f"Only {len(folds)} specimens: each is left out once to be tested on, and the model that ships learns "
                f"from all of them, in {spent}."
            )
            for number, (group, fold) in enumerate(folds.items()):
                left_out[group] = yield from session.iter_fold(
                    number, fold, len(folds) - number - 1
                )
            fold = fold_of_all(taught, list(left_out.values()))
            outcome = yield from session.iter_fold(len(folds), fold, 0)
        else:
            fold = Fold(split.train, split.calibration or split.test, split.unit)
            outcome = yield from session.iter_fold(0, fold, 0)
        verdict = worst(
            [judge(o.progress.curve, split.unit) for o in (left_out.values() or [outcome])],
            list(left_out),
        )
        if left_out:
            verdict = verdict.with_limit(unjudged(outcome, list(left_out.values())))
        yield Judged(verdict.sentence, verdict.sound, verdict.since_epoch)
        try:
            model = yield from iter_finish(
                split=split,
                settings=settings,
                outcome=outcome,
                left_out=left_out,
                verdict=verdict,
                device=fabric.device,
                precision=precision,
                start=start,
                out=out,
                name=name or out.name.removesuffix(".semsr"),
                licence=licence,
                credits=credits,
            )
        except SemSrError:
            raise
        except Exception as error:  # whatever scoring meets must not cost what was learned
            raise TrainingError(
                f"The networks are trained but could not be scored ({error or type(error).__name__}); '{out}' can be used "
                "without scores, and --resume scores it again."
            ) from error
        shutil.rmtree(folder)
        return model


class _Session:
    """Runs the folds of one training one after the other, keeping what each needs to be resumed."""

    def __init__(
        self,
        settings: TrainSettings,
        fabric: Fabric,
        folder: Path,
        fixed: Mapping[str, Any],
        found: Checkpoint | None,
        start: Model | None,
        lost: float,
        *,
        watched: bool,
    ) -> None:
        self._settings = settings
        self._fabric = fabric
        self._folder = folder
        self._fixed = fixed
        self._found = found
        self._start = None if start is None else Start.of(start, settings)
        whole = 60 * (settings.minutes or 0.0)
        self._finishing_s = whole * FINISHING_SHARE
        self._seconds: float | None = None
        if settings.minutes is not None:
            self._seconds = max(0.02 * whole, whole - self._finishing_s - lost)
        self._spent = lost
        self._watched = watched

    def iter_fold(
        self, number: int, fold: Fold, turns_left: int
    ) -> Generator[Event, None, Outcome]:
        """Run fold ``number``, after which ``turns_left`` others and the one that ships follow."""
        done = self._folder / f"course-{number}.safetensors"
        if done.exists():
            outcome = kept_outcome(done)
            self._spent += outcome.progress.seconds
            return outcome

        def save(checkpoint: Checkpoint) -> CheckpointSaved:
            state = {**checkpoint.state, "fixed": self._fixed, "course": number}
            save_checkpoint(self._folder / CHECKPOINT, Checkpoint(checkpoint.tensors, state))
            return CheckpointSaved(self._folder / CHECKPOINT, checkpoint.state["step"])

        began = time.monotonic()
        run = TrainingRun(
            fold,
            self._settings,
            self._fabric,
            None if self._seconds is None else self._seconds * fold.share,
            save,
            self._start,
            watched=self._watched,
            around=Around(self._spent, self._times_after(fold, turns_left), self._finishing_s),
        )
        run.progress.spend("twin", time.monotonic() - began)
        if self._found is not None and self._found.state["course"] == number:
            yield from run.resume(self._found)
        with freed_memory_kept():
            outcome = yield from run.iter_run()
        if fold.share < 1:
            keep_outcome(done, outcome)
        self._spent += outcome.progress.seconds
        return outcome

    def _times_after(self, fold: Fold, turns_left: int) -> float:
        """How many times this fold's time the later ones take."""
        if fold.share == 1 or not fold.unseen:
            return 0.0
        shipped = 1.0 if self._seconds is None else SHIPPED_SHARE / fold.share
        return turns_left + shipped


def train(
    teachers: Sequence[Teacher],
    settings: TrainSettings,
    out: Path,
    *,
    lr: SemStack | None = None,
    pixel_nm: float | None = None,
    name: str | None = None,
    split: Split | None = None,
    start: Model | Literal["bundled"] | None = None,
    licence: str = "unpublished",
    credits: Sequence[str] = (),
    resume: bool = False,
) -> Model:
    """Train a model from teacher images and write its bundle.

    Parameters
    ----------
    teachers
        High-resolution images as they were read; LR is made from them unless it was measured.
    settings
        Budget, architecture and recipe; a factor or degradation not set in them is found.
    out
        Bundle folder, or ``.semsr`` file, to write.
    lr
        Stack that the model is for: teachers are brought to its pixel size over the factor, and degraded to look like it.
    pixel_nm
        Pixel size of the teachers, where files do not say it or are wrong.
    name
        Name on the card; the file name of ``out`` where None.
    split
        Who is trained on and who is held out; by specimen where None.
    start
        A model of the same factor and architecture to start from, twin and SRGAN, instead of from chance;
        ``"bundled"`` for the one that comes with the plugin, where there is one that fits.
    licence, credits
        For the card: under which terms the model may be used, and whose images it learned from.
    resume
        Continue an interrupted training of the same teachers and settings.

    Raises
    ------
    InputError, OutputError, TrainingError
    """
    return drain(
        iter_train(
            teachers,
            settings,
            out,
            lr=lr,
            pixel_nm=pixel_nm,
            name=name,
            split=split,
            start=start,
            licence=licence,
            credits=credits,
            resume=resume,
        )
    )


def _check_target(out: Path, folder: Path, *, resume: bool) -> None:
    if out.exists() and not _is_unscored(out, folder):
        raise OutputError(f"'{out}' exists; give another name for the model.")
    if out.absolute().parent == user_folder().absolute():
        check_name(out.name.removesuffix(SUFFIX))
    if (folder / CHECKPOINT).exists() and not resume:
        raise OutputError(
            f"An unfinished training is in '{folder}'; resume it, or remove that folder to start over."
        )


def _is_unscored(out: Path, folder: Path) -> bool:
    """Whether the model is there, and the training that it comes from ended before it was scored."""
    if not out.exists() or not (folder / CHECKPOINT).exists():
        return False
    try:
        return not parse_card(out, read_parts(out)[CARD]).scores
    except ModelError:  # somebody else's, and not to be written over
        return False


def _finished(out: Path, split: Split) -> Model:
    model = load_bundle(out)
    if model.card.teachers.hashes != [t.content_hash for t in split.train]:
        raise OutputError(
            f"'{out}' exists and was trained on other teachers; give another name for the model."
        )
    return model


def _make_folder(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(
            f"'{folder}' cannot be made ({error.strerror}); give a place that you may write to."
        ) from error


def _checkpoint_of(folder: Path, fixed: Mapping[str, Any]) -> Checkpoint | None:
    if not (folder / CHECKPOINT).exists():
        return None
    checkpoint = load_checkpoint(folder / CHECKPOINT)
    if checkpoint.state["fixed"] != fixed:
        raise TrainingError(
            f"The training in '{folder}' was started with different settings or teachers; "
            "resume with the same, or remove that folder to start over."
        )
    return checkpoint
