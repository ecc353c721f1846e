"""Files to :class:`~napari_sem_sr.stack.SemStack` and back: reading, OME-Zarr, OME-TIFF, PNG."""

from napari_sem_sr.io.write_zarr import ZarrStackWriter

__all__ = ["ZarrStackWriter"]
