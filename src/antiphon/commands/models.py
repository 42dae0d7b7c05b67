"""``antiphon models``: the weights of the engines."""

import click


@click.group()
def models() -> None:
    """The weights of the engines."""


@models.command()
def fetch() -> None:
    """Fetch and unpack all weights now, instead of when they are first needed."""
    from antiphon.commands.engines import bar
    from antiphon.music import weights
    from antiphon.settings import load_settings

    folder = load_settings().models_folder
    with bar("weights") as progress:
        weights.fetch(folder, progress)
    _show()


@models.command("list")
def list_weights() -> None:
    """List the weights: whether they are there, where, and under which licence."""
    _show()


def _show() -> None:
    from antiphon.music import weights
    from antiphon.settings import load_settings

    for item in weights.status(load_settings().models_folder):
        click.echo(
            f"{item.name:>12}  {'ready' if item.ready else 'missing'}  {item.licence}  {item.detail or item.path}"
        )
