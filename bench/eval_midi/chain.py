"""The product's own line, with what changes seldom kept: separated stems in a folder, notes made anew each run."""

import shutil
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from antiphon.music import separation
from antiphon.music.analysis import MusicAnalysis, analyse
from antiphon.music.progress import silent
from antiphon.music.rhythm import HeardSong, Rhythm, listen
from antiphon.music.separation import STEMS, separate
from antiphon.music.transcription import transcribe
from antiphon.music.transcription.ear import EarName
from antiphon.score.notes import InstrumentPart
from bench.eval_midi.render import publish


@dataclass(frozen=True, slots=True)
class Chain:
    """``cache`` holds what is kept between runs, ``models`` the weights; an engine has ``threads``, ``ear`` hears."""

    cache: Path
    models: Path
    threads: int
    ear: EarName = "own"

    def stems(self, mix: Path) -> dict[str, Path]:
        """The stems of ``mix`` that our separation finds; made if this code has not separated this file before."""
        kept = self.cache / "stems" / sha256(mix.read_bytes() + _separation().encode()).hexdigest()[:16]
        if not kept.is_dir():
            kept.parent.mkdir(parents=True, exist_ok=True)
            scratch = Path(tempfile.mkdtemp(dir=kept.parent, prefix=".making-"))
            try:
                separate(mix, scratch, kind="split_stem", models=self.models, threads=self.threads)
                publish(scratch, kept)
            except BaseException:
                shutil.rmtree(scratch, ignore_errors=True)
                raise
        return {stem: path for stem in STEMS["split_stem"] if (path := kept / f"{stem}.flac").exists()}

    def notes(self, stems: Mapping[str, Path]) -> list[InstrumentPart]:
        return transcribe(stems, models=self.models, threads=self.threads, progress=silent, ear=self.ear)

    def rhythm(self, stems: Mapping[str, Path], notes: Sequence[InstrumentPart]) -> Rhythm:
        """Beats and downbeats, by the stems and the notes in them."""
        return self.analysis(stems, notes).rhythm

    def analysis(self, stems: Mapping[str, Path], notes: Sequence[InstrumentPart]) -> MusicAnalysis:
        """The same with key, chords and sections."""
        return analyse(HeardSong.of(listen(stems), notes))


def _separation() -> str:
    """Changes when the separation's code does."""
    sources = sorted(Path(separation.__file__).parent.rglob("*.py"))
    return sha256(b"".join(path.read_bytes() for path in sources)).hexdigest()
