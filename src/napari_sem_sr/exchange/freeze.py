"""Which sharpness, conditions and greys a model is given away with."""

from dataclasses import replace

from napari_sem_sr.degradation.conditions import CLEAN, Conditions
from napari_sem_sr.errors import InputError
from napari_sem_sr.exchange.frozen import FrozenModel
from napari_sem_sr.inference.conditions import check_typed, settle_conditions
from napari_sem_sr.inference.settings import UpscaleSettings
from napari_sem_sr.intensity import IntensityRange, stack_range
from napari_sem_sr.model.bundle import Model
from napari_sem_sr.stack import SemStack


def freeze(
    model: Model,
    settings: UpscaleSettings,
    stack: SemStack | None = None,
    grey_range: tuple[float, float] | None = None,
) -> tuple[FrozenModel, tuple[str, ...]]:
    """Settle what other programs cannot: sharpness, noise, blur and the range of grey values.

    Parameters
    ----------
    model
        The model as loaded.
    settings
        Sharpness, noise and blur as typed.
    stack
        LR stack to settle them for, as upscaling it would; None for clean LR but for what is typed.
    grey_range
        Grey values of black and white; None for those of the stack, if there is one.

    Returns
    -------
    The frozen model, and sentences that a person should read.

    Raises
    ------
    InputError
        If noise was typed in grey values without anything that gives them a scale, or the model knows of no conditions.
    """
    intensity = None if grey_range is None else IntensityRange(*grey_range)
    notices: tuple[str, ...] = ()
    if stack is not None:
        intensity = intensity or stack_range(stack)
        settled = settle_conditions(stack, model, settings, intensity)
        conditions, notices = settled.conditions, settled.notices
    else:
        conditions = _typed(model, settings, intensity)
    sharpness = settings.sharpness
    if sharpness is None:
        sharpness = model.under(conditions).default_sharpness
    return FrozenModel(model, sharpness, conditions, intensity), notices


def _typed(model: Model, settings: UpscaleSettings, intensity: IntensityRange | None) -> Conditions:
    check_typed(model, settings)
    conditions = CLEAN
    if settings.noise not in ("auto", "none"):
        if intensity is None:
            raise InputError(
                "Noise in grey values says nothing without the greys of black and white; give --range LOW:HIGH or --lr STACK."
            )
        conditions = conditions.with_noise_grey(float(settings.noise), intensity)
    if settings.blur != "auto":
        conditions = replace(conditions, blur_px=settings.blur)
    return conditions
