"""What the core says, as a dock says it: options of the command line are buttons and fields here."""

import re

from napari_sem_sr.widgets.words import spoken

PHRASES: tuple[tuple[str, str], ...] = (
    (r"--resume it, --overwrite it, or give another name", "resume it, start over, or choose another name"),
    (r"or --resume or --overwrite it", "or resume it or start over"),
    (r"(give|choose) another name,? or --overwrite it", "choose another name, or start over"),
    (r"or --overwrite it", "or start over"),
    (r"--resume to continue it", "check again to continue it"),
    (r"run sem-sr upscale with --resume first, then check it", "finish it in Upscale first (Resume), then check it"),
    (r"run the command that made it again with --resume", "resume it in Upscale"),
    (r"run again with --resume", "resume it"),
    (r"give it with --model", "install the model that made it"),
    (r"check again with --register", "check again with Register ticked"),
    (r"perhaps: try --tile", "perhaps: try a smaller tile under Advanced"),
    (r"\(--region\)", "(Region)"),
    (r"\(--tilt, or Voxel size\)", "(Voxel size)"),
    (r"or convert it knowingly with --grey \(grey=True\)", "or have it converted to grey"),
    (r"; where you trust it, read them knowingly with --elsewhere \(elsewhere=True\)", ", and is read only where you trust it"),
    (r"\s*\(--[^)]*\)", ""),
    (r"--grey \(grey=True\)", "conversion to grey"),
    (r"with --(\w+)", r"with \1"),
    (r"--(\w+)", r"\1"),
)  # fmt: skip
_FLAG = "--"


def in_dock(text: str) -> str:
    """A sentence of the core in the person's language, without options of the command line."""
    text = spoken(text)
    if _FLAG not in text:
        return text
    for pattern, phrase in PHRASES:
        text = re.sub(pattern, phrase, text)
    return text
