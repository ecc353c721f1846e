"""What a training can start from: the bundled model, one of a person's own, or chance."""

from collections.abc import Sequence
from dataclasses import dataclass

from napari_sem_sr.model.zoo import Entry
from napari_sem_sr.training.settings import TrainSettings
from napari_sem_sr.widgets.words import tr


@dataclass(frozen=True)
class Beginning:
    """One choice: what it is called, and the model; None for chance."""

    label: str
    entry: Entry | None


def beginnings(entries: Sequence[Entry], factor: int) -> list[Beginning]:
    """What a training of a model of this factor can start from, what is recommended first.

    Parameters
    ----------
    entries
        Installed models.
    factor
        Upscale factor of the model to be trained.
    """
    fitting = [entry for entry in entries if entry.card.factor == factor]
    chance = Beginning(tr("nothing (chance)"), None)
    usual = next((e for e in fitting if e.bundled and e.name == f"sem-x{factor}"), None)
    # those of a person's own before the other bundled ones
    rest = sorted((e for e in fitting if e is not usual), key=lambda e: e.bundled)
    others = [Beginning(entry.name, entry) for entry in rest]
    if usual is None:
        return [chance, *others]
    return [Beginning(tr("{name} (recommended)", name=usual.name), usual), *others, chance]


def fitted(settings: TrainSettings, beginning: Beginning) -> TrainSettings:
    """Settings with the architecture of what is started from."""
    if beginning.entry is None:
        return settings
    return settings.model_copy(update={"architecture": beginning.entry.card.architecture})
