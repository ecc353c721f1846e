"""The maps that a check writes, one OME-Zarr each; needs no torch."""

from napari_sem_sr.checking.evidence.trust import TOLERANCE

FOLDER = "maps.zarr"
# Grid ("SR" or "LR") and meaning.
MAPS = {
    "consistency": ("LR", "SR averaged over LR pixels − LR, in standard deviations of LR's noise"),
    "invention": ("LR", "what SR (or the GAN, where SR is the twin) adds to the twin, grey levels"),
    "agreement": ("LR", "local correlation of that picture's detail with the twin's, −1 to 1"),
    "doubt": (
        "LR",
        "−agreement − 0.3 ln(detail / noise): larger where detail is more likely wrong",
    ),
    "stability": (
        "LR",
        "standard deviation of SR over eight flips and turns of LR, grey levels; on a few slices only",
    ),
    "expected_error": (
        "LR",
        "how far SR is probably from HR, as learned on held-out teachers, grey levels",
    ),
    "persistence": (
        "LR",
        "local correlation of SR's detail with the slice before or after, −1 to 1",
    ),
    "trust": ("LR", "1 where the detail may be trusted, 0 where not"),
    "trust_error": (
        "LR",
        f"1 where SR may be trusted to be within {TOLERANCE:.0%} of the intensity range, 0 where not",
    ),
    "difference": ("SR", "SR − HR, grey levels"),
    "difference_low": (
        "LR",
        "SR − HR below the Nyquist frequency of LR: contradicts LR, grey levels",
    ),
    "difference_high": (
        "LR",
        "SR − HR above the Nyquist frequency of LR, root mean square, grey levels",
    ),
    "ssim": ("LR", "local structural similarity of SR and HR, −1 to 1"),
    "local_frc": (
        "LR",
        "where the ring correlation of SR and HR in a patch falls below 0.5, cycles per LR pixel (0.5 is LR's Nyquist frequency)",
    ),
}
