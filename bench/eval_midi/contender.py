"""Others who write music down, each in an environment of its own: the ``basic-pitch`` package (0.4.0, its ONNX model)
and ADTLib."""

import json
import subprocess
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from antiphon.music.audio import Writer, decode
from antiphon.score.notes import Note
from bench.eval_midi.render import RATE, Missing

ROOT = Path(__file__).parents[2]
PYTHON = ROOT / ".venv" / "bench-midi" / "bin" / "python"
SCRIPT = ROOT / "bench" / "contenders" / "basic_pitch_notes.py"
ADTLIB = ROOT / ".venv" / "bench-adtlib" / "bin" / "python"
ADTLIB_SCRIPT = ROOT / "bench" / "contenders" / "adtlib_hits.py"
SUNG = (70.0, 1200.0)
"""Hz between which it listens for a voice, as in the baseline of the evaluation data."""


@dataclass(frozen=True, slots=True)
class BasicPitch:
    """What it heard is kept in ``cache``: neither the package nor the files change."""

    cache: Path

    def notes(self, files: Sequence[Path], band: tuple[float, float] | None = None) -> list[list[Note]]:
        """The notes of each file with the package's default settings; ``band`` are its lowest and highest Hz."""
        kept = [self._kept(file, band) for file in files]
        missing = [(file, path) for file, path in zip(files, kept, strict=True) if not path.exists()]
        if missing:
            self._run([file for file, _ in missing], band, [path for _, path in missing])
        return [[Note(p, s, e, v) for s, e, p, v in json.loads(path.read_text())] for path in kept]

    def _kept(self, file: Path, band: tuple[float, float] | None) -> Path:
        return self.cache / "basic-pitch" / f"{sha256(file.read_bytes() + repr(band).encode()).hexdigest()[:16]}.json"

    def _run(self, files: Sequence[Path], band: tuple[float, float] | None, targets: Sequence[Path]) -> None:
        if not PYTHON.exists():
            raise Missing(f"basic-pitch has no environment ({PYTHON}): make eval-midi makes it")
        lowest, highest = band or (None, None)
        asked = json.dumps({"files": [str(file) for file in files], "lowest": lowest, "highest": highest})
        done = subprocess.run([PYTHON, SCRIPT], input=asked, text=True, capture_output=True)
        if done.returncode:
            raise RuntimeError(f"basic-pitch failed: {done.stderr[-2000:]}")
        targets[0].parent.mkdir(parents=True, exist_ok=True)
        for line, target in zip(done.stdout.splitlines(), targets, strict=True):
            scratch = target.with_suffix(".part")
            scratch.write_text(line)
            scratch.replace(target)


@dataclass(frozen=True, slots=True)
class AdtLib:
    """The drums of ADTLib 2.1.2, which was trained to tell kick, snare and hi-hat; None of it where it is not
    installed, for it needs Python 3.7. What it heard is kept in ``cache``."""

    cache: Path

    @property
    def installed(self) -> bool:
        return ADTLIB.exists()

    def hits(self, files: Sequence[Path]) -> list[dict[str, list[float]]]:
        """Onsets of each file by class: KD, SD, HH."""
        kept = [self.cache / "adtlib" / f"{sha256(file.read_bytes()).hexdigest()[:16]}.json" for file in files]
        missing = [(file, path) for file, path in zip(files, kept, strict=True) if not path.exists()]
        if missing:
            self._run([file for file, _ in missing], [path for _, path in missing])
        return [json.loads(path.read_text()) for path in kept]

    def _run(self, files: Sequence[Path], targets: Sequence[Path]) -> None:
        with tempfile.TemporaryDirectory() as folder:
            waves = [Path(folder) / f"{number}.wav" for number in range(len(files))]
            for file, wave in zip(files, waves, strict=True):
                with Writer(wave, RATE, 1, "wav") as writer:
                    writer.write(decode(file, sample_rate=RATE, channels=1))
            asked = json.dumps({"files": [str(wave) for wave in waves]})
            done = subprocess.run([ADTLIB, "-W", "ignore", ADTLIB_SCRIPT], input=asked, text=True, capture_output=True)
        if done.returncode:
            raise RuntimeError(f"ADTLib failed: {done.stderr[-2000:]}")
        targets[0].parent.mkdir(parents=True, exist_ok=True)
        for heard, target in zip(json.loads(done.stdout.splitlines()[-1]), targets, strict=True):
            target.write_text(json.dumps(heard))
