"""Whether our note creation, with the package's settings, finds the notes that ``basic-pitch`` finds."""

from pathlib import Path

from antiphon.music import weights
from antiphon.music.progress import silent
from antiphon.music.transcription.network import BASIC_PITCH, BasicPitch, listen
from antiphon.music.transcription.notecreation import Thresholds, create
from antiphon.music.transcription.sound import Sound
from antiphon.score.notes import Note
from bench import results
from bench.eval_midi import scores
from bench.eval_midi.chain import Chain
from bench.eval_midi.render import Missing
from bench.eval_midi.setup import Figures, Row, Setup, figure, mean

STEMS = ("vocals", "bass", "other")


def parity(setup: Setup) -> Figures:
    """F1 of our notes against the package's on the true stems of the shared songs: same pitch, onset within 50 ms;
    ``with_ends`` asks for the same end, too (within 50 ms or a fifth of the note). The figure is the mean over the
    songs, each with all of its stems together."""
    if setup.rival is None:
        raise Missing("parity is measured against basic-pitch: leave out --no-rival")
    files = [path for song in setup.songs for name in STEMS if (path := song / f"{name}.flac").exists()]
    ours = dict(zip(files, setup.each(_ours, files), strict=True))
    theirs = dict(zip(files, setup.rival.notes(files), strict=True))
    rows: list[Row] = []
    for song in setup.songs:
        row: Row = {"song": song.name}
        for column, offsets in (("onsets", False), ("with_ends", True)):
            pairs = [(theirs[file], ours[file]) for file in files if file.parent == song]
            row[column] = scores.total(scores.notes_agree(a, b, offsets=offsets) for a, b in pairs).f1
        rows.append(row | {"notes": sum(len(theirs[file]) for file in files if file.parent == song)})
    means = mean(rows, "song")
    print("\nParity with basic-pitch on the true stems: F1 of notes")
    results.table([*rows, means])
    return {"parity_f1": figure(means, "onsets"), "parity_f1_with_ends": figure(means, "with_ends")}


def _ours(chain: Chain, file: Path) -> list[Note]:
    network = BasicPitch(weights.ensure(chain.models, "basic_pitch"), threads=chain.threads)
    heard = listen(network, Sound((file,)), progress=silent, overlap=BASIC_PITCH)
    return [
        Note(event.pitch, BASIC_PITCH.seconds(event.start), BASIC_PITCH.seconds(event.end), event.activation)
        for event in create(heard.notes, heard.onsets, Thresholds())
    ]
