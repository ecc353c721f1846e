"""What vendors write about an image, in one normal form.

One module per vendor with one function ``find(image) -> Found | None``; a new vendor is a new module
and its entry in ``VENDORS``. The first one that recognises its own marks is believed.
"""

from napari_sem_sr.io.metadata import jeol, thermofisher, zeiss
from napari_sem_sr.io.metadata.form import Found, ImageFile

__all__ = ["VENDORS", "Found", "ImageFile", "find_metadata"]

VENDORS = (zeiss.find, thermofisher.find, jeol.find)


def find_metadata(image: ImageFile) -> Found | None:
    """Return what the image's vendor says about it, or None where no vendor is recognised."""
    return next((found for find in VENDORS if (found := find(image)) is not None), None)
