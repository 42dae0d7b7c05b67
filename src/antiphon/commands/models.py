"""``antiphon models``: the weights of the engines."""

import click

from antiphon.music import separators


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


@models.command()
@click.argument("name", type=click.Choice(separators.HTDEMUCS), help="of an engine")
def pull(name: str) -> None:
    """Fetch the weights of a separation engine now, instead of when it is first used. Goes on where it broke off."""
    from antiphon.commands.engines import bar
    from antiphon.music.separation import pretrained
    from antiphon.settings import load_settings

    settings = load_settings()
    model = pretrained.PRETRAINED[name]
    click.echo(f"{name}: {model.megabytes} MB; its weights are for {model.licence}", err=True)
    with bar(name) as progress:
        path = pretrained.ensure(settings.models_folder, name, progress, source=settings.models_url)
    click.echo(path)


@models.command("list")
def list_weights() -> None:
    """List the weights: whether they are there, where, and under which licence."""
    _show()


def _show() -> None:
    from antiphon.music import weights
    from antiphon.music.separation import pretrained
    from antiphon.settings import load_settings

    folder = load_settings().models_folder
    for item in weights.status(folder):
        click.echo(
            f"{item.name:>12}  {'ready' if item.ready else 'missing'}  {item.licence}  {item.detail or item.path}"
        )
    for name, model in pretrained.PRETRAINED.items():
        path = pretrained.manifest_of(folder, name)
        state, detail = "optional", f"{model.megabytes} MB: run 'antiphon models pull {name}'"
        if path.is_file():
            state, detail = "ready", str(path)
        click.echo(f"{name:>12}  {state}  {model.licence}  {detail}")
