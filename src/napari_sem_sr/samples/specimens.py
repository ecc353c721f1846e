"""Any number of simulated specimens, each with a material and microscope settings of its own."""

from collections.abc import Callable, Iterator
from typing import Literal

from napari_sem_sr.samples.cathode import cathode_specimen, simulate_cathode
from napari_sem_sr.samples.physics import Shape
from napari_sem_sr.samples.tin import simulate_tin, tin_specimen
from napari_sem_sr.samples.truth import Simulated

Kind = Literal["tin", "cathode"]


def simulate(
    kind: Kind,
    specimen: int,
    field: int = 0,
    shape: Shape = (512, 512),
    pixel_nm: float = 5.0,
) -> Simulated:
    """Image one field of specimen number ``specimen``.

    Parameters
    ----------
    kind
        Material.
    specimen, field
        Any numbers from 0; the same ones give the same image, another specimen an independent one.
    shape
        (y, x) in pixels.
    pixel_nm
        Pixel size in nm.
    """
    imaged: dict[Kind, Callable[[], Simulated]] = {
        "tin": lambda: simulate_tin(tin_specimen(specimen), field, shape, pixel_nm),
        "cathode": lambda: simulate_cathode(cathode_specimen(specimen), field, shape, pixel_nm),
    }
    return imaged[kind]()


def specimens(
    kind: Kind, count: int, first: int = 0, shape: Shape = (512, 512), pixel_nm: float = 5.0
) -> Iterator[Simulated]:
    """One image of each of ``count`` independent specimens, from number ``first``.

    Parameters
    ----------
    kind
        Material.
    shape
        (y, x) of each image.
    pixel_nm
        Side of a pixel in nm.
    """
    for number in range(first, first + count):
        yield simulate(kind, number, 0, shape, pixel_nm)
