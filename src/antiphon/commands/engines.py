"""``antiphon stems`` and ``midi``, and the shared parts of commands that run an engine without a server."""

import contextlib
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, get_args

import click

from antiphon.commands.connect import PATH
from antiphon.contract.kinds import GridName

if TYPE_CHECKING:
    from antiphon.music.audio import AudioInfo
    from antiphon.music.progress import Progress
    from antiphon.settings import Settings

SeparationChoice = Literal["separate_vocal", "split_stem"]
Codec = Literal["flac", "mp3", "wav"]
EarName = Literal["own", "basic_pitch"]
song_argument = click.argument("file", type=PATH, help="audio, or a video with sound")
out_option = click.option("--out", "-o", type=PATH, help="where the result goes; default: beside FILE")


@click.command()
@song_argument
@out_option
@click.option(
    "--type",
    "kind",
    type=click.Choice(get_args(SeparationChoice)),
    default="split_stem",
    help="vocals and rest, or all stems",
)
@click.option("--only", metavar="STEMS", help="write these alone, such as vocals,drums")
@click.option("--all-but", metavar="STEMS", help="write all but these, such as vocals")
@click.option("--engine", metavar="NAME|MANIFEST", help="what separates; default: ANTIPHON_SEPARATION")
@click.option("--format", "--codec", "codec", type=click.Choice(get_args(Codec)), default="flac", help="of the stems")
def stems(
    file: Path,
    out: Path | None,
    kind: SeparationChoice,
    only: str | None,
    all_but: str | None,
    engine: str | None,
    codec: Codec,
) -> None:
    """Separate FILE into stems."""
    from antiphon.music.separation import separate

    settings = load()
    engine = engine or settings.separation
    chosen = _chosen(only, all_but, engine) if kind == "split_stem" else ()
    inspected(file, settings)
    folder = out or file.with_name(f"{file.stem}-stems")
    folder.mkdir(parents=True, exist_ok=True)
    with bar(file.name) as progress:
        done = separate(
            file,
            folder,
            kind=kind,
            only=chosen,
            engine=engine,
            models=settings.models_folder,
            models_url=settings.models_url,
            codec=codec,
            threads=settings.engine_threads,
            progress=progress,
        )
    for name, path in done.stems.items():
        click.echo(f"{name:>12}  {path}")
    for name in done.absent:
        click.echo(f"{name:>12}  not in this song")
    if done.gain_db:
        click.echo(f"All stems are {-done.gain_db:g} dB quieter than in the song, so that none exceeds full scale.")


def _chosen(only: str | None, all_but: str | None, engine: str) -> tuple[str, ...]:
    """The stems that the options ask for; empty: all."""
    from antiphon.errors import BadParameter
    from antiphon.music import separators

    if only and all_but:
        raise BadParameter("--only and --all-but came together; give one of them")
    named = tuple(_stem(name) for name in (only or all_but or "").split(",") if name.strip())
    if not all_but:
        return named
    made = separators.stems_of(engine)
    unknown = [name for name in named if name not in made]
    if unknown:
        raise BadParameter(f"--all-but: the engine {engine!r} makes no {unknown[0]!r}; expected: {', '.join(made)}")
    left = tuple(name for name in made if name not in named)
    if not left:
        raise BadParameter("--all-but names every stem; leave one out")
    return left


def _stem(name: str) -> str:
    from antiphon.contract.kinds import find_stem

    return find_stem(name) or name.strip()


@click.command()
@song_argument
@out_option
@click.option("--stems", "split", is_flag=True, help="separate first: slower, but drums and bass apart")
@click.option(
    "--quantize",
    type=click.Choice(get_args(GridName), case_sensitive=False),
    metavar="|".join(get_args(GridName)),
    help="move the notes to this note value of the song's beats (T: triplets); default: as played",
)
@click.option(
    "--ear", type=click.Choice(get_args(EarName)), help="the network that hears pitched notes; default: ANTIPHON_EAR"
)
@click.option("--tuning", is_flag=True, help="tell players of the file how the song is tuned")
@click.option("--json", "json_out", is_flag=True, help="also write the notes as JSON, as the callback has them")
@click.option("--plot", is_flag=True, help="also draw a piano roll (PNG)")
def midi(
    file: Path,
    out: Path | None,
    split: bool,
    quantize: str | None,
    ear: EarName | None,
    tuning: bool,
    json_out: bool,
    plot: bool,
) -> None:
    """Transcribe FILE to a Standard MIDI File."""
    import tempfile

    from antiphon.music import engines

    settings = load()
    inspected(file, settings)
    target = out or file.with_suffix(".mid")
    with tempfile.TemporaryDirectory() as scratch, bar(file.name) as progress:
        stem_paths = {"other": str(file)}
        common = {"models": str(settings.models_folder), "threads": settings.engine_threads}
        transcribing = progress
        if split:
            from antiphon.music.progress import part

            arguments = {"source": str(file), "out": scratch, "kind": "split_stem", "codec": "wav", **common}
            arguments |= {"engine": settings.separation, "models_url": settings.models_url}
            stem_paths = engines.separate(arguments, part(progress, 0, 0.6))["stems"]
            transcribing = part(progress, 0.6, 1)
        asked = {"quantize": quantize, "ear": ear or settings.ear, "master_tuning": tuning or settings.midi_tuning}
        made = engines.transcribe({"stems": stem_paths, "out": scratch, **asked, **common}, transcribing)
        target.write_bytes(Path(made["midi"]).read_bytes())
        results = [target]
        if json_out:
            results.append(target.with_suffix(".json"))
            results[-1].write_bytes(Path(made["notes"]).read_bytes())
        if plot:
            from antiphon.demo.pictures import draw_piano_roll

            results.append(draw_piano_roll(target, target.with_suffix(".png")))
        analysis = json.loads(Path(made["analysis"]).read_text())
    for path in results:
        click.echo(path)
    click.echo(_told(analysis), err=True)


def _told(analysis: Mapping[str, Any]) -> str:
    """``A minor, 4/4, 108.01 beats a minute``."""
    if not analysis["confidence"]:
        return f"{analysis['key'] or 'no key'}, no beat: bars of four at 120"
    return f"{analysis['key'] or 'no key'}, {analysis['meter']}, {analysis['tempo']} beats a minute"


def load() -> "Settings":
    from antiphon.settings import load_settings

    return load_settings()


def inspected(file: Path, settings: "Settings") -> "AudioInfo":
    from antiphon.errors import NotFound
    from antiphon.music import audio

    if not file.is_file():
        raise NotFound(f"there is no file {file}")
    return audio.inspect(file, max_duration=settings.max_duration)


@contextlib.contextmanager
def bar(name: str) -> "Iterator[Progress]":
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

    columns = (
        TextColumn(name),
        BarColumn(),
        TextColumn("{task.percentage:>3.0f} %  {task.description}"),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=Console(stderr=True)) as bars:
        bar = bars.add_task("starting", total=1.0)
        yield lambda fraction, stage: bars.update(bar, completed=fraction, description=stage)
        bars.update(bar, completed=1.0, description="done")
