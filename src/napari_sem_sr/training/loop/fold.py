"""What one of several training runs learns from."""

from dataclasses import dataclass

from napari_sem_sr.teachers.teacher import Teacher


@dataclass(frozen=True)
class Fold:
    """What one training run learns from and is measured on.

    Parameters
    ----------
    train
        Teachers to learn from.
    unseen
        Teachers to choose the best network by; none where the run learns from all.
    unit
        What was held out: "specimen", "image" or "part of one image".
    name
        For people: which of several folds it is; "" where it is the only one.
    share
        Part of a budget in minutes.
    keep_epoch
        Epoch of the twin's stage after which the network is kept, where nothing is held out to choose by; its end
        where None.
    """

    train: tuple[Teacher, ...]
    unseen: tuple[Teacher, ...]
    unit: str
    name: str = ""
    share: float = 1.0
    keep_epoch: int | None = None
