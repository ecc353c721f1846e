"""What a person sees in napari: one module per dock, thin, without arithmetic."""
