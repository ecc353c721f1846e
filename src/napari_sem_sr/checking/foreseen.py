"""How much closer than bicubic SR will be, foreseen from small pieces of a stack before anything is computed in full."""

from collections.abc import Generator
from functools import partial
from itertools import cycle

from napari_sem_sr.checking.evidence.expected_gain import Distances, ExpectedGain
from napari_sem_sr.checking.outlook import Foreseen
from napari_sem_sr.degradation.measure_conditions import measure_conditions
from napari_sem_sr.events import Event, Progress
from napari_sem_sr.inference.conditions import settle_conditions
from napari_sem_sr.inference.engine.engine import Engine
from napari_sem_sr.inference.engine.tiling import Region
from napari_sem_sr.inference.settings import UpscaleSettings
from napari_sem_sr.intensity import IntensityRange
from napari_sem_sr.model.bundle import Model
from napari_sem_sr.sampling import evenly_spaced
from napari_sem_sr.stack import SemStack

# Slices that a piece is taken of, all along the stack, and its width in LR pixels: a few seconds on one core.
PIECES, PIECE_PX = 3, 96
# Where in a slice its piece lies, as shares of the way.
PLACES = ((0.5, 0.5), (0.25, 0.7), (0.75, 0.3))


def iter_foreseen(
    stack: SemStack, model: Model, settings: UpscaleSettings, intensity: IntensityRange
) -> Generator[Event, None, Foreseen | None]:
    """Upscale a few pieces and foresee PSNR over bicubic; the same prediction as in a check, from less of the stack.

    Parameters
    ----------
    stack
        The LR stack.
    model
        The model as loaded.
    settings
        As it would be upscaled.
    intensity
        Range of the stack.

    Returns
    -------
    Foreseen | None
        None where the model was not calibrated for it, or no piece holds a picture.

    Raises
    ------
    InputError
        If a slice cannot be read, or the settings do not suit the model.
    """
    expected = ExpectedGain.of(model.calibration)
    if expected is None:
        return None
    yield Progress("measuring noise and blur", 0, 1, "step")
    if model.is_conditioned:
        measured = settle_conditions(stack, model, settings, intensity)
        model = model.under(measured.conditions)
    else:
        measured = measure_conditions(stack, intensity, settings.region)
    noise = measured.conditions.noise_grey(intensity) ** 2
    sharpness = model.default_sharpness if settings.sharpness is None else settings.sharpness
    engine = partial(Engine, device=settings.device, precision=settings.precision)
    twin = engine(model.network("twin"))
    made = engine(model.blended(sharpness)) if sharpness > 0 else twin
    first, end = settings.slices or (0, stack.shape[0])
    picks = evenly_spaced(end - first, PIECES)
    found = []
    for done, (pick, place) in enumerate(zip(picks, cycle(PLACES), strict=False)):
        yield Progress("upscaling samples", done, len(picks), "samples")
        image = stack.slice(first + pick)
        region = _piece(settings.region or ((0, image.shape[0]), (0, image.shape[1])), place)
        pictures = []
        for network in (made, twin) if made is not twin else (twin,):
            result = yield from network.iter_slice(image, intensity, stack.dtype, region)
            pictures.append(result.image)
        (top, bottom), (left, right) = region
        lr = image[top:bottom, left:right]
        found.append(Distances.of(lr, pictures[0], pictures[-1], model.card.factor, noise))
    distances = [d for d in found if d is not None]
    if not distances:
        return None
    return Foreseen(
        expected.predict(distances), expected.predict([d.of_twin for d in distances]), sharpness
    )


def _piece(region: Region, place: tuple[float, float]) -> Region:
    """A piece of ``region`` at ``place``."""
    rows, columns = (
        (start := low + int(share * max(0, high - low - PIECE_PX)), min(high, start + PIECE_PX))
        for (low, high), share in zip(region, place, strict=True)
    )
    return rows, columns
