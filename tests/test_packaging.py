"""The plugin is registered however it is installed, and start-up stays light."""

import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("wheel")
    subprocess.run(
        [
            sys.executable,
            "-m",
            "build",
            "--wheel",
            "--no-isolation",
            "--outdir",
            str(out),
            str(ROOT),
        ],
        check=True,
        capture_output=True,
    )
    return next(out.glob("*.whl"))


def test_the_wheel_registers_a_valid_manifest(wheel: Path, tmp_path: Path) -> None:
    subprocess.run(
        [
            sys.executable,
            "-m",
            "pip",
            "install",
            "--quiet",
            "--no-deps",
            "--target",
            str(tmp_path),
            str(wheel),
        ],
        check=True,
    )
    code = (
        "import sys; sys.path.insert(0, sys.argv[1])\n"
        "from npe2 import PluginManifest\n"
        "manifest = PluginManifest.from_distribution('napari-sem-sr')\n"
        "assert manifest.name == 'napari-sem-sr'\n"
        "import napari_sem_sr; assert napari_sem_sr.__file__.startswith(sys.argv[1])\n"
        "manifest.validate_imports()\n"
    )
    subprocess.run([sys.executable, "-I", "-c", code, str(tmp_path)], check=True)


def test_the_wheel_carries_samples_models_and_licences(wheel: Path) -> None:
    names = zipfile.ZipFile(wheel).namelist()
    for part in (
        "napari_sem_sr/napari.yaml",
        "napari_sem_sr/py.typed",
        "napari_sem_sr/samples/data/medulla_10nm.ome.tif",
        "napari_sem_sr/samples/data/LICENSE.medulla.txt",
        "napari_sem_sr/model/bundled/sem-x4/card.json",
        "napari_sem_sr/model/bundled/sem-x4/generator.safetensors",
    ):
        assert part in names
    assert wheel.stat().st_size < 40 * 2**20


def test_the_installed_plugin_is_valid_and_listed() -> None:
    for arguments in (["validate", "napari-sem-sr"], ["list"]):
        done = subprocess.run(
            [sys.executable, "-m", "npe2", *arguments], check=True, capture_output=True, text=True
        )
    assert "napari-sem-sr" in done.stdout


def test_importing_the_package_loads_no_torch_and_no_qt() -> None:
    code = (
        "import sys, napari_sem_sr, napari_sem_sr.cli, napari_sem_sr.io, napari_sem_sr.samples\n"
        "heavy = {'torch', 'qtpy', 'napari', 'magicgui'} & set(sys.modules)\n"
        "assert not heavy, heavy\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_public_functions_are_found_where_the_readme_says() -> None:
    from napari_sem_sr import check, load_model, read_stack, train, upscale

    assert all(callable(f) for f in (check, load_model, read_stack, train, upscale))


def test_no_path_of_a_developer_machine_is_in_the_repository() -> None:
    listed = subprocess.run(
        ["git", "ls-files", "*.py", "*.md", "*.toml", "*.yaml", "Makefile"],
        cwd=ROOT,
        check=True,
        capture_output=True,
        text=True,
    ).stdout.split()
    for name in listed:
        if name != "tests/test_packaging.py":
            text = (ROOT / name).read_text(encoding="utf-8")
            assert "/home/" not in text and "/root/" not in text, name
