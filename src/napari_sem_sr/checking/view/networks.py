"""A model's networks as evidence needs them, each made when it is first asked for."""

from functools import cached_property

from napari_sem_sr.inference.engine.engine import Engine
from napari_sem_sr.model.bundle import Model
from napari_sem_sr.model.generator import Generator


class Networks:
    """Engines of one model on one device.

    Parameters
    ----------
    model
        The model.
    sharpness
        Of SR, as far as it is known.
    device, precision, tile
        As of `Engine`.
    """

    def __init__(
        self,
        model: Model,
        sharpness: float | None,
        device: str = "auto",
        precision: str = "auto",
        tile: int | None = None,
    ) -> None:
        self._model = model
        self._sharpness = 1.0 if sharpness is None else sharpness
        self._device, self._precision, self._tile = device, precision, tile

    def _engine(self, network: Generator) -> Engine:
        return Engine(network, device=self._device, precision=self._precision, tile=self._tile)

    @cached_property
    def twin(self) -> Engine:
        """The generator before the adversarial stage."""
        return self._engine(self._model.network("twin"))

    @cached_property
    def gan(self) -> Engine:
        """The generator after it."""
        return self._engine(self._model.network("gan"))

    @cached_property
    def made_sr(self) -> Engine:
        """What made SR."""
        return self._engine(self._model.blended(self._sharpness))
