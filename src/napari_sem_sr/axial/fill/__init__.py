"""Slices between measured ones: by network, tile by tile and block by block, and by interpolation."""
