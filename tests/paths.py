"""Folders that tests read, each named once."""

from pathlib import Path

ROOT = Path(__file__).parents[1]
DEMO = ROOT / "demo"
SONG = DEMO / "song.mp3"
DOCS = ROOT / "docs"
EXAMPLE_RECEIVERS = ROOT / "examples" / "receivers"
GOLDENS = ROOT / "tests" / "integration" / "goldens"
EVALUATION_SONGS = ROOT.parent / "shared" / "data"  # not part of the project: what needs them skips without
