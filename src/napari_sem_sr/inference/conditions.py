"""Under which conditions a stack is upscaled: measured, or typed by a person."""

from dataclasses import replace

from napari_sem_sr.degradation.conditions import CLEAN, Conditions
from napari_sem_sr.degradation.measure_conditions import MeasuredConditions, measure_conditions
from napari_sem_sr.errors import InputError
from napari_sem_sr.inference.settings import UpscaleSettings
from napari_sem_sr.intensity import IntensityRange
from napari_sem_sr.model.bundle import Model
from napari_sem_sr.stack import SemStack


def settle_conditions(
    stack: SemStack, model: Model, settings: UpscaleSettings, intensity: IntensityRange
) -> MeasuredConditions:
    """Conditions of ``stack``: what a person typed, and what is measured where they left it to us.

    Parameters
    ----------
    model
        The model that is to be told.
    settings
        What a person typed, or left automatic.
    intensity
        Range of the stack.

    Raises
    ------
    InputError
        If noise or blur were typed for a model that knows nothing of them, or make no sense.
    """
    check_typed(model, settings)
    if not model.is_conditioned:
        return MeasuredConditions(CLEAN, intensity)
    if settings.noise == "auto" or settings.blur == "auto":
        found = measure_conditions(stack, intensity, settings.region)
    else:
        found = MeasuredConditions(CLEAN, intensity)
    conditions, notices = found.conditions, list(found.notices)
    if settings.noise != "auto":
        conditions = _with_noise(conditions, settings.noise, intensity)
        notices = []
    if settings.blur != "auto":
        conditions = replace(conditions, blur_px=settings.blur)
    known = model.card.conditions
    outside = None if known is None else known.outside(conditions)
    if outside is not None:
        notices.append(
            f"Model '{model.card.name}' does not know such a stack as '{stack.name}': {outside}. Train one on this "
            "stack, or bin it first."
        )
    return MeasuredConditions(conditions, intensity, tuple(notices))


def check_typed(model: Model, settings: UpscaleSettings) -> None:
    """Refuse typed conditions that the model could not follow; see `settle_conditions`.

    Parameters
    ----------
    model
        The model that is to be told.
    settings
        What a person typed, or left automatic.
    """
    if model.is_conditioned or (settings.noise in ("auto", "none") and settings.blur == "auto"):
        return
    raise InputError(
        f"Model '{model.card.name}' was not taught to take noise and blur into account; leave them out, or choose "
        "a model that was."
    )


def _with_noise(
    conditions: Conditions, noise: float | str, intensity: IntensityRange
) -> Conditions:
    if noise == "none":
        return replace(conditions, noise_black=0.0, noise_white=0.0, line_correlation=0.0)
    return conditions.with_noise_grey(float(noise), intensity)
