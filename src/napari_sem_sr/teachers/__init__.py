"""Teacher images: scale, overlap, split by specimen, and pairs of real recordings."""
