"""``antiphon demo``: upload, stems, MIDI and video of a real song."""

from pathlib import Path

import click

from antiphon.commands.connect import PATH


@click.command()
@click.argument("song", type=PATH, help="audio, or a video with sound")
@click.option("--out", type=PATH, default=Path("demo-output"), help="where everything that is made goes")
def demo(song: Path, out: Path) -> None:
    """Start database, API, worker and receiver on loopback; upload SONG; make stems, MIDI and a video; verify the
    callbacks; download everything; stop."""
    import signal
    import sys

    from antiphon.demo.run import run_demo

    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # unwinds, so that everything started is stopped
    if not run_demo(song, out):
        raise click.exceptions.Exit(1)
