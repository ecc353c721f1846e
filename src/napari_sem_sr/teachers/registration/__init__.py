"""Two recordings of one field laid over each other, to a fraction of a pixel."""
