"""Which voxel belongs to which phase."""
