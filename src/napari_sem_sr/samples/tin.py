"""Simulated tin spheres on carbon, the resolution standard, with known truth.

Geometry: spheres on a plane, diameters log-normal (as those of particles grown from vapour; Kiss et al. 1999,
Nanotechnology 10, 25), none overlapping, many touching. Emission: see `physics`. Shadows: SE leave a surface by
the cosine law, so a sphere hides from a surface element just the share that is its view factor (a sphere seen
from a plate element; Howell, *Catalog of Radiation Heat Transfer Configuration Factors*, B-43).
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.ndimage import gaussian_filter

from napari_sem_sr.samples.physics import (
    SE_PER_BACKSCATTERED,
    Floats,
    Shape,
    backscattering,
    fractal,
    record,
    tilt_yield,
)
from napari_sem_sr.samples.truth import Simulated, TrueParticles

MATERIAL = "tin spheres on carbon"
TIN, CARBON = 50, 6
# SE of the beam itself at normal incidence, a few kV (Seiler 1983, table of yields).
YIELD = {TIN: 0.75, CARBON: 0.45}
TILT_EXPONENT = {TIN: 0.8, CARBON: 1.3}
# Thickness of tin at which two thirds of the bulk's backscattering are reached at a few kV.
BACKSCATTER_NM = 60.0
# Smaller ones are neither made nor asked for.
SMALLEST_NM = 8.0
# A sphere's shadow is followed to this many radii, where it hides 1 %.
SHADOW_RADII = 4.5


@dataclass(frozen=True)
class TinSpecimen:
    """Material and microscope settings of one specimen.

    Parameters
    ----------
    number
        Which specimen; with the field's number the seed of an image.
    median_nm, spread
        Median diameter and geometric standard deviation.
    coverage
        Share of the area that spheres cover.
    touching
        Share of the spheres that lie against another one.
    roughness_nm
        RMS height of the carbon.
    escape_nm
        Escape depth of SE in tin.
    detector, detector_deg
        Strength of the shading by a detector at the side (0: in-lens), and where it stands.
    beam_nm, electrons, black, white
        See `physics.record`.
    """

    number: int
    median_nm: float
    spread: float
    coverage: float
    touching: float
    roughness_nm: float
    escape_nm: float
    detector: float
    detector_deg: float
    beam_nm: float
    electrons: float
    black: float
    white: float


def tin_specimen(number: int) -> TinSpecimen:
    """Return specimen ``number``, independent of every other."""
    rng = np.random.default_rng([1, number])
    return TinSpecimen(
        number=number,
        median_nm=float(np.exp(rng.normal(np.log(55), 0.25))),
        spread=rng.uniform(1.5, 2.0),
        coverage=rng.uniform(0.35, 0.6),
        touching=rng.uniform(0.3, 0.7),
        roughness_nm=rng.uniform(1.0, 4.0),
        escape_nm=rng.uniform(1.0, 3.0),
        detector=rng.uniform(0.0, 0.35),
        detector_deg=rng.uniform(0, 360),
        beam_nm=rng.uniform(7.5, 11.0),
        electrons=float(np.exp(rng.uniform(np.log(120), np.log(900)))),
        black=rng.uniform(8, 35),
        white=rng.uniform(200, 245),
    )


def simulate_tin(
    specimen: TinSpecimen, field: int = 0, shape: Shape = (512, 512), pixel_nm: float = 5.0
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
    rng = np.random.default_rng([1, specimen.number, field])
    centres, radii = _deposit(specimen, (shape[0] * pixel_nm, shape[1] * pixel_nm), rng)
    height, normal, owner = _surface(centres, radii, shape, pixel_nm)
    carbon = owner < 0
    ground = specimen.roughness_nm * fractal(shape, pixel_nm, rng, 150.0, 1.6)
    ground = gaussian_filter(ground, 1.0)
    slope_y, slope_x = np.gradient(ground, pixel_nm)
    steep = np.sqrt(1 + slope_y**2 + slope_x**2)
    for axis, part in enumerate((-slope_y / steep, -slope_x / steep, 1 / steep)):
        normal[axis][carbon] = part[carbon]
    signal = np.where(
        carbon,
        _carbon(normal[2]) * (1 + 0.04 * fractal(shape, pixel_nm, rng, 600.0, 1.2)),
        _tin(normal[2], radii[owner], specimen),
    )
    signal *= _open_sky(height, normal, centres, radii, pixel_nm)
    angle = np.deg2rad(specimen.detector_deg)
    signal *= 1 + specimen.detector * (np.sin(angle) * normal[0] + np.cos(angle) * normal[1])
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
    name = f"tin {specimen.number:03d}"
    particles = _truth(centres, radii, owner, pixel_nm)
    return Simulated(image, pixel_nm, particles, MATERIAL, name, f"{name} field {field}")


def _deposit(
    specimen: TinSpecimen, size_nm: tuple[float, float], rng: np.random.Generator
) -> tuple[Floats, Floats]:
    """Centres (n, 2) in nm and radii (n,) of spheres on the plane, from the largest to the smallest.

    Two spheres on one plane touch where their centres are 2 sqrt(R r) apart, seen from above.
    """
    margin = 2 * specimen.median_nm
    box = np.array(size_nm) + 2 * margin
    wanted = specimen.coverage * float(box.prod())
    mean_area = np.pi / 4 * specimen.median_nm**2 * np.exp(2 * np.log(specimen.spread) ** 2)
    drawn = specimen.median_nm * specimen.spread ** rng.standard_normal(int(2 * wanted / mean_area))
    drawn = drawn[(drawn > SMALLEST_NM) & (drawn < 8 * specimen.median_nm)]
    drawn = drawn[: int(np.searchsorted(np.cumsum(np.pi / 4 * drawn**2), wanted)) + 1]
    radii = np.sort(drawn)[::-1] / 2
    centres = np.empty((len(radii), 2))
    kept = np.empty(len(radii))
    count = 0
    for radius in radii:
        for _ in range(30):
            if count and rng.random() < specimen.touching:
                beside = int(rng.integers(count))
                angle = rng.uniform(0, 2 * np.pi)
                reach = 2 * np.sqrt(radius * kept[beside]) * 1.001
                place = centres[beside] + reach * np.array([np.sin(angle), np.cos(angle)])
                if (place < 0).any() or (place > box).any():
                    continue
            else:
                place = rng.uniform(0, box)
            away = ((centres[:count] - place) ** 2).sum(axis=1)
            if (away >= 4 * radius * kept[:count]).all():
                centres[count], kept[count] = place, radius
                count += 1
                break
    return centres[:count] - margin, kept[:count]


def _window(
    centre: Floats, reach_nm: float, shape: Shape, pixel_nm: float
) -> tuple[tuple[slice, slice], Floats, Floats]:
    """Part of the image within ``reach_nm`` of ``centre``, and distances (y, x) in nm from it."""
    spans = []
    for c, n in zip(centre, shape, strict=True):
        first = max(0, int(np.floor((c - reach_nm) / pixel_nm)))
        spans.append(slice(first, max(first, min(n, int((c + reach_nm) / pixel_nm) + 2))))
    dy, dx = (np.arange(s.start, s.stop) * pixel_nm - c for s, c in zip(spans, centre, strict=True))
    return (spans[0], spans[1]), dy[:, None], dx[None, :]


def _surface(
    centres: Floats, radii: Floats, shape: Shape, pixel_nm: float
) -> tuple[Floats, Floats, npt.NDArray[np.intp]]:
    """Height in nm, normal (3: y, x, z) and the sphere (-1: carbon) seen in each pixel."""
    height = np.zeros(shape)
    normal = np.zeros((3, *shape))
    owner = np.full(shape, -1, np.intp)
    for number, (centre, radius) in enumerate(zip(centres, radii, strict=True)):
        part, dy, dx = _window(centre, radius, shape, pixel_nm)
        above = radius**2 - dy**2 - dx**2
        top = radius + np.sqrt(np.maximum(above, 0))
        seen = (above > 0) & (top > height[part])
        height[part][seen] = top[seen]
        owner[part][seen] = number
        for axis, component in enumerate((dy + 0 * dx, dx + 0 * dy, top - radius)):
            normal[axis][part][seen] = component[seen] / radius
    return height, normal, owner


def _carbon(cosine: Floats) -> Floats:
    bulk = YIELD[CARBON] * (1 + SE_PER_BACKSCATTERED * backscattering(CARBON))
    return np.asarray(bulk * tilt_yield(cosine, TILT_EXPONENT[CARBON], 0.3))


def _tin(cosine: Floats, radius: Floats, specimen: TinSpecimen) -> Floats:
    # within an escape depth of the rim the beam is nowhere deeper than SE come from
    least = np.minimum(0.7, np.sqrt(2 * specimen.escape_nm / radius))
    thickness = 2 * radius * cosine
    scattered = backscattering(TIN) * (1 - np.exp(-thickness / BACKSCATTER_NM))
    direct = tilt_yield(cosine, TILT_EXPONENT[TIN], least)
    return np.asarray(YIELD[TIN] * (direct + SE_PER_BACKSCATTERED * scattered))


def _open_sky(
    height: Floats, normal: Floats, centres: Floats, radii: Floats, pixel_nm: float
) -> Floats:
    """Share of the emitted SE that no sphere stops, each hiding the view factor R²/d² cos."""
    sky = np.ones(height.shape)
    for centre, radius in zip(centres, radii, strict=True):
        part, dy, dx = _window(centre, SHADOW_RADII * radius, height.shape, pixel_nm)
        up = radius - height[part]
        squared = dy**2 + dx**2 + up**2
        towards = -dy * normal[0][part] - dx * normal[1][part] + up * normal[2][part]
        hidden = radius**2 * np.maximum(towards, 0) / np.maximum(squared, radius**2) ** 1.5
        sky[part] *= 1 - np.minimum(hidden, 0.95)
    return sky


def _truth(
    centres: Floats, radii: Floats, owner: npt.NDArray[np.intp], pixel_nm: float
) -> TrueParticles:
    seen = np.bincount(owner[owner >= 0], minlength=len(radii)) * pixel_nm**2
    far = np.array(owner.shape) * pixel_nm - pixel_nm / 2
    inside = ((centres > -pixel_nm / 2) & (centres < far)).all(axis=1)
    return TrueParticles(
        y_nm=centres[inside, 0],
        x_nm=centres[inside, 1],
        diameter_nm=2 * radii[inside],
        visible=np.minimum(1.0, seen[inside] / (np.pi * radii[inside] ** 2)),
    )
