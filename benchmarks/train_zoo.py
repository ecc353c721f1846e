"""Train the bundled models from the real images of the data folder.

    python benchmarks/train_zoo.py sem-x4 --data ../shared/data --minutes 75 --out runs/sem-x4

Which specimens are learned from and which are held out is written here, so that every later claim
about a bundled model can be checked against it. Interrupt with Ctrl-C; ``--resume`` goes on.
"""

import argparse
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Literal

import dask.array as da

from napari_sem_sr.events import Evaluated, Notice, StageStarted, StepDone
from napari_sem_sr.io import read_stack
from napari_sem_sr.model.card_parts import Architecture
from napari_sem_sr.model.zoo import load_model
from napari_sem_sr.stack import SemStack
from napari_sem_sr.teachers.teacher import Split, Teacher, read_teachers, teachers_of
from napari_sem_sr.training.settings import TrainSettings
from napari_sem_sr.training.trainer import iter_train

# Groups held out, by purpose; all others are learned from.
# Calibration needs nine specimens for a trust mask at alpha = 0.1. The superalloys are the noisiest teachers and the
# poorest lessons, so most of the nine are taken from them. The coatings under test are a rough, a middling and a
# smooth one (noise of HR about 5, 3 and 1.5 grey levels).
CALIBRATION = {
    "coating/040617#2",
    "coating/021519#3",
    "superalloy/spot6",
    "superalloy/spot7",
    "superalloy/45kx",
    "superalloy/SE",
    "superalloy/lshr",
    "superalloy/me3",
    "superalloy/pt2",
    "silica/R5_K3K4Me3_SiO2_2",
    "plant/C4",
    "plant/C5",
    "plant/X5",
    "nerve/sub-rat6",
    "single/pfib",
    "tin/time_030",
    "tin/time_031",
    "tin/time_032",
}
TEST = {
    "coating/070516#3",
    "coating/032919#10",
    "coating/040617#3",
    "powder/Sc3Tile",
    "superalloy/spot4",
    "superalloy/spot5",
    "medulla/volume 2",
    "silica/R5_K3Me3_SiO2_3",
    "plant/C6",
    "plant/X6",
    "nerve/sub-rat4",
    "single/ti6al4v",
    *(f"tin/time_{n:03d}" for n in range(34, 51)),
}
# Shows part of what a field under test shows, or is there for the looks of its noise, and is not used at all.
LEFT_OUT = {"tin/time_033", "nerve/sub-rat2"}
# Pixel sizes that stand beside the images, not in them (PROVENANCE.md of the data folder).
PIXEL_NM = {"tin": 5.828125, "plant": 99.0, "single/perovskite": 5.582}
# Of real pairs the slow scan is the teacher; masks are none.
PATTERNS = {"tin": "*_slow.png", "nerve": "*_SEM.png"}
CREDITS = {
    "tin": "tin: S. Shin et al., Meas. Sci. Technol. (2024), doi:10.1088/1361-6501/ad7e41, "
    "github.com/seoleuns/SEMdenoising (MIT)",
    "silica": "silica: peptide-grown particles, tarheel125, github.com/rgebhart/nanoBALLS (MIT)",
    "plant": "plant: stem sections, github.com/RickGummy/SEM-Image-Processing-Toolkit (MIT)",
    "nerve": "nerve: Zaimi et al., doi:10.5281/zenodo.5498378, github.com/axondeepseg/data_axondeepseg_sem (MIT)",
    "single": "single: halide perovskite, HZB, github.com/nomad-hzb/nomad-hysprint (Apache-2.0); nickel network, "
    "github.com/tldr-group/vulture (MIT)",
    "powder": "powder: Ames Laboratory and Cohn et al., JOM 73 (2021) 2159, github.com/rccohn/AMPIS (MIT)",
    "coating": "coating: Stuckner, Harder, Smith, npj Comput. Mater. 8 (2022) 200, NASA Glenn, "
    "github.com/nasa/pretrained-microscopy-models (MIT)",
    "superalloy": "superalloy: Stuckner, Harder, Smith, npj Comput. Mater. 8 (2022) 200, NASA Glenn, "
    "github.com/nasa/pretrained-microscopy-models (MIT)",
    "microspherules": "microspherules: Bob620, github.com/Bob620/probelab-reimager (MIT)",
    "medulla": "medulla: FlyEM, Janelia Research Campus (HHMI), github.com/janelia-flyem/"
    "neuroproof_examples (Creative Commons Attribution)",
}
# What the models learned from that know averaged LR only.
CLEAN = ("powder", "coating", "superalloy", "microspherules", "medulla")
MATERIALS = {
    "sem-x4": tuple(CREDITS),
    "sem-x4-fast": (*CLEAN, "tin"),
    "sem-x2": CLEAN,
    "sem-x8": CLEAN,
    "powder-x4": ("powder",),
    "coating-x4": ("coating",),
    "medulla-x4": ("medulla",),
}


FACTORS: dict[str, Literal[2, 8]] = {"sem-x2": 2, "sem-x8": 8}
ARCHITECTURES = {"sem-x4-fast": Architecture(channels=32, blocks=4, tail_channels=16)}
# Every so manyth plane of the medulla: a few are known by heart after twenty minutes, all would crowd out other materials.
PLANES = {"medulla-x4": 1, "sem-x4": 6}
USUAL = Architecture(channels=64, blocks=8, tail_channels=24)


def specimen(material: str, stem: str, group: str) -> str:
    """Specimen that an image shows; of tin, one specimen, the field."""
    if material == "tin":
        return stem.removesuffix("_slow")
    if material == "silica":
        return stem.rpartition("-")[0]
    if material == "plant":
        return stem.partition("-")[0].upper()
    return group


def folder_teachers(data: Path, material: str) -> Iterator[Teacher]:
    """Images of one material; groups are named ``material/specimen``."""
    folder = data / material
    patterns = [PATTERNS.get(material, "*.png"), *(["*.tif"] if material == "superalloy" else [])]
    images = sorted(path for pattern in patterns for path in folder.glob(pattern))
    for teacher in read_teachers(images)[0]:
        group = f"{material}/{specimen(material, teacher.name, teacher.group)}"
        known = PIXEL_NM.get(group, PIXEL_NM.get(material))
        yield replace(teacher, group=group, pixel_nm=teacher.pixel_nm or known)


def medulla_teachers(data: Path, step: int) -> Iterator[Teacher]:
    """Planes of the isotropic volumes: every ``step``-th along z, and half as many along y and x each.

    Volume 2 is held out as a whole; only its z-planes are scored, as a FIB-SEM user would see them.
    """
    for number in (1, 2):
        path = data / "medulla_fibsem" / f"training_sample{number}_250x250x250.tif"
        stack = replace(read_stack(path, voxel_nm=(10.0, 10.0, 10.0)), name=f"medulla {number}")
        group = f"medulla/volume {number}"
        if number == 2:
            yield from teachers_of(_every(stack, 50), group)
            continue
        yield from teachers_of(_every(stack, step), group)
        for axes in ((1, 0, 2), (2, 0, 1)):
            turned = replace(stack, data=da.transpose(stack.data, axes).rechunk((1, -1, -1)))
            yield from teachers_of(_every(turned, 2 * step), group)


def _every(stack: SemStack, step: int) -> SemStack:
    return replace(stack, data=stack.data[::step])


def split_of(name: str, data: Path) -> Split:
    """Teachers of a bundled model by purpose."""
    teachers: list[Teacher] = []
    for material in MATERIALS[name]:
        if material == "medulla":
            teachers += medulla_teachers(data, PLANES.get(name, 8))
        else:
            teachers += folder_teachers(data, material)
    teachers = [t for t in teachers if t.group not in LEFT_OUT]
    return Split(
        train=tuple(t for t in teachers if t.group not in CALIBRATION | TEST),
        calibration=tuple(t for t in teachers if t.group in CALIBRATION),
        test=tuple(t for t in teachers if t.group in TEST),
        unit="specimen",
    )


def main() -> None:
    """Train one model and print how it goes."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("name", choices=MATERIALS)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--minutes", type=float, default=75)
    parser.add_argument("--start", help="Model of the same architecture to start from.")
    parser.add_argument("--learning-rate", type=float, default=8e-4)
    parser.add_argument("--patch", type=int, default=48, help="LR pixels")
    parser.add_argument("--batch", type=int, default=4)
    parser.add_argument("--gan-share", type=float, default=0.4)
    parser.add_argument("--resume", action="store_true")
    arguments = parser.parse_args()
    split = split_of(arguments.name, arguments.data)
    settings = TrainSettings(
        factor=FACTORS.get(arguments.name, 4),
        minutes=arguments.minutes,
        learning_rate=arguments.learning_rate,
        patch_lr_px=arguments.patch,
        batch=arguments.batch,
        gan_batch=max(1, arguments.batch // 2),
        gan_share=arguments.gan_share,
        architecture=ARCHITECTURES.get(arguments.name, USUAL),
    )
    work = iter_train(
        (),
        settings,
        arguments.out,
        name=arguments.name,
        split=split,
        start=load_model(arguments.start) if arguments.start else None,
        licence="BSD-3-Clause (weights); teachers under the licences in the credits",
        credits=[CREDITS[m] for m in MATERIALS[arguments.name]],
        resume=arguments.resume,
    )
    for event in work:
        match event:
            case StepDone() if event.step % 50 == 0:
                losses = ", ".join(f"{k} {v:.4f}" for k, v in event.losses.items())
                print(f"{event.stage} {event.step} {event.done:.1%} {event.seconds:.0f} s {losses}")
            case Evaluated():
                print(event.stage, event.step, {k: round(v, 3) for k, v in event.scores.items()})
            case StageStarted() | Notice():
                print(event)


if __name__ == "__main__":
    main()
