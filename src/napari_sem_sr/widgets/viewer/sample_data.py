"""File > Open Sample: real noise with its true answer, and a real FIB-SEM stack with and without its own."""

from typing import Any

# The bundled model enlarges four times, so the sample is averaged 4 × 4.
FACTOR = 4
LR_NAME = "medulla LR (40 nm)"
HR_NAME = "medulla HR (10 nm)"
TIN_LR_NAME = "tin LR 23 nm"
TIN_HR_NAME = "tin HR 6 nm"


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


def open_tin() -> list[Any]:
    """Tin on carbon recorded twice: a fast, noisy scan of large pixels over a slow, fine one."""
    from napari_sem_sr.samples import tin_pair
    from napari_sem_sr.widgets.viewer.layers import image_data, limits_of

    lr, hr = tin_pair()
    limits = limits_of(lr)
    return [
        image_data(hr, TIN_HR_NAME, "HR", limits=limits),
        image_data(lr, TIN_LR_NAME, "LR", limits=limits),
    ]
