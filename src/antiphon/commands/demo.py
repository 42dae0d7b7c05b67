"""``antiphon demo``: the whole line on a real song."""

from pathlib import Path
from typing import Annotated

import typer


def demo(
    song: Annotated[Path, typer.Argument(metavar="SONG", help="audio, or a video with sound")],
    out: Annotated[Path, typer.Option(help="where everything that is made goes")] = Path("demo-output"),
) -> None:
    """Start database, API, worker and receiver on loopback; upload SONG; make stems, MIDI and a video; verify the
    callbacks; download everything; stop."""
    import signal
    import sys

    from antiphon.demo.run import run_demo

    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # unwinds, so that everything started is stopped
    if not run_demo(song, out):
        raise typer.Exit(1)
