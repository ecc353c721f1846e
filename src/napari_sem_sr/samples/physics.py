"""What an SEM does to a surface: emission, shadows, the beam, the detector.

Sources
-------
Reimer, *Scanning Electron Microscopy*, 2nd ed., Springer 1998: SE yield and tilt (ch. 4), detectors and
noise (ch. 5). Seiler 1983, J. Appl. Phys. 54, R1: SE emission, escape depths. Reuter 1972, Proc. 6th Int.
Conf. X-ray Optics and Microanalysis, 121: backscattering by atomic number. Niedrig 1982, J. Appl. Phys. 53,
R15: backscattering of thin films.
"""

from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import fft
from scipy.ndimage import gaussian_filter

Floats = npt.NDArray[np.float64]
Shape = tuple[int, int]

FWHM_PER_SIGMA = 2.3548
# SE made by one backscattered electron, relative to one of the beam (Reimer 1998, 4.2: 2 to 3 for metals).
SE_PER_BACKSCATTERED = 2.5


def backscattering(atomic_number: float) -> float:
    """Backscattering coefficient of a bulk element at normal incidence (polynomial of Reuter 1972).

    Parameters
    ----------
    atomic_number
        Of the element, or the mean of a compound.
    """
    z = atomic_number
    return -0.0254 + 0.016 * z - 1.86e-4 * z**2 + 8.31e-7 * z**3


def tilt_yield(cosine: Any, exponent: float, least_cosine: Any) -> Any:
    """SE yield relative to normal incidence: ``cosine ** -exponent`` (Seiler 1983; Reimer 1998, 4.2).

    Parameters
    ----------
    cosine
        Of the angle between beam and surface normal.
    exponent
        About 1.3 for light elements, 0.8 for heavy ones.
    least_cosine
        Where the yield stops growing, because the escape depth is all that can emit.
    """
    return np.maximum(cosine, least_cosine) ** -exponent


def fractal(
    shape: Shape, pixel_nm: float, rng: np.random.Generator, coarse_nm: float, exponent: float
) -> Floats:
    """Random field of mean 0 and standard deviation 1 with a power-law spectrum.

    Parameters
    ----------
    shape
        (y, x) in pixels.
    pixel_nm
        Side of a pixel in nm.
    rng
        Draws the field.
    coarse_nm
        Scale above which nothing is added.
    exponent
        The amplitude falls as frequency ** -exponent below that scale; 1 is rough, 2 smooth.
    """
    y, x = (fft.next_fast_len(n, real=True) for n in shape)
    fy = fft.fftfreq(y, pixel_nm)[:, None]
    fx = fft.rfftfreq(x, pixel_nm)[None, :]
    amplitude = (fy**2 + fx**2 + coarse_nm**-2) ** (-exponent / 2)
    spectrum = fft.rfft2(rng.standard_normal((y, x))) * amplitude
    field: Floats = fft.irfft2(spectrum, (y, x))[: shape[0], : shape[1]]
    field -= field.mean()
    return np.asarray(field / (field.std() or 1.0))


def record(
    signal: Floats,
    pixel_nm: float,
    rng: np.random.Generator,
    *,
    beam_nm: float,
    electrons: float,
    line_noise: float,
    black: float,
    white: float,
) -> npt.NDArray[np.uint8]:
    """Scan ``signal`` and digitise it to 8 bit.

    Parameters
    ----------
    signal
        Mean emission per beam electron, in any unit, (y, x).
    pixel_nm
        Side of a pixel in nm.
    rng
        Draws the noise.
    beam_nm
        Full width at half maximum of the beam with its interaction volume.
    electrons
        Electrons detected per pixel where the signal is average; their number is Poisson distributed.
    line_noise
        Relative change of the beam current from line to line.
    black, white
        Grey values that the darkest and the brightest permille of the signal get, as set on the microscope.
    """
    seen = gaussian_filter(signal, beam_nm / FWHM_PER_SIGMA / pixel_nm)
    seen *= 1 + line_noise * rng.standard_normal((len(seen), 1))
    # above some tens of electrons a normal deviate is as good as a Poisson deviate, and much faster
    mean = np.maximum(seen, 0) * (electrons / seen.mean())
    counts = mean + np.sqrt(mean) * rng.standard_normal(mean.shape)
    low, high = np.percentile(mean, (0.1, 99.9))
    grey = black + (white - black) * (counts - low) / (high - low)
    return np.asarray(np.clip(np.rint(grey), 0, 255), dtype=np.uint8)
