"""What an unfinished training keeps beside its checkpoint, so that anyone can go on with it later.

Teachers are kept as they were learned from (cropped, resampled, grouped by hand): a training can then be
resumed when their files have moved or their layers are closed. Nothing here loads torch.
"""

import json
import shutil
from collections.abc import Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np
import pydantic
from safetensors import SafetensorError, safe_open
from safetensors.numpy import load, save

from napari_sem_sr.errors import OutputError, TrainingError
from napari_sem_sr.io.atomic_write import atomic_write
from napari_sem_sr.model.sealed import sealed, unsealed
from napari_sem_sr.model.zoo import UNFINISHED
from napari_sem_sr.teachers.teacher import Teacher
from napari_sem_sr.training.settings import TrainSettings

CHECKPOINT = "checkpoint.safetensors"
TEACHERS = "teachers.safetensors"


@dataclass(frozen=True)
class Unfinished:
    """A training that can be resumed: where its model goes, with which settings, how far it is.

    ``done`` is the part of stage ``stage`` that is done, 0 to 1.

    Parameters
    ----------
    out
        Bundle that is to be written.
    settings
        Of the training.
    start
        Hash of the model that it was started from; None for chance.
    """

    out: Path
    settings: TrainSettings
    stage: str
    done: float
    start: str | None

    def described(self) -> str:
        """One sentence."""
        stage = {"twin": "twin", "gan": "SRGAN"}[self.stage]
        return f"The training of '{self.out.name}' is unfinished ({stage} stage, {self.done:.0%} done)."


def training_folder(out: Path) -> Path:
    """Folder beside the model in which an unfinished training is kept.

    Parameters
    ----------
    out
        Bundle that is to be written.
    """
    return out.with_name(f"{out.name}{UNFINISHED}")


def find_unfinished(folder: Path) -> list[Unfinished]:
    """Unfinished trainings whose models go to ``folder``, newest first; damaged ones are left out."""
    if not folder.is_dir():
        return []
    found = []
    for place in folder.iterdir():
        checkpoint = place / CHECKPOINT
        if not place.name.endswith(UNFINISHED) or not (place / TEACHERS).exists():
            continue
        try:
            with safe_open(checkpoint, framework="numpy") as file:
                state = json.loads(file.metadata()["state"])
            unfinished = Unfinished(
                out=place.with_name(place.name.removesuffix(UNFINISHED)),
                settings=TrainSettings.model_validate(state["fixed"]["settings"]),
                stage=state["stage"],
                done=float(state["done"]),
                start=state["fixed"]["start"],
            )
        except (
            OSError,
            SafetensorError,
            KeyError,
            TypeError,
            ValueError,
            pydantic.ValidationError,
        ):
            continue
        found.append((checkpoint.stat().st_mtime, unfinished))
    return [unfinished for _, unfinished in sorted(found, key=lambda f: f[0], reverse=True)]


def remove_unfinished(unfinished: Unfinished) -> None:
    """Remove all that is kept of it.

    Parameters
    ----------
    unfinished
        As it was found.
    """
    folder = training_folder(unfinished.out)
    try:
        shutil.rmtree(folder)
    except OSError as error:
        raise OutputError(f"'{folder}' cannot be removed ({error.strerror}).") from error


def keep_teachers(folder: Path, teachers: Sequence[Teacher]) -> None:
    """Write the teachers of a training into its folder, exactly.

    Parameters
    ----------
    folder
        Of the training.
    teachers
        As they are learned from.
    """
    images: dict[str, Any] = {}
    said: list[dict[str, Any]] = []
    for number, teacher in enumerate(teachers):
        # what was proposed as a databar has been cut off, or was declined
        known = {f.name: getattr(teacher, f.name) for f in fields(teacher) if f.name != "databar"}
        for name, value in known.items():
            if isinstance(value, np.ndarray):
                native = value.dtype.newbyteorder("=")
                images[f"{number}.{name}"] = np.ascontiguousarray(value, dtype=native)
        said.append({k: v for k, v in known.items() if not isinstance(v, np.ndarray)})
    try:
        with atomic_write(folder / TEACHERS) as temporary:
            temporary.write_bytes(sealed(save(images, {"teachers": json.dumps(said)})))
    except (OSError, SafetensorError) as error:
        raise OutputError(
            f"The teachers cannot be kept in '{folder}' ({error}); make room there."
        ) from error


def kept_teachers(unfinished: Unfinished) -> list[Teacher]:
    """Teachers of an unfinished training, as they were given.

    Parameters
    ----------
    unfinished
        As it was found.

    Raises
    ------
    TrainingError
        If they are damaged.
    """
    file_path = training_folder(unfinished.out) / TEACHERS
    try:
        content = file_path.read_bytes()
        said: list[dict[str, Any]] = json.loads(unsealed(content)["teachers"])
        arrays = load(content)
        for key, array in arrays.items():
            number, name = key.split(".", 1)
            said[int(number)][name] = array
        return [Teacher(**entry) for entry in said]
    except (OSError, SafetensorError, KeyError, TypeError, ValueError) as error:
        raise TrainingError(
            f"The teachers kept in '{file_path}' are damaged ({error}); remove that folder and train again."
        ) from error
