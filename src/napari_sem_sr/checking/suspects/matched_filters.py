"""Shapes that are looked for in a residual: discs, lines, and texture.

Source: the matched filter (Turin 1960, IRE Trans. Inf. Theory 6, 311): of all linear filters the one that lets a known shape
stand out most from noise of a known spectrum is the shape itself, divided by that spectrum. The residual of a
generator is not white: it keeps LR's coarse grey values better than the fine ones, so coarse additions stand out
more than their size alone would let them.
"""

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from scipy.fft import next_fast_len
from scipy.ndimage import gaussian_filter
from torch import Tensor

from napari_sem_sr.metrics.banded import radius_of, smoothing
from napari_sem_sr.metrics.resample import area_average
from napari_sem_sr.metrics.rings import frequency

Float = npt.NDArray[np.float64]

# LR pixels.
DISC_RADII = (0.4, 0.6, 1.0, 1.5, 2.2, 3.2)
LINE_LENGTH, LINE_WIDTH, DIRECTIONS = 5.0, 0.5, 6
TEXTURE_SCALES = (1.0, 1.8)
# Kernels end here; the spectrum is a step function of this many rings.
KERNEL_RADIUS, GRID, RINGS = 10, 64, 16
# Drawn this much finer, and blurred by what is unknown of the position within a pixel.
FINER, JITTER = 8, 0.3
TEXTURE_MARGIN = KERNEL_RADIUS + radius_of(max(TEXTURE_SCALES))
# Spectra of the filters that are kept, by the size of a window.
MOST_SPECTRA = 8
# Share of the residual's power under which a ring is not amplified further.
LEAST_POWER = 0.02


@dataclass(frozen=True, eq=False)
class Bank:
    """Filters for one spectrum of the residual.

    Parameters
    ----------
    shapes
        ``(filters, side, side)``.
    whitening
        ``(side, side)``: gives all rings of the spectrum the same power.
    """

    shapes: Float
    whitening: Float
    _spectra: dict[tuple[str, tuple[int, ...], torch.device], Tensor] = field(
        default_factory=dict, repr=False
    )

    def __getstate__(self) -> dict[str, Any]:
        """Without what belongs to a device."""
        return {"shapes": self.shapes, "whitening": self.whitening, "_spectra": {}}

    @classmethod
    def of(cls, power: Float) -> "Bank":
        """Filters for a residual with ``power`` (RINGS,) from frequency 0 to Nyquist.

        Parameters
        ----------
        power
            ``(RINGS,)`` or ``(n,)``; mean power by frequency.
        """
        radius = frequency((GRID, GRID))
        ring = np.minimum((radius * 2 * RINGS).astype(int), RINGS - 1)
        spectrum = np.maximum(power, LEAST_POWER)[ring]
        shapes = [_kernel(np.fft.fft2(_centred(s)) / spectrum) for s in _shapes()]
        return cls(np.stack(shapes), _kernel(1 / np.sqrt(spectrum)))

    def responses(self, residual: Tensor) -> Tensor:
        """``(filters, y, x)``; positive where the residual, (y, x) and `KERNEL_RADIUS` around it, is too bright.

        Parameters
        ----------
        residual
            ``(y, x)`` with `KERNEL_RADIUS` around it.
        """
        return self._filtered("shapes", self.shapes, residual)

    def texture(self, residual: Tensor) -> list[Tensor]:
        """Cube root of local power by scale, near normal for noise (Wilson and Hilferty 1931).

        Parameters
        ----------
        residual
            ``(y, x)`` and `TEXTURE_MARGIN` around it: mirrored at the edges of an image, where zeros would leave it half
            whitened.
        """
        white = self._filtered("whitening", self.whitening[None], residual)[0].square_()
        found = []
        for scale in TEXTURE_SCALES:
            spare = TEXTURE_MARGIN - KERNEL_RADIUS - radius_of(scale)
            part = white[spare : white.shape[0] - spare, spare : white.shape[1] - spare]
            found.append(smoothing(scale).both(part).clamp_min_(0).pow_(1 / 3))
        return found

    def _filtered(self, name: str, kernels: Float, image: Tensor) -> Tensor:
        """Every kernel over the image, `KERNEL_RADIUS` narrower on all sides, by way of its spectrum."""
        size = tuple(next_fast_len(n, real=True) for n in image.shape)
        key = (name, size, image.device)
        if key not in self._spectra:
            # a run has windows of two or three sizes
            if len(self._spectra) >= MOST_SPECTRA:
                self._spectra.clear()
            there = torch.from_numpy(kernels.astype(np.float32)).to(image.device)
            self._spectra[key] = torch.fft.rfft2(there, s=size)
        spectrum = torch.fft.rfft2(image, s=size)
        made = torch.fft.irfft2(spectrum * self._spectra[key], s=size)
        # what is wrapped around lies in the first rows and columns
        found: Tensor = made[
            :, 2 * KERNEL_RADIUS : image.shape[0], 2 * KERNEL_RADIUS : image.shape[1]
        ]
        return found


def ring_power(residual: Float) -> Float:
    """``(RINGS,)`` mean power of a residual without NaN, 1 for white noise of variance 1.

    Parameters
    ----------
    residual
        ``(y, x)``, in standard deviations.
    """
    power = np.abs(np.fft.rfft2(residual)) ** 2 / residual.size
    radius = frequency(residual.shape, half=True)
    ring = np.minimum((radius * 2 * RINGS).astype(int), RINGS - 1).ravel()
    count = np.bincount(ring, minlength=RINGS)
    total = np.bincount(ring, power.ravel(), minlength=RINGS)
    # tiny slices have empty rings
    return np.asarray(np.where(count > 0, total / np.maximum(count, 1), power.mean()))


def _shapes() -> list[Float]:
    side = (2 * KERNEL_RADIUS + 1) * FINER
    yy, xx = np.mgrid[:side, :side] - (side - 1) / 2
    drawn = [np.hypot(yy, xx) < FINER * radius for radius in DISC_RADII]
    for angle in np.arange(DIRECTIONS) * np.pi / DIRECTIONS:
        along = np.abs(yy * np.sin(angle) + xx * np.cos(angle)) < FINER * LINE_LENGTH / 2
        across = np.abs(xx * np.sin(angle) - yy * np.cos(angle)) < FINER * LINE_WIDTH / 2
        drawn.append(along & across)
    return [area_average(gaussian_filter(d.astype(float), FINER * JITTER), FINER) for d in drawn]


def _centred(shape: Float) -> Float:
    """``shape`` on the grid with its middle at the origin."""
    grid = np.zeros((GRID, GRID))
    grid[: shape.shape[0], : shape.shape[1]] = shape
    return np.roll(grid, (-KERNEL_RADIUS, -KERNEL_RADIUS), (0, 1))


def _kernel(transform: npt.NDArray[np.complex128] | Float) -> Float:
    """Middle of the real filter with this (even) transfer function."""
    whole = np.fft.fftshift(np.fft.ifft2(transform).real)
    middle = slice(GRID // 2 - KERNEL_RADIUS, GRID // 2 + KERNEL_RADIUS + 1)
    return np.asarray(whole[middle, middle])
