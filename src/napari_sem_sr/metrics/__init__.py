"""One image beside another: scores, spectra, ring correlations, differences, and robust statistics of images."""
