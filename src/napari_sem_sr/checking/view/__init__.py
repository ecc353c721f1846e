"""One stack and its slices as kinds of evidence see them; what kinds share is computed once."""
