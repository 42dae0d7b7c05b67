"""``python -m bench.eval_midi [DATA]``: all figures, or with ``--only`` some of them.

``--only rendered --font fluid --mix-only --no-rival`` scores ten pieces again within a minute once their stems are
separated. Only a whole run is written to ``bench/results/eval-midi.json``.
"""

import argparse
from collections.abc import Callable
from pathlib import Path
from typing import get_args

from antiphon.music.transcription.ear import EarName
from antiphon.settings import load_settings
from bench import results
from bench.eval_midi.chain import Chain
from bench.eval_midi.contender import AdtLib, BasicPitch
from bench.eval_midi.parity import parity
from bench.eval_midi.pieces import rendered_pieces
from bench.eval_midi.render import FONTS, Missing
from bench.eval_midi.setup import Figures, Setup
from bench.eval_midi.songs import beats, drums, vocals
from bench.eval_midi.styles import STYLES
from bench.eval_midi.variants import variants

CACHE = Path(".cache/eval-midi")
DATA = Path("../shared/data")
SECTIONS: dict[str, Callable[[Setup], Figures]] = {
    "drums": drums,
    "vocals": vocals,
    "beats": beats,
    "rendered": rendered_pieces,
    "variants": variants,
    "parity": parity,
}


def _arguments() -> tuple[argparse.ArgumentParser, argparse.Namespace]:
    parser = argparse.ArgumentParser(prog="python -m bench.eval_midi", description="Evaluate the MIDI of songs.")
    parser.add_argument("data", type=Path, nargs="?", default=DATA, help="folder that holds mdb/<song>/")
    parser.add_argument("--only", action="append", choices=SECTIONS, help="this section; may be given several times")
    parser.add_argument("--song", action="append", help="of the shared songs this one only")
    parser.add_argument("--font", action="append", choices=FONTS, help="rendered pieces: this soundfont only")
    parser.add_argument("--style", action="append", choices=[style.name for style in STYLES])
    parser.add_argument("--mix-only", action="store_true", help="rendered pieces: not also from their true stems")
    parser.add_argument("--ear", choices=get_args(EarName), default="own", help="what hears pitched notes")
    parser.add_argument("--no-rival", action="store_true", help="without basic-pitch and ADTLib")
    parser.add_argument("--cache", type=Path, default=CACHE, help="folder of the rendered pieces and the stems")
    parser.add_argument("--models", type=Path, default=load_settings().models_folder)
    parser.add_argument("--jobs", type=int, default=results.cores())
    return parser, parser.parse_args()


def main() -> None:
    parser, asked = _arguments()
    songs = [path.parent for path in sorted(asked.data.glob("mdb/*/mix.flac"))]
    songs = [song for song in songs if not asked.song or song.name in asked.song]
    if not songs and set(asked.only or SECTIONS) - {"rendered", "bars", "variants"}:
        parser.error(f"no songs under {asked.data}/mdb: give the folder of the evaluation data")
    cache = asked.cache.absolute()
    setup = Setup(
        chain=Chain(cache, asked.models.absolute(), threads=1, ear=asked.ear),
        songs=songs,
        styles=[style for style in STYLES if not asked.style or style.name in asked.style],
        fonts=asked.font or list(FONTS),
        jobs=asked.jobs,
        stems=not asked.mix_only,
        rival=None if asked.no_rival else BasicPitch(cache),
        drum_rival=None if asked.no_rival else AdtLib(cache),
    )
    figures: Figures = {}
    try:
        for name in asked.only or SECTIONS:
            figures |= SECTIONS[name](setup)
    except Missing as missing:
        parser.exit(1, f"{missing}\n")
    if not (asked.only or asked.font or asked.style or asked.song or asked.mix_only or asked.no_rival):
        print(f"written: {results.write('eval-midi', figures, 'make eval-midi')}")


if __name__ == "__main__":
    main()
