"""The ``basic-pitch`` package (0.4.0, its ONNX model), in an environment of its own."""

import json
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from antiphon.score.notes import Note
from bench.eval_midi.render import Missing

ROOT = Path(__file__).parents[2]
PYTHON = ROOT / ".venv" / "bench-midi" / "bin" / "python"
SCRIPT = ROOT / "bench" / "contenders" / "basic_pitch_notes.py"
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
