"""Which held-out images are enough, and the ways in which LR is made of them."""

from collections.abc import Iterable
from dataclasses import replace

from napari_sem_sr.degradation.degrade import Degradation
from napari_sem_sr.degradation.noise_steps import DetectorNoise
from napari_sem_sr.degradation.steps import AreaAverage, BeamBlur, Step
from napari_sem_sr.teachers.teacher import Teacher


def few(teachers: Iterable[Teacher], most: int, side_px: int) -> tuple[Teacher, ...]:
    """Middles of teachers, at most so wide, and of one material at most so many."""
    seen: dict[str, int] = {}
    kept = []
    for teacher in teachers:
        material = teacher.group.split("/")[0]
        seen[material] = seen.get(material, 0) + 1
        if seen[material] <= most:
            top, left = (max(0, (n - side_px) // 2) for n in teacher.image.shape)
            image = teacher.image[top : top + side_px, left : left + side_px]
            kept.append(replace(teacher, image=image))
    return tuple(kept)


def recorded(noise: float, correlation: float = 0.0, blur: float = 0.0) -> Degradation:
    """LR by averaging, under noise (a part of the range, the same at every grey) and blur (LR pixels)."""
    steps: list[Step] = [BeamBlur(sigma=blur, unit="LR pixel")] if blur else []
    steps.append(AreaAverage())
    if noise:
        steps.append(DetectorNoise(black=noise, white=noise, correlation=correlation))
    return Degradation(steps=tuple(steps))
