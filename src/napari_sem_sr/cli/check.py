"""``sem-sr check``: what in an SR stack is supported by the measurement."""

from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from napari_sem_sr.cli.options import ElsewhereFlag, JsonFlag, WithoutOption, parse_without, read
from napari_sem_sr.terminal import follow, print_json, say, tell


def check(
    lr: Annotated[Path, typer.Option(help="Measured LR stack.")],
    sr: Annotated[Path, typer.Option(help="Its SR stack.")],
    out: Annotated[
        Path, typer.Option(help="Folder for report.html, report.json, regions.csv, maps.zarr.")
    ],
    hr: Annotated[Path | None, typer.Option(help="HR of the same field, if there is one.")] = None,
    reference: Annotated[
        list[Path] | None,
        typer.Option(help="Teacher images of the same material, of other places; may be repeated."),
    ] = None,
    model: Annotated[
        str | None, typer.Option(help="Model that made SR; known from SR if installed.")
    ] = None,
    register: Annotated[
        bool, typer.Option("--register", help="Lay HR over LR by what its pixels show.")
    ] = False,
    project: Annotated[
        bool,
        typer.Option("--project", help="Also write SR made consistent with LR: projected.zarr."),
    ] = False,
    without: WithoutOption = None,
    elsewhere: ElsewhereFlag = False,
    every: Annotated[
        int, typer.Option(min=1, metavar="N", help="A quick look: every N-th slice only.")
    ] = 1,
    scheduler: Annotated[
        str | None, typer.Option(metavar="ADDRESS", help="Use the workers of this Dask scheduler.")
    ] = None,
    resume: Annotated[
        bool, typer.Option("--resume", help="Continue an interrupted check.")
    ] = False,
    as_json: JsonFlag = False,
) -> None:
    """Check SR against what was measured, and against HR where there is one."""
    from napari_sem_sr.checking import iter_check
    from napari_sem_sr.checking.cluster import iter_check_on
    from napari_sem_sr.model.zoo import load_model, model_of
    from napari_sem_sr.teachers.teacher import read_teachers

    teachers = None
    if reference:
        teachers, notices = read_teachers(reference, elsewhere=elsewhere)
        for notice in notices:
            tell(notice)
    # workers may run in another folder
    lr_stack, made, truth = (
        None if p is None else read(p if scheduler is None else p.absolute(), elsewhere=elsewhere)
        for p in (lr, sr, hr)
    )
    assert lr_stack is not None and made is not None
    begin = iter_check if scheduler is None else partial(iter_check_on, scheduler)
    work = begin(
        lr_stack,
        made,
        truth,
        model=model_of(made.provenance) if model is None else load_model(model),
        reference=teachers,
        out=out,
        register=register,
        project=project,
        without=parse_without(without),
        every=every,
        resume=resume,
    )
    report = follow(work)
    if as_json:
        print_json(report.document())
    else:
        say(report.verdict)
        say(f"Report: {out / 'report.html'}")
