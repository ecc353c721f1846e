"""``sem-sr doctor``: whether this installation is well."""

import typer

from napari_sem_sr.cli.options import JsonFlag
from napari_sem_sr.terminal import follow, print_json, say

_MARKS = {"well": "well   ", "note": "note   ", "unwell": "NOT WELL"}


def doctor(as_json: JsonFlag = False) -> None:
    """Examine this installation, and say what to do where something is not well; exit code 1 then."""
    from napari_sem_sr.doctor import iter_examine_installation

    health = follow(iter_examine_installation(), go_on="the same command starts over")
    if as_json:
        print_json(health.to_json())
    else:
        for finding in health.findings:
            say(f"{_MARKS[finding.state]:8} {finding.name}: {finding.found}")
            if finding.advice:
                say(f"{'':8} -> {finding.advice}")
        say("All is well." if health.well else "Something is not well; see above.")
    if not health.well:
        raise typer.Exit(1)
