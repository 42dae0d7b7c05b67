"""``antiphon models``: the weights of the engines."""

import typer

app = typer.Typer(help="The weights of the engines.", no_args_is_help=True)


@app.command()
def fetch() -> None:
    """Fetch and unpack all weights now, instead of when they are first needed."""
    from antiphon.commands.engines import bar
    from antiphon.music import weights
    from antiphon.settings import load_settings

    folder = load_settings().models_folder
    with bar("weights") as progress:
        weights.fetch(folder, progress)
    show()


@app.command("list")
def show() -> None:
    """List the weights: whether they are there, where, and under which licence."""
    from antiphon.music import weights
    from antiphon.settings import load_settings

    for item in weights.status(load_settings().models_folder):
        typer.echo(
            f"{item.name:>12}  {'ready' if item.ready else 'missing'}  {item.licence}  {item.detail or item.path}"
        )
