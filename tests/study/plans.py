"""The smallest recipe that goes through every step of a study; what it learns does not matter."""

from napari_sem_sr.model.card_parts import Architecture
from napari_sem_sr.training.settings import TrainSettings

TINY = TrainSettings(
    epochs=4,
    gan_share=0.5,
    batch=2,
    gan_batch=2,
    patch_lr_px=16,
    device="cpu",
    architecture=Architecture(channels=4, blocks=1, tail_channels=4),
)
