"""``sem-sr models``: what is installed."""

from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from napari_sem_sr.cli.options import (
    BlurOption,
    ElsewhereFlag,
    JsonFlag,
    NoiseOption,
    parse_blur,
    parse_noise,
    parse_range,
    read,
)
from napari_sem_sr.terminal import print_json, say, stdout, tell

NameArgument = Annotated[str, typer.Argument(help="Name as listed, or path of a bundle.")]

models_app = typer.Typer(help="Installed models.", invoke_without_command=True)


@models_app.callback()
def models(context: typer.Context, as_json: JsonFlag = False) -> None:
    """List the installed models.

    Parameters
    ----------
    context
        Says whether a command of its own was given.
    """
    if context.invoked_subcommand is not None:
        return
    from napari_sem_sr.model.zoo import damaged_models, list_models

    found = list_models()
    for problem in damaged_models():
        tell(problem)
    if as_json:
        print_json([entry.describe() for entry in found])
        return
    table = Table(
        "model",
        "factor",
        "teachers",
        "twin over bicubic, unseen",
        "SRGAN over bicubic",
        "from",
        box=None,
    )
    for entry in found:
        row = entry.describe()
        table.add_row(
            entry.name,
            f"×{row['factor']}",
            str(row["teachers"]),
            f"{row['twin_gain_db']:+.1f} dB",
            f"{row['gan_gain_db']:+.1f} dB",
            "package" if entry.bundled else "you",
        )
    stdout.print(table)


@models_app.command("show")
def show_model(name: NameArgument, as_json: JsonFlag = False) -> None:
    """Show the card of a model, given by name or path.

    Parameters
    ----------
    name
        Name as listed, or path of a bundle.
    """
    from napari_sem_sr.model.zoo import load_model

    card = load_model(name).card.model_dump(mode="json")
    if not as_json:
        card["training"].pop("curve")
        card["teachers"].pop("hashes")
    print_json(card)


@models_app.command("import")
def import_model(
    file: Annotated[Path, typer.Argument(help="Folder or .semsr file.")],
    name: Annotated[
        str | None, typer.Option(help="What to call it here; the name on its card by default.")
    ] = None,
) -> None:
    """Install a bundle under the name on its card, or another.

    Parameters
    ----------
    file
        Folder or ``.semsr`` file.
    """
    from napari_sem_sr.model.zoo import import_model as install

    entry = install(file, name)
    say(f"Installed '{entry.name}' in {entry.path}")


@models_app.command("export")
def export_model(
    name: NameArgument,
    file: Annotated[Path, typer.Argument(help="Where it is written.")],
    onnx: Annotated[
        bool, typer.Option("--onnx", help="One network as ONNX, for other programs.")
    ] = False,
    bioimageio: Annotated[
        bool, typer.Option("--bioimageio", help="A BioImage.IO package (.zip).")
    ] = False,
    lr: Annotated[
        Path | None,
        typer.Option(metavar="STACK", help="Settle noise, blur and grey range for this stack."),
    ] = None,
    grey_range: Annotated[
        str | None,
        typer.Option("--range", metavar="LOW:HIGH", help="Grey values of black and white."),
    ] = None,
    sharpness: Annotated[
        float | None, typer.Option(min=0, max=1, help="0 twin to 1 SRGAN; the card's by default.")
    ] = None,
    noise: NoiseOption = "auto",
    blur: BlurOption = "auto",
    elsewhere: ElsewhereFlag = False,
) -> None:
    """Write a model as one .semsr file for a colleague, or for other programs (--onnx, --bioimageio).

    Parameters
    ----------
    name
        Name as listed, or path of a bundle.
    file
        File to write.
    onnx
        Write one network as ONNX.
    bioimageio
        Write a BioImage.IO package.
    lr
        Stack that noise, blur and grey range are settled for.
    grey_range
        Grey values ``LOW:HIGH`` of black and white.
    sharpness
        0 (twin) to 1 (SRGAN); the card's by default.
    noise, blur
        Of LR, as for ``upscale``.
    elsewhere
        Whether pixels of ``lr`` may lie outside of the file's folder.
    """
    if onnx and bioimageio:
        raise typer.BadParameter("give either --onnx or --bioimageio", param_hint="--onnx")
    if not onnx and not bioimageio:
        if (lr, grey_range, sharpness, noise, blur) != (None, None, None, "auto", "auto"):
            raise typer.BadParameter(
                "a .semsr file holds both networks for any stack; settle them with --onnx or --bioimageio",
                param_hint="--lr",
            )
        from napari_sem_sr.model.zoo import export_model as write

        write(name, file)
        say(f"Wrote {file}")
        return
    from napari_sem_sr.exchange.bioimageio import write_bioimageio
    from napari_sem_sr.exchange.freeze import freeze
    from napari_sem_sr.exchange.onnx_file import write_onnx
    from napari_sem_sr.inference.settings import UpscaleSettings
    from napari_sem_sr.model.zoo import load_model

    settings = UpscaleSettings(sharpness=sharpness, noise=parse_noise(noise), blur=parse_blur(blur))
    stack = None if lr is None else read(lr, elsewhere=elsewhere)
    frozen, notices = freeze(load_model(name), settings, stack, parse_range(grey_range))
    for notice in notices:
        tell(notice)
    deviation = (write_onnx if onnx else write_bioimageio)(frozen, file)
    say(
        f"Wrote {file}: sharpness {frozen.sharpness:g}; in ONNX Runtime within {255 * deviation:.2g} of 255 grey levels, "
        "borders included"
    )
