"""``sem-sr models``: what is installed."""

from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from napari_sem_sr.cli.options import JsonFlag
from napari_sem_sr.terminal import print_json, say, stdout, tell

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
def show_model(name: str, as_json: JsonFlag = False) -> None:
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
    file: Path,
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
def export_model(name: str, file: Path) -> None:
    """Write a model as one .semsr file to give to a colleague.

    Parameters
    ----------
    name
        Name as listed, or path of a bundle.
    file
        File to write.
    """
    from napari_sem_sr.model.zoo import export_model as write

    write(name, file)
    say(f"Wrote {file}")
