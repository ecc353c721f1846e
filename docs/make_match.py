"""Draw docs/images/match.png: teachers matched to an LR stack whose faults are known.

    python docs/make_match.py

Teachers are slices of the bundled FIB-SEM sample; LR is made of its other slices, as no real pair of a coarse and
a fine recording is free: averaged 2 × 2 to 20 nm after a blur of 12 nm, with counting and read noise.
"""

from dataclasses import replace
from pathlib import Path

from napari_sem_sr.degradation.degrade import Degradation, degrade_stack
from napari_sem_sr.degradation.match import iter_match
from napari_sem_sr.degradation.match_picture import write_match_picture
from napari_sem_sr.degradation.noise_steps import Dose, ReadNoise
from napari_sem_sr.degradation.steps import AreaAverage, BeamBlur
from napari_sem_sr.events import drain
from napari_sem_sr.samples import medulla_hr
from napari_sem_sr.teachers.teacher import teachers_of

FAULTS = (BeamBlur(sigma=12), AreaAverage(), Dose(electrons=60), ReadNoise(sigma=0.03))

if __name__ == "__main__":
    sample = medulla_hr()
    teachers = [replace(t, group=t.name) for t in teachers_of(sample)[:12:2]]
    how = Degradation(steps=FAULTS, lr_pixel_nm=20.0)
    lr = degrade_stack(replace(sample, data=sample.data[12:]), 2, how, seed=5)
    match = drain(iter_match(teachers, lr, 2))
    print("made with", how.describe())
    print(match.summary())
    write_match_picture(match, Path(__file__).parent / "images" / "match.png")
