"""What vendors write about an image, in one normal form.

One module per vendor with one function ``find(image) -> VendorMetadata | None``; a new vendor is a new module
and its entry in ``VENDORS``. The first one that recognises its own marks is believed.
"""

from pathlib import Path

from napari_sem_sr.io.metadata import fibics, hitachi, jeol, tescan, thermofisher, zeiss
from napari_sem_sr.io.metadata.form import ImageFile, VendorMetadata

__all__ = ["VENDORS", "ImageFile", "VendorMetadata", "find_metadata", "sidecars_of"]

# Atlas writes beside SmartSEM's tag, and knows the pixel size of its own scan
VENDORS = (fibics.find, zeiss.find, thermofisher.find, tescan.find, hitachi.find, jeol.find)


def find_metadata(image: ImageFile) -> VendorMetadata | None:
    """Return what the image's vendor says about it, or None where no vendor is recognised.

    Parameters
    ----------
    image
        The image, and its TIFF if it is one.
    """
    return next((found for find in VENDORS if (found := find(image)) is not None), None)


def sidecars_of(image: Path) -> tuple[Path, ...]:
    """Return the vendors' files beside an image that belong to it.

    Parameters
    ----------
    image
        Path of the image; it need not be one.
    """
    beside = (jeol.sidecar_of(image), tescan.sidecar_of(image))
    return tuple(path for path in beside if path is not None)
