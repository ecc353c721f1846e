"""Why a place is suspect, in words, and which tail (see `extreme_values`) says how rare its height is."""

from napari_sem_sr.checking.evidence.persistence import ABSENT

TOO_BRIGHT = "brighter than LR measured"
TOO_DARK = "darker than LR measured"
TEXTURE = "texture that LR did not measure"
INVENTED = "detail that the twin does not draw"
KIND_OF = {
    TOO_BRIGHT: "residual",
    TOO_DARK: "residual",
    TEXTURE: "texture",
    INVENTED: "invention",
    ABSENT: "persistence",
}
