"""From evidence to suspect regions: what is usual, what stands out, and where to look first."""
