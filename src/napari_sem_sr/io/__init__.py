"""Files to :class:`~napari_sem_sr.stack.SemStack` and back: reading, OME-Zarr, OME-TIFF, PNG."""

from napari_sem_sr.io.read import read_stack
from napari_sem_sr.io.write_png import write_png
from napari_sem_sr.io.write_tiff import iter_write_tiff, write_tiff
from napari_sem_sr.io.write_zarr import ZarrStackWriter

__all__ = ["ZarrStackWriter", "iter_write_tiff", "read_stack", "write_png", "write_tiff"]
