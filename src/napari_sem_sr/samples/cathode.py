"""Simulated cross-section of a Li-ion cathode as a FIB leaves it, with known truth.

Structure: layered-oxide particles of a few µm, polycrystalline, with cracks along grain boundaries, in a matrix
of carbon, binder and pores (as in FIB-SEM of NMC electrodes: Ender et al. 2011, Electrochem. Commun. 13, 166;
cracks: Ryu et al. 2018, Chem. Mater. 30, 1155). Grains are Voronoi cells whose grey differs by channelling
(Reimer 1998, 6.2); pores and the matrix are level sets and sums of random fields with a power-law spectrum.
Contrast: atomic number and SE, see `physics`; edges of pores and cracks are bright within the escape depth's
lateral reach, their inside is dark as few SE get out; the ion beam leaves vertical curtains.

Nothing in it is round, bright and as small as a tin sphere: what looks so after upscaling was invented.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.ndimage import distance_transform_edt, gaussian_filter1d
from scipy.spatial import cKDTree

from napari_sem_sr.samples.physics import (
    SE_PER_BACKSCATTERED,
    Floats,
    Shape,
    backscattering,
    fractal,
    record,
)
from napari_sem_sr.samples.truth import Simulated, TrueParticles

MATERIAL = "Li-ion cathode cross-section"
# Mass-averaged atomic numbers of LiNi(0.6)Mn(0.2)Co(0.2)O2 and of carbon with PVDF.
OXIDE, CARBON_BINDER = 20.6, 6.9
YIELD = {OXIDE: 0.85, CARBON_BINDER: 0.5}
# Particles are placed in this much of a margin, so that those cut by the border look no different.
MARGIN_NM = 1500.0


@dataclass(frozen=True)
class CathodeSpecimen:
    """Material and microscope settings of one specimen.

    Parameters
    ----------
    number
        Which specimen; with the field's number the seed of an image.
    median_nm, spread
        Median diameter of active particles and its geometric standard deviation.
    packing
        Share of the area that active particles fill.
    grain_nm
        Mean distance of grains.
    channelling
        Relative standard deviation of the grains' grey.
    cracked
        Share of the grain boundaries that are open.
    crack_nm
        Mean width of the open ones.
    porosity
        Share of the matrix that is pore.
    texture
        Relative contrast of the carbon and binder.
    edge_nm, edge
        Width and strength of bright edges.
    curtain
        Relative contrast of the curtains.
    beam_nm, electrons, black, white
        See `physics.record`.
    """

    number: int
    median_nm: float
    spread: float
    packing: float
    grain_nm: float
    channelling: float
    cracked: float
    crack_nm: float
    porosity: float
    texture: float
    edge_nm: float
    edge: float
    curtain: float
    beam_nm: float
    electrons: float
    black: float
    white: float


def cathode_specimen(number: int) -> CathodeSpecimen:
    """Return specimen ``number``, independent of every other."""
    rng = np.random.default_rng([2, number])
    return CathodeSpecimen(
        number=number,
        median_nm=float(np.exp(rng.normal(np.log(1100), 0.2))),
        spread=rng.uniform(1.25, 1.6),
        packing=rng.uniform(0.5, 0.68),
        grain_nm=rng.uniform(140, 320),
        channelling=rng.uniform(0.03, 0.09),
        cracked=rng.uniform(0.08, 0.35),
        crack_nm=rng.uniform(10, 24),
        porosity=rng.uniform(0.2, 0.45),
        texture=rng.uniform(0.08, 0.18),
        edge_nm=rng.uniform(8, 18),
        edge=rng.uniform(0.1, 0.35),
        curtain=rng.uniform(0.0, 0.03),
        beam_nm=rng.uniform(7.5, 11.0),
        electrons=float(np.exp(rng.uniform(np.log(150), np.log(900)))),
        black=rng.uniform(8, 35),
        white=rng.uniform(190, 240),
    )


def simulate_cathode(
    specimen: CathodeSpecimen, field: int = 0, shape: Shape = (512, 512), pixel_nm: float = 5.0
) -> Simulated:
    """Image a field of ``specimen``; the same numbers give the same image.

    Parameters
    ----------
    field
        Which field of the specimen.
    shape
        (y, x) in pixels.
    pixel_nm
        Pixel size in nm; the beam of the specimens suits about 4 to 8 nm.
    """
    rng = np.random.default_rng([2, specimen.number, field])
    centres, radii = _pack(specimen, (shape[0] * pixel_nm, shape[1] * pixel_nm), rng)
    owner = _particles(centres, radii, shape, pixel_nm, rng)
    oxide = owner >= 0
    tone, boundary, open_nm = _grains(specimen, shape, pixel_nm, rng)
    crack = oxide & (boundary < open_nm / 2)
    pore_field = fractal(shape, pixel_nm, rng, 260.0, 2.2)
    matrix = ~oxide
    level = np.quantile(pore_field[matrix], specimen.porosity) if matrix.any() else -np.inf
    pore = matrix & (pore_field < level)

    texture = fractal(shape, pixel_nm, rng, 90.0, 1.3)
    binder = _bulk(CARBON_BINDER) * (1 + specimen.texture * texture)
    # an etched groove along closed boundaries, and the polish of the face
    groove = 1 - 0.06 * np.exp(-((boundary / 9.0) ** 2))
    polish = 1 + 0.015 * fractal(shape, pixel_nm, rng, 400.0, 1.2)
    signal = np.where(oxide, _bulk(OXIDE) * tone * groove * polish, binder)
    void = pore | crack
    signal *= 1 + specimen.edge * np.exp(-_depth(~void, pixel_nm) / specimen.edge_nm)
    # the walls of a hole catch its SE: the deeper inside, the darker; the back of a pore shines through
    behind = _bulk(CARBON_BINDER) * (0.35 + 0.12 * fractal(shape, pixel_nm, rng, 200.0, 1.6))
    hole = behind * (0.35 + 0.65 * np.exp(-_depth(void, pixel_nm) / 25.0))
    signal = np.where(void, np.maximum(hole, 0.02), signal)
    signal *= 1 + specimen.curtain * _curtains(shape, pixel_nm, rng)

    image = record(
        signal,
        pixel_nm,
        rng,
        beam_nm=specimen.beam_nm,
        electrons=specimen.electrons,
        line_noise=0.004,
        black=specimen.black,
        white=specimen.white,
    )
    name = f"cathode {specimen.number:03d}"
    particles = _truth(centres, radii, owner, pixel_nm)
    return Simulated(image, pixel_nm, particles, MATERIAL, name, f"{name} field {field}")


def _bulk(atomic_number: float) -> float:
    return YIELD[atomic_number] * (1 + SE_PER_BACKSCATTERED * backscattering(atomic_number))


def _pack(
    specimen: CathodeSpecimen, size_nm: tuple[float, float], rng: np.random.Generator
) -> tuple[Floats, Floats]:
    """Centres (n, 2) in nm and radii (n,) of discs that do not overlap, from the largest."""
    box = np.array(size_nm) + 2 * MARGIN_NM
    wanted = specimen.packing * float(box.prod())
    radii = specimen.median_nm / 2 * specimen.spread ** rng.standard_normal(400)
    radii = radii[: int(np.searchsorted(np.cumsum(np.pi * radii**2), wanted)) + 1]
    centres = np.empty((0, 2))
    kept = np.empty(0)
    for radius in np.sort(radii)[::-1]:
        places = rng.uniform(0, 1, (60, 2)) * box
        away = np.linalg.norm(places[:, None] - centres[None], axis=2) - kept - radius
        gaps = away.min(axis=1, initial=np.inf)
        free = np.flatnonzero(gaps >= 0)
        if len(free):
            # the tightest place: electrodes are pressed
            best = free[gaps[free].argmin()]
            centres, kept = np.vstack([centres, places[best]]), np.append(kept, radius)
    return centres - MARGIN_NM, kept


def _particles(
    centres: Floats, radii: Floats, shape: Shape, pixel_nm: float, rng: np.random.Generator
) -> npt.NDArray[np.intp]:
    """Which particle (-1: matrix) lies in each pixel; outlines are bent by a random field."""
    y, x = (np.arange(n) * pixel_nm for n in shape)
    bent_y = y[:, None] + 60.0 * fractal(shape, pixel_nm, rng, 700.0, 2.2)
    bent_x = x[None, :] + 60.0 * fractal(shape, pixel_nm, rng, 700.0, 2.2)
    inside = np.zeros(shape)
    owner = np.full(shape, -1, np.intp)
    for number, ((cy, cx), radius) in enumerate(zip(centres, radii, strict=True)):
        depth = radius - np.hypot(bent_y - cy, bent_x - cx)
        here = depth > inside
        inside[here] = depth[here]
        owner[here] = number
    return owner


def _grains(
    specimen: CathodeSpecimen, shape: Shape, pixel_nm: float, rng: np.random.Generator
) -> tuple[Floats, Floats, Floats]:
    """Relative grey of the grains, distance in nm to the nearest boundary, and how far it is open."""
    margin = 2 * specimen.grain_nm
    size = np.array(shape) * pixel_nm + 2 * margin
    count = max(4, int(size.prod() / specimen.grain_nm**2))
    seeds = rng.uniform(0, 1, (count, 2)) * size - margin
    y, x = (np.arange(n) * pixel_nm for n in shape)
    points = np.stack(
        [
            y[:, None] + 12.0 * fractal(shape, pixel_nm, rng, 160.0, 2.3),
            x[None, :] + 12.0 * fractal(shape, pixel_nm, rng, 160.0, 2.3),
        ],
        axis=-1,
    )
    distance, nearest = cKDTree(seeds).query(points.reshape(-1, 2), k=2)
    first, second = nearest.T.reshape(2, *shape)
    near, far = distance.T.reshape(2, *shape)
    between = np.linalg.norm(seeds[first] - seeds[second], axis=-1)
    boundary = (far**2 - near**2) / (2 * between)
    tone = 1 + specimen.channelling * rng.standard_normal(count)
    opened = specimen.crack_nm * rng.gamma(4.0, 0.25, (count, count))
    opened *= rng.random((count, count)) < specimen.cracked
    low, high = np.minimum(first, second), np.maximum(first, second)
    return tone[first], boundary, opened[low, high]


def _depth(inside: npt.NDArray[np.bool_], pixel_nm: float) -> Floats:
    """Distance in nm of pixels ``inside`` from those outside; infinite where there are none."""
    if inside.all():
        return np.full(inside.shape, np.inf)
    return np.asarray(distance_transform_edt(inside, sampling=pixel_nm))


def _curtains(shape: Shape, pixel_nm: float, rng: np.random.Generator) -> Floats:
    stripes = gaussian_filter1d(rng.standard_normal(shape[1]), 30.0 / pixel_nm)
    strength = 1 + 0.5 * fractal(shape, pixel_nm, rng, 1500.0, 2.0)
    return np.asarray(stripes / (stripes.std() or 1.0) * strength)


def _truth(
    centres: Floats, radii: Floats, owner: npt.NDArray[np.intp], pixel_nm: float
) -> TrueParticles:
    """Active particles: centre of mass of what is seen, diameter before the outline was bent."""
    area = np.bincount(owner[owner >= 0], minlength=len(radii)).astype(np.float64)
    seen = np.flatnonzero(area)
    y, x = np.nonzero(owner >= 0)
    which = owner[y, x]
    mean_y = np.bincount(which, y, len(radii))[seen] / area[seen]
    mean_x = np.bincount(which, x, len(radii))[seen] / area[seen]
    whole = np.pi * radii[seen] ** 2 / pixel_nm**2
    return TrueParticles(
        y_nm=mean_y * pixel_nm,
        x_nm=mean_x * pixel_nm,
        diameter_nm=2 * radii[seen],
        visible=np.minimum(1.0, area[seen] / whole),
    )
