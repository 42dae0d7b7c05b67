"""The cage of an engine, tried from inside and looked at from outside."""

import asyncio
import os
import resource
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from antiphon.errors import AntiphonError, EngineError, NotAudio
from antiphon.music.confinement import EngineLimits, landlock
from antiphon.music.confinement.environment import PASSED, child_environment
from antiphon.music.confinement.limits import GB, READING_MEMORY_BYTES, limits_of
from antiphon.tasks.engine import explain, run_engine
from antiphon.tasks.work import made_in
from tests.unit.music.sounds import noise, save
from tests.waiting import wait_for_async

TIMEOUT_S = 120.0
SECRETS = {
    "ANTIPHON_SECRET": "signs links",
    "ANTIPHON_DATABASE_URL": "postgresql://antiphon:password@127.0.0.1/antiphon",
    "AWS_SECRET_ACCESS_KEY": "opens the bucket",
    "GOOGLE_APPLICATION_CREDENTIALS": "/etc/google.json",
    "PGPASSWORD": "password",
    "SOMETHING_NOBODY_HAS_HEARD_OF": "private",
}
bounded_files = pytest.mark.skipif(not landlock.version(), reason="this kernel has no Landlock")


@pytest.fixture
def song(tmp_path: Path) -> Path:
    folder = tmp_path / "work"
    folder.mkdir()
    return save(folder / "song.flac", noise(2.0), "flac")


def engines() -> Iterator[int]:
    """The process ids of the engines that this process runs."""
    for thread in Path("/proc/self/task").iterdir():
        for child in (thread / "children").read_text().split():
            if b"antiphon.music" in Path(f"/proc/{child}/cmdline").read_bytes():
                yield int(child)


async def test_an_engine_is_given_no_secret_database_or_cloud_key(song: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in SECRETS.items():
        monkeypatch.setenv(name, value)
    arguments = {"path": str(song), "max_duration": 60.0}
    running = asyncio.create_task(run_engine("inspect", arguments, folder=song.parent, timeout=TIMEOUT_S))
    pid = await wait_for_async(lambda: next(engines(), None), "the engine")
    given = Path(f"/proc/{pid}/environ").read_bytes()
    await running
    names = {pair.partition(b"=")[0].decode() for pair in given.split(b"\0") if pair}
    assert names <= set(PASSED) | set(child_environment({}, folder=song.parent))
    assert [value for value in SECRETS.values() if value.encode() in given] == []


@bounded_files
async def test_every_layer_holds_on_a_system_that_has_them(tmp_path: Path) -> None:
    found = await run_engine("probe", {}, folder=tmp_path, timeout=TIMEOUT_S)
    assert [layer for layer, holds in found.items() if not holds] == []


@bounded_files
async def test_an_engine_reads_no_song_but_those_in_its_own_folder(song: Path, tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.mkdir()
    arguments = {"path": str(song), "max_duration": 60.0}
    with pytest.raises(AntiphonError):
        await run_engine("inspect", arguments, folder=other, timeout=TIMEOUT_S)
    assert (await run_engine("inspect", arguments, folder=song.parent, timeout=TIMEOUT_S))["duration"] == pytest.approx(
        2.0
    )


@bounded_files
async def test_an_engine_writes_nowhere_but_into_its_own_folder(song: Path, tmp_path: Path) -> None:
    for target, written in ((tmp_path / "outside.wav", False), (song.with_name("inside.wav"), True)):
        arguments = {"source": str(song), "out": str(target)}
        if written:
            await run_engine("convert", arguments, folder=song.parent, timeout=TIMEOUT_S)
        else:
            with pytest.raises(EngineError):
                await run_engine("convert", arguments, folder=song.parent, timeout=TIMEOUT_S)
        assert target.exists() is written


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody else")
@pytest.mark.parametrize(("mode", "who"), [(0o755, "nobody"), (0o700, "root")])
def test_without_landlock_root_is_given_up_where_the_other_user_can_read_what_it_needs(mode: int, who: str) -> None:
    program = (
        "import os, pwd, sys; from pathlib import Path\n"
        "from antiphon.music.confinement.user import become_nobody\n"
        "folder, needed = map(Path, sys.argv[1:])\n"
        "try: become_nobody([folder], [needed], reads_bounded=False)\n"
        "except OSError: pass\n"
        "powers = next(line for line in open('/proc/self/status') if line.startswith('CapEff')).split()[1]\n"
        "print(pwd.getpwuid(os.getuid()).pw_name, folder.owner(), int(powers, 16) > 0)"
    )
    # pytest's own folders are closed to others
    with tempfile.TemporaryDirectory() as folder, tempfile.TemporaryDirectory() as needed:
        Path(needed).chmod(mode)
        command = [sys.executable, "-c", program, folder, needed]
        said = subprocess.run(command, capture_output=True, text=True, check=True).stdout.split()
    assert said == [who, who, str(who == "root")]


async def test_an_engine_that_needs_too_much_memory_says_which_setting_allows_how_much(song: Path) -> None:
    arguments = {"audio": str(song), "out": str(song.with_name("video.mp4")), "title": "Large", "threads": 1}
    with pytest.raises(EngineError, match=r"needs more memory than ANTIPHON_ENGINE_MEMORY allows \(0.5 GB\)"):
        await run_engine("render", arguments, folder=song.parent, timeout=TIMEOUT_S, memory_bytes=GB // 2)


def test_an_engine_that_computes_for_too_long_is_ended_and_the_file_is_named() -> None:
    limits = EngineLimits(READING_MEMORY_BYTES, cpu_s=1)
    program = f"from antiphon.music.confinement import EngineLimits\n{limits!r}.apply()\nwhile True: pass"
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, timeout=TIMEOUT_S, check=False
    )
    assert done.returncode == -signal.SIGXCPU
    error = explain("inspect", limits, done.returncode, done.stderr)
    assert isinstance(error, NotAudio)
    assert error.message.startswith("file: takes longer than 1 s to decode")


@pytest.mark.parametrize(
    "last", ["memory allocation of 400000000 bytes failed", "terminate called after throwing 'std::bad_alloc'"]
)
def test_a_library_that_aborts_for_lack_of_memory_is_told_as_that(last: str) -> None:
    limits = EngineLimits(READING_MEMORY_BYTES, cpu_s=10)
    error = explain("render", limits, -signal.SIGABRT, f"something before\n{last}")
    assert error.message.startswith("the engine 'render' needs more memory")
    assert explain("inspect", limits, -signal.SIGABRT, last).code == NotAudio.code


def test_the_seconds_for_a_file_grow_with_its_size(tmp_path: Path) -> None:
    path = tmp_path / "song.mp3"
    seconds = []
    for size in (600, 50_000_000):
        with path.open("wb") as file:
            file.truncate(size)
        seconds.append(limits_of("inspect", {"path": str(path)}, memory_bytes=GB, timeout_s=300).cpu_s)
    assert seconds == [15, 65]


def test_limits_are_never_above_those_of_the_parent() -> None:
    program = (
        "import resource; from antiphon.music.confinement import EngineLimits\n"
        "resource.setrlimit(resource.RLIMIT_NOFILE, (50, 60)); EngineLimits(10**9, 5).apply()\n"
        "print(resource.getrlimit(resource.RLIMIT_NOFILE)[1], resource.getrlimit(resource.RLIMIT_CORE)[1])"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["60", "0"]
    assert resource.getrlimit(resource.RLIMIT_NOFILE)[1] >= 60


def test_a_file_that_is_not_the_engine_s_own_is_never_stored(tmp_path: Path) -> None:
    """An engine that was taken over may answer with any path, or leave a link where its result should be."""
    run, secret = tmp_path / "run", tmp_path / "secret"
    run.mkdir()
    secret.write_text("signs links")
    (run / "stem.flac").write_bytes(b"fLaC")
    (run / "link.flac").symlink_to(secret)
    assert made_in(run, str(run / "stem.flac")) == (run / "stem.flac").resolve()
    for path in (secret, run / "link.flac", run / ".." / "secret"):
        with pytest.raises(EngineError, match="not its own"):
            made_in(run, os.fspath(path))
