"""Files to :class:`~napari_sem_sr.stack.SemStack` and back: reading, OME-Zarr, OME-TIFF, PNG."""

from napari_sem_sr.io.read.folder import list_images
from napari_sem_sr.io.read.omezarr import is_zarr
from napari_sem_sr.io.read.read_stack import iter_read_stack, read_stack
from napari_sem_sr.io.read.together import Together, iter_sort_together
from napari_sem_sr.io.read.unrelated import iter_unrelated
from napari_sem_sr.io.write.png import write_png
from napari_sem_sr.io.write.tiff import iter_write_tiff, write_tiff
from napari_sem_sr.io.write.zarr import ZarrStackWriter

__all__ = [
    "Together",
    "ZarrStackWriter",
    "is_zarr",
    "iter_read_stack",
    "iter_sort_together",
    "iter_unrelated",
    "iter_write_tiff",
    "list_images",
    "read_stack",
    "write_png",
    "write_tiff",
]
