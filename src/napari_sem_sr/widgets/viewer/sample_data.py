"""File > Open Sample: real FIB-SEM with and without its true answer."""

from typing import Any

# The bundled model enlarges four times, so the sample is averaged 4 × 4.
FACTOR = 4
LR_NAME = "medulla LR (40 nm)"
HR_NAME = "medulla HR (10 nm)"


def open_lr() -> list[Any]:
    """FIB-SEM of *Drosophila* medulla averaged to 40 nm, as a coarser microscope would have recorded it."""
    return open_pair()[-1:]


def open_pair() -> list[Any]:
    """The same, over the measured 10 nm stack to compare with."""
    from napari_sem_sr.degradation.degrade import degrade_stack, trim_to_multiple
    from napari_sem_sr.samples import medulla_hr
    from napari_sem_sr.widgets.viewer.layers import image_data, limits_of

    hr = trim_to_multiple(medulla_hr(), FACTOR)
    lr = degrade_stack(hr, FACTOR)
    limits = limits_of(lr)
    return [
        image_data(hr, HR_NAME, "HR", limits=limits),
        image_data(lr, LR_NAME, "LR", limits=limits),
    ]
