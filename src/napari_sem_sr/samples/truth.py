"""A simulated image and what is really in it."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from napari_sem_sr.instrument import Instrument
from napari_sem_sr.stack import SemStack

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class TrueParticles:
    """Where particles lie and how large they are, one entry per particle.

    Parameters
    ----------
    y_nm, x_nm
        Centres in nm from the centre of the first pixel, (n,).
    diameter_nm
        (n,); the mean one where the particle is not round.
    visible
        Share of its projected area that no other particle hides and that lies in the field, (n,).
    """

    y_nm: Floats
    x_nm: Floats
    diameter_nm: Floats
    visible: Floats

    def __len__(self) -> int:
        return len(self.diameter_nm)

    def __getitem__(self, chosen: Any) -> "TrueParticles":
        """Return the particles picked by a mask, a slice or indices."""
        return TrueParticles(
            self.y_nm[chosen], self.x_nm[chosen], self.diameter_nm[chosen], self.visible[chosen]
        )


@dataclass(frozen=True, eq=False)
class Simulated:
    """A simulated HR image with its truth.

    Parameters
    ----------
    image
        (y, x) uint8.
    pixel_nm
        Pixel size in nm.
    particles
        All particles whose centre lies in the field.
    material
        What is simulated, for people.
    specimen
        Name of the specimen; images of one specimen are not independent of each other.
    name
        Specimen and field.
    """

    image: npt.NDArray[np.uint8]
    pixel_nm: float
    particles: TrueParticles
    material: str
    specimen: str
    name: str

    def stack(self) -> SemStack:
        """Return the image as a stack of one slice, which says that it is simulated."""
        return SemStack.from_array(
            self.image,
            self.name,
            voxel_nm=(None, self.pixel_nm, self.pixel_nm),
            instrument=Instrument(model="simulated SEM"),
            provenance={"synthetic": True, "simulated": self.material},
        )
