"""Two networks learn: that of the test on left-out slices, and the one that makes the volume."""
