"""Ship the top-level napari.yaml inside the package, where npe2 looks for it."""

import shutil
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class ManifestHook(BuildHookInterface):
    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        manifest = Path(self.root) / "napari.yaml"
        if version != "editable":
            build_data["force_include"][str(manifest)] = "napari_sem_sr/napari.yaml"
            return
        in_package = Path(self.root) / "src" / "napari_sem_sr" / "napari.yaml"
        in_package.unlink(missing_ok=True)
        try:
            in_package.symlink_to(Path("..") / ".." / "napari.yaml")
        except OSError:  # Windows without developer mode
            shutil.copyfile(manifest, in_package)
