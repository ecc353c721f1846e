"""Weights that a training starts from, instead of from chance."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self

from torch import Tensor

from napari_sem_sr.errors import ModelError, TrainingError
from napari_sem_sr.model.bundle import Model
from napari_sem_sr.model.zoo import load_model
from napari_sem_sr.training.settings import TrainSettings


@dataclass(frozen=True, eq=False)
class Start:
    """Both networks of a model under the conditions of a training.

    Parameters
    ----------
    twin
        Weights that the twin starts from.
    beyond
        What the SRGAN learned beyond its twin: its weights less the twin's. Added to the new twin's, it gives the new
        SRGAN a start that is sharp already (task arithmetic, Ilharco et al. 2023).
    """

    twin: Mapping[str, Tensor]
    beyond: Mapping[str, Tensor]

    @classmethod
    def of(cls, model: Model, settings: TrainSettings) -> Self:
        """Take them from ``model``, folded for the noise and blur of the degradation in ``settings``.

        Raises
        ------
        TrainingError
            If its factor or architecture is another than asked for.
        """
        _check_fits(model, settings)
        adapted = model.under(settings.degradation.conditions)
        twin, gan = (adapted.network(which).state_dict() for which in ("twin", "gan"))
        return cls(twin, {name: gan[name] - twin[name] for name in twin})


def fits(model: Model, settings: TrainSettings) -> bool:
    """Whether a training with these settings can start from ``model``.

    Parameters
    ----------
    settings
        Of the training.
    """
    return (model.card.factor, model.card.architecture) == (settings.factor, settings.architecture)


def _check_fits(model: Model, settings: TrainSettings) -> None:
    if not fits(model, settings):
        raise TrainingError(
            f"Model '{model.card.name}' has another factor or architecture than asked for, so training cannot "
            "start from it; ask for the same, or start from chance."
        )


def _of_its_make(model: Model, settings: TrainSettings, *fields: str) -> TrainSettings:
    """Settings with the ``fields`` of ``model`` for which nobody asked."""
    unsaid = {f: getattr(model.card, f) for f in fields if f not in settings.model_fields_set}
    return settings.model_copy(update=unsaid)


def settings_for(model: Model, settings: TrainSettings) -> TrainSettings:
    """Settings of a training that starts from ``model``: of its factor and architecture.

    Parameters
    ----------
    settings
        As asked for.

    Raises
    ------
    TrainingError
        If another factor or architecture was asked for.
    """
    adapted = _of_its_make(model, settings, "factor", "architecture")
    _check_fits(model, adapted)
    return adapted


def bundled_start(settings: TrainSettings) -> tuple[Model | None, TrainSettings]:
    """The bundled model to start from unless someone says otherwise, and settings with its architecture.

    None, and the settings as they are, where there is none of that factor, or another architecture was asked for.

    Parameters
    ----------
    settings
        Of the training.
    """
    try:
        model = load_model(f"sem-x{settings.factor}")
    except ModelError:
        return None, settings
    adapted = _of_its_make(model, settings, "architecture")
    return (model, adapted) if fits(model, adapted) else (None, settings)
