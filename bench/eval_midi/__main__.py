"""``python -m bench.eval_midi [DATA]``: all figures, or with ``--only`` some of them.

``--only rendered --font fluid --mix-only`` scores ten pieces again within a minute once their stems are separated. Only
a whole run is written to ``bench/results/eval-midi.json``.
"""

import argparse
from collections.abc import Callable
from pathlib import Path

from antiphon.settings import load_settings
from bench import results
from bench.eval_midi import sections
from bench.eval_midi.chain import Chain
from bench.eval_midi.render import FONTS, Missing
from bench.eval_midi.sections import Bench, Figures
from bench.eval_midi.styles import STYLES

CACHE = Path(".cache/eval-midi")
DATA = Path("../shared/data")
SECTIONS: dict[str, Callable[[Bench], Figures]] = {
    "drums": sections.drums,
    "vocals": sections.vocals,
    "beats": sections.beats,
    "rendered": sections.rendered_pieces,
}


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.eval_midi", description="Evaluate the MIDI of songs.")
    parser.add_argument("data", type=Path, nargs="?", default=DATA, help="folder that holds mdb/<song>/")
    parser.add_argument("--only", action="append", choices=SECTIONS, help="this section; may be given several times")
    parser.add_argument("--font", action="append", choices=FONTS, help="rendered pieces: this soundfont only")
    parser.add_argument("--style", action="append", choices=[style.name for style in STYLES])
    parser.add_argument("--mix-only", action="store_true", help="rendered pieces: not also from their true stems")
    parser.add_argument("--song", action="append", help="shared songs: this one only")
    parser.add_argument("--cache", type=Path, default=CACHE, help="folder of the rendered pieces and the stems")
    parser.add_argument("--models", type=Path, default=load_settings().models_folder)
    parser.add_argument("--jobs", type=int, default=results.cores())
    arguments = parser.parse_args()
    songs = [path.parent for path in sorted(arguments.data.glob("mdb/*/mix.flac"))]
    chosen = [song for song in songs if not arguments.song or song.name in arguments.song]
    if not chosen and set(arguments.only or SECTIONS) != {"rendered"}:
        parser.error(f"no songs under {arguments.data}/mdb: give the folder of the evaluation data")
    styles = [style for style in STYLES if not arguments.style or style.name in arguments.style]
    chain = Chain(arguments.cache.absolute(), arguments.models.absolute(), threads=1)
    bench = Bench(chain, chosen, styles, arguments.font or list(FONTS), arguments.jobs, arguments.mix_only)
    figures: Figures = {}
    try:
        for name in arguments.only or SECTIONS:
            figures |= SECTIONS[name](bench)
    except Missing as missing:
        parser.exit(1, f"{missing}\n")
    if not (arguments.only or arguments.font or arguments.style or arguments.song or arguments.mix_only):
        print(f"written: {results.write('eval-midi', figures, 'make eval-midi')}")


if __name__ == "__main__":
    main()
