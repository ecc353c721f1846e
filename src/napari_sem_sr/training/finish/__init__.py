"""The end of a training: scores on held-out teachers, calibration, the bundle."""
