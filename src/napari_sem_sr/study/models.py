"""Training the models of a study, each kept once it is finished."""

from collections.abc import Generator
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from napari_sem_sr.events import Event, Notice
from napari_sem_sr.inference.engine.devices import pick_device
from napari_sem_sr.model.bundle import Model, load_bundle
from napari_sem_sr.study.folder import StudyFolder
from napari_sem_sr.teachers.teacher import Split
from napari_sem_sr.training.settings import TrainSettings
from napari_sem_sr.training.trainer import iter_train
from napari_sem_sr.training.validation.evaluation import Pair, upscale_pair

Which = Literal["twin", "gan"]


def iter_model(
    folder: StudyFolder, name: str, split: Split, settings: TrainSettings
) -> Generator[Event, None, Model]:
    """Train the model called ``name``, go on with it where it was interrupted, or load it.

    Parameters
    ----------
    folder
        Where finished and unfinished trainings are kept.
    split
        Teachers by purpose.
    settings
        How it is trained; a model that is there has to have been trained with the same.
    """
    out = folder.model(name)
    if out.exists():
        return load_bundle(out)
    teachers = len(split.train)
    yield Notice(f"Training {name} with {teachers} teacher{'s' if teachers != 1 else ''}.")
    everyone = (*split.train, *split.calibration, *split.test)
    model = yield from iter_train(
        everyone, settings, out, name=name, split=split, licence="made by a study", resume=True
    )
    return model


def upscaled(model: Model, which: Which, pair: Pair) -> npt.NDArray[Any]:
    """SR of a pair's LR by the twin or the GAN of ``model``, in the dtype of LR.

    Parameters
    ----------
    which
        ``"gan"`` or ``"twin"``.
    pair
        LR and HR of one field.
    """
    image: npt.NDArray[np.generic] = upscale_pair(pair, model.network(which), pick_device("auto"))
    return image
