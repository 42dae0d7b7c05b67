"""Engines as the child process calls them: plain values in, plain values out."""

import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict
from pathlib import Path
from typing import Any

from antiphon.music.progress import Progress, part

Arguments = dict[str, Any]


def inspect(arguments: Arguments, progress: Progress) -> dict[str, Any]:
    """Decode an upload once. ``path``, ``max_duration``; optional ``cover`` is checked to be a picture."""
    from antiphon.music import audio

    info = audio.inspect(Path(arguments["path"]), max_duration=arguments["max_duration"])
    if arguments.get("cover"):
        from antiphon.music.video import check_cover

        check_cover(Path(arguments["cover"]))
    return asdict(info)


def peaks(arguments: Arguments, progress: Progress) -> dict[str, Any]:
    """``path``, ``most`` → the outline of a sound, for drawing its waveform."""
    from antiphon.music import audio

    return asdict(audio.peaks(Path(arguments["path"]), most=arguments["most"]))


def convert(arguments: Arguments, progress: Progress) -> dict[str, str]:
    """``source``, ``out`` → a WAV file of 16 bit at the source's own rate, mono or stereo."""
    from antiphon.music import audio

    audio.to_wav(Path(arguments["source"]), Path(arguments["out"]), progress)
    return {"wav": arguments["out"]}


def align(arguments: Arguments, progress: Progress) -> dict[str, Any]:
    """``lyrics`` (see ``lyrics.parse``), ``duration`` → ``words``, each with ``word``, ``start``, ``end`` (seconds) and
    ``timed``: whether the text itself says when. A line whose words have no times is one word."""
    from antiphon.music.lyrics import parse

    found = parse(arguments["lyrics"], arguments["duration"])
    words: list[dict[str, Any]] = []
    for line in found.lines:
        pieces = [(word.text, word.start, word.end) for word in line.words]
        if any(start is None or end is None for _, start, end in pieces):
            pieces = [(line.text, line.start, line.end)]
        words += [{"word": text, "start": start, "end": end, "timed": found.timed} for text, start, end in pieces]
        words[-1]["word"] += "\n"
    return {"words": words}


def separate(arguments: Arguments, progress: Progress) -> dict[str, Any]:
    """``source``, ``out``, ``kind``, ``models``, ``codec``, ``threads``, optional ``stem``, ``engine`` and
    ``models_url`` → ``stems`` (path by name), ``absent`` (names), ``engine`` and ``gain_db``."""
    from antiphon.music.separation import separate
    from antiphon.music.separators import BUILTIN

    done = separate(
        Path(arguments["source"]),
        Path(arguments["out"]),
        kind=arguments["kind"],
        stem=arguments.get("stem"),
        models=Path(arguments["models"]),
        codec=arguments["codec"],
        engine=arguments.get("engine") or BUILTIN,
        models_url=arguments.get("models_url"),
        threads=arguments["threads"],
        progress=progress,
    )
    return {
        "stems": {name: str(path) for name, path in done.stems.items()},
        "absent": list(done.absent),
        "engine": done.engine,
        "gain_db": done.gain_db,
    }


def transcribe(arguments: Arguments, progress: Progress) -> dict[str, Any]:
    """``stems`` (path by name), ``out``, ``models``, ``threads``, optional ``quantize`` (a grid: 1/16), ``only`` (a
    stem: the others are listened to, for what belongs where and for the bars, and left out), ``ear`` (what hears the
    notes) and ``master_tuning`` (whether the file says how the song is tuned) → ``midi``, ``notes`` and
    ``analysis`` (both JSON), paths, and ``tuning_cents``."""
    from antiphon.music import rhythm
    from antiphon.music.analysis import analyse
    from antiphon.music.transcription import by_stem
    from antiphon.score import midifile
    from antiphon.score.quantize import quantize
    from antiphon.score.tempomap import TempoMap

    stems = {name: Path(path) for name, path in arguments["stems"].items()}
    with ThreadPoolExecutor(1) as beside:
        listened = beside.submit(rhythm.listen, stems)
        heard = by_stem(
            stems,
            models=Path(arguments["models"]),
            threads=arguments["threads"],
            progress=part(progress, 0, 0.9),
            ear=arguments.get("ear", "own"),
        )
    progress(0.9, "tempo")
    analysis = analyse(rhythm.HeardSong.of(listened.result(), list(heard.instruments.values())))
    found = analysis.rhythm
    instruments = [
        instrument for stem, instrument in heard.instruments.items() if arguments.get("only") in (None, stem)
    ]
    tempo_map = TempoMap.of_beats(found.beats, found.positions, found.meter)
    # Without a beat there is no grid: the notes stay as they were played.
    if arguments.get("quantize") and found.confidence:
        instruments = quantize(instruments, tempo_map, arguments["quantize"])
    out = Path(arguments["out"])
    tuning = heard.tuning_cents if arguments.get("master_tuning") else 0.0
    outline = analysis.outline()
    midifile.write(instruments, out / "song.mid", tempo=tempo_map, outline=outline, tuning_cents=tuning)
    notes = [
        {"name": instrument.name, "notes": [_rounded(asdict(note)) for note in instrument.notes]}
        for instrument in instruments
    ]
    (out / "midi.json").write_text(json.dumps(notes))
    (out / "analysis.json").write_text(json.dumps(analysis.described()))
    made = {"midi": "song.mid", "notes": "midi.json", "analysis": "analysis.json"}
    return {name: str(out / file) for name, file in made.items()} | {"tuning_cents": heard.tuning_cents}


def _rounded(note: dict[str, Any]) -> dict[str, Any]:
    digits = {"start": 4, "end": 4, "velocity": 3}
    return {name: round(value, digits[name]) if name in digits else value for name, value in note.items()}


def render(arguments: Arguments, progress: Progress) -> dict[str, Any]:
    """``audio``, ``out``, ``title``, ``threads``, optional ``author``, ``domain``, ``cover``, ``lyrics``, ``look`` (its
    fields by name), ``audio_mode`` and ``thumbnail`` (where it goes) → the video's figures."""
    from antiphon.music.video import VideoContent, VideoLook, render

    cover, thumbnail = arguments.get("cover"), arguments.get("thumbnail")
    content = VideoContent(
        arguments["title"],
        author=arguments.get("author"),
        domain=arguments.get("domain"),
        cover=Path(cover) if cover else None,
        lyrics=arguments.get("lyrics"),
        look=VideoLook(**arguments.get("look", {})),
    )
    result = render(
        Path(arguments["audio"]),
        Path(arguments["out"]),
        content,
        audio_mode=arguments.get("audio_mode", "auto"),
        thumbnail=Path(thumbnail) if thumbnail else None,
        threads=arguments["threads"],
        progress=progress,
    )
    return asdict(result)


def fetch(arguments: Arguments, progress: Progress) -> dict[str, str]:
    """``models``, ``name``, optional ``models_url`` → the weights of a network or of a pretrained separation engine,
    fetched unless they are there. Needs the network: no cage."""
    from antiphon.music import separators, weights
    from antiphon.music.separation import pretrained

    models, name = Path(arguments["models"]), arguments["name"]
    if name in separators.HTDEMUCS:
        return {"path": str(pretrained.ensure(models, name, progress, source=arguments.get("models_url")))}
    return {"path": str(weights.ensure(models, name, progress=progress))}


def probe(arguments: Arguments, progress: Progress) -> dict[str, bool]:
    """Which layers of the cage hold."""
    from antiphon.music.confinement import probe

    return probe.layers()


ENGINES: dict[str, Callable[[Arguments, Progress], dict[str, Any]]] = {
    "inspect": inspect,
    "peaks": peaks,
    "convert": convert,
    "align": align,
    "separate": separate,
    "transcribe": transcribe,
    "render": render,
    "fetch": fetch,
    "probe": probe,
}
