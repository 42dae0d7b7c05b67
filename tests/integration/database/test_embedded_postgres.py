import os
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from shutil import rmtree
from urllib.parse import urlsplit

import psycopg
import pytest

from antiphon.database.binaries import find_account, find_programs
from antiphon.database.embedded import EmbeddedPostgres
from antiphon.errors import DatabaseError
from tests.integration.database.embedded import (
    AS_NOBODY,
    DEAF_TO_CTRL_C,
    SUBREAPER,
    Process,
    Run,
    answers,
    mode,
    postmaster,
    query,
    socket_folder,
)
from tests.waiting import wait_for

FAST = {"fsync": "off"}


EXPECTED = {
    "fsync": "on",
    "full_page_writes": "on",
    "synchronous_commit": "on",
    "listen_addresses": "",
    "max_connections": "200",
    "server_encoding": "UTF8",
}


AS_ROOT = os.geteuid() == 0


NOBODY = 65534


@pytest.fixture
def run() -> Iterator[Run]:
    processes: list[Process] = []

    def start(data: Path, *options: str, before: str = "") -> Process:
        processes.append(Process(data, *options, before=before))
        return processes[-1]

    yield start
    for process in processes:
        if process.child.poll() is None:
            process.kill()


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A data folder that tests share, because a new cluster takes half a second."""
    data = tmp_path_factory.mktemp("data")
    yield data
    EmbeddedPostgres(data).destroy()


@pytest.fixture
def server(data: Path) -> Iterator[EmbeddedPostgres]:
    server = EmbeddedPostgres(data, settings=FAST)
    yield server
    server.stop()


@pytest.fixture
def new_server(tmp_path: Path) -> Iterator[EmbeddedPostgres]:
    """One whose data folder does not exist yet."""
    server = EmbeddedPostgres(tmp_path / "new" / "data", settings=FAST)
    yield server
    server.destroy()


@pytest.fixture(scope="module")
def nobodys_data() -> Iterator[Path]:
    """A data folder, deep down, of the user 'nobody', who cannot reach pytest's folders."""
    folder = Path(tempfile.mkdtemp(prefix="antiphon-test-"))
    folder.chmod(0o755)
    os.chown(folder, NOBODY, NOBODY)
    yield folder / ("long" * 30) / "data"
    rmtree(folder)


def test_the_first_start_makes_a_database_that_outlives_a_restart(tmp_path: Path) -> None:
    server = EmbeddedPostgres(tmp_path / "new" / "data")
    with server as url:
        assert mode(server.data) == 0o700
        settings = {name: query(url, f"SHOW {name}") for name in EXPECTED}
        query(url, "CREATE TABLE song (title text)")
        query(url, "INSERT INTO song VALUES ('Ævintýri 曲 🎵')")
    assert settings == EXPECTED
    assert not answers(url)
    with server as again:
        assert again == url
        assert query(url, "SELECT title FROM song") == "Ævintýri 曲 🎵"
        assert query(url, "SELECT upper('é')") == "É"
    server.destroy()
    assert not server.home.exists()


def test_only_who_knows_the_password_gets_in_and_never_as_superuser(server: EmbeddedPostgres) -> None:
    with server as url:
        password = urlsplit(url).password
        assert password
        assert len(password) > 40
        assert query(url, "SELECT rolsuper FROM pg_roles WHERE rolname = current_user") is False
        assert query(url, "SELECT pg_get_userbyid(datdba) FROM pg_database WHERE datname = 'antiphon'") == "antiphon"
        assert not answers(url.replace(password, "guess"))
        assert not answers(url.replace(f":{password}", ""))
        assert not answers(url.replace("antiphon:", "postgres:", 1))


def test_no_other_user_can_reach_the_socket_the_password_or_the_data(server: EmbeddedPostgres) -> None:
    with server as url:
        socket = socket_folder(url)
        assert mode(socket) == mode(server.home / "cluster") == 0o700
        assert mode(server.home / "password") == 0o600
        assert {path.stat().st_uid for path in (socket, server.home / "cluster")} == {
            Path(f"/proc/{postmaster(server)}").stat().st_uid
        }


def test_pgport_in_the_environment_leads_nobody_astray(
    server: EmbeddedPostgres, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PGPORT", "6543")
    monkeypatch.setenv("PGDATA", "/nowhere")
    with server as url:
        assert answers(url)


def test_no_parent_folder_changes_its_mode_even_when_the_programs_cannot_be_reached(tmp_path: Path) -> None:
    real = next(iter(find_programs().values())).folder.parent
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o700)
    for part in (real, real.with_name(f"{real.name}.libs")):
        (closed / part.name).symlink_to(part)
    server = EmbeddedPostgres(tmp_path / "deep" / "data", wheel=closed / real.name, settings=FAST)
    made = set(server.home.parent.glob("postgresql-*"))
    parents = [*server.data.parents, *server.home.parent.parents, *real.parents, *closed.parents, closed, real]
    existing = {path: mode(path) for path in parents if path.exists()}
    try:
        for _ in range(2):
            with server as url:
                assert answers(url)
                program = Path(f"/proc/{postmaster(server)}/exe").readlink()
        if AS_ROOT:
            assert program.is_relative_to(server.home.parent)
        assert {path: mode(path) for path in existing} == existing
    finally:
        server.destroy()
        for copy in set(server.home.parent.glob("postgresql-*")) - made:
            rmtree(copy)


def test_processes_share_one_server_and_the_last_one_stops_it(server: EmbeddedPostgres, run: Run) -> None:
    first, second = run(server.data), run(server.data)
    url = first.line()
    assert second.line() == url
    assert server.start() == url
    number = postmaster(server)
    first.stop()
    assert answers(url)
    server.stop()
    assert answers(url)
    assert postmaster(server) == number
    second.stop()
    assert not answers(url)


def test_processes_that_start_at_once_on_a_new_folder_all_get_the_same_server(
    new_server: EmbeddedPostgres, run: Run
) -> None:
    processes = [run(new_server.data) for _ in range(4)]
    urls = {process.line() for process in processes}
    assert len(urls) == 1
    assert answers(urls.pop())
    for process in processes:
        process.stop()


def test_after_kill_9_of_our_process_the_next_one_attaches_and_stops_the_server(
    server: EmbeddedPostgres, run: Run
) -> None:
    process = run(server.data)
    url = process.line()
    number = postmaster(server)
    process.kill()
    assert answers(url)
    with server as again:
        assert again == url
        assert postmaster(server) == number
    assert not answers(url)


def test_kill_9_at_any_moment_of_the_first_start_spoils_nothing(new_server: EmbeddedPostgres, run: Run) -> None:
    for delay in (0.6, 0.8):
        process = run(new_server.data)
        with suppress(subprocess.TimeoutExpired):
            process.child.wait(delay)
        process.kill()
    with new_server as url:
        assert query(url, "SELECT 1") == 1
    assert not (new_server.home / "cluster.new").exists()


def test_a_crash_of_the_server_loses_no_row_and_the_next_start_recovers(server: EmbeddedPostgres) -> None:
    url = server.start()
    query(url, "CREATE TABLE task AS SELECT generate_series(1, 1000) AS id")
    with psycopg.connect(url):  # a backend that is alive when its postmaster dies
        os.kill(postmaster(server), signal.SIGKILL)
        assert server.start() == url
    assert query(url, "SELECT count(*) FROM task") == 1000


def test_stopping_after_a_crash_of_the_server_is_no_error(server: EmbeddedPostgres) -> None:
    url = server.start()
    os.kill(postmaster(server), signal.SIGKILL)
    server.stop()
    assert not answers(url)


def test_a_zombie_is_not_taken_for_the_server(server: EmbeddedPostgres, run: Run) -> None:
    container = run(server.data, before=SUBREAPER)
    url = container.line()
    number = postmaster(server)
    os.kill(number, signal.SIGKILL)
    wait_for(lambda: Path(f"/proc/{number}/stat").read_text().rpartition(")")[2].split()[0] == "Z")
    with server as again:
        assert again == url
        assert answers(url)
        assert postmaster(server) != number


def test_a_process_that_got_the_old_servers_id_is_not_taken_for_it(
    server: EmbeddedPostgres, new_server: EmbeddedPostgres
) -> None:
    other_url = new_server.start()
    url = server.start()
    socket = socket_folder(url)
    marks = [server.home / "cluster" / "postmaster.pid", socket / ".s.PGSQL.5432.lock"]
    texts = [mark.read_text() for mark in marks]
    number = str(postmaster(server))
    server.stop()
    for reused in (os.getpid(), postmaster(new_server)):
        for mark, text in zip(marks, texts, strict=True):
            mark.write_text(text.replace(number, str(reused), 1))
        with server as again:
            assert again == url
            assert answers(url)
        assert answers(other_url)


def test_a_server_that_was_started_by_hand_is_used_and_not_started_twice(server: EmbeddedPostgres) -> None:
    url = server.start()
    server.stop()
    account = find_account()
    programs = find_programs()[18]
    cluster = str(server.home / "cluster")
    done = programs.run(account, "pg_ctl", "start", "-w", "-D", cluster, "-l", f"{cluster}/by-hand.log")
    assert done.returncode == 0
    number = postmaster(server)
    with server as again:
        assert again == url
        assert postmaster(server) == number


def test_the_server_survives_ctrl_c_in_our_terminal(server: EmbeddedPostgres, run: Run) -> None:
    process = run(server.data, before=DEAF_TO_CTRL_C)
    url = process.line()
    number = postmaster(server)
    os.killpg(process.child.pid, signal.SIGINT)
    assert answers(url)
    process.stop()
    wait_for(lambda: not Path(f"/proc/{number}").exists())


@pytest.mark.skipif(not AS_ROOT, reason="needs root for a small disk")
def test_a_full_disk_is_named_and_another_start_works_once_there_is_room(new_server: EmbeddedPostgres) -> None:
    new_server.home.mkdir(parents=True)
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=20m,mode=711", "tmpfs", new_server.home]).returncode:
        pytest.skip("cannot mount a small disk")
    try:
        with pytest.raises(DatabaseError, match=r"disk of .* is full.* free some space"):
            new_server.start()
        subprocess.run(["mount", "-o", "remount,size=200m", new_server.home], check=True)
        with new_server as url:
            assert answers(url)
        free = os.statvfs(new_server.home)
        (new_server.home / "filler").write_bytes(bytes(free.f_bavail * free.f_frsize))
        with pytest.raises(DatabaseError, match=r"disk of .* is full"):
            new_server.start()
    finally:
        subprocess.run(["umount", "--lazy", new_server.home], check=True)


def test_a_cluster_of_another_major_version_is_left_alone(server: EmbeddedPostgres) -> None:
    server.start()
    server.stop()
    version = server.home / "cluster" / "PG_VERSION"
    text = version.read_text()
    version.write_text("12\n")
    try:
        with pytest.raises(DatabaseError, match=r"made by PostgreSQL 12, but installed is 16 and 18.*pg_dump"):
            server.start()
    finally:
        version.write_text(text)
    with server as url:
        assert answers(url)


def test_a_lost_or_foreign_password_is_explained(server: EmbeddedPostgres) -> None:
    server.start()
    server.stop()
    password = server.home / "password"
    text = password.read_text()
    try:
        password.write_text("guess")
        with pytest.raises(DatabaseError, match="refuses our password"):
            server.start()
        password.unlink()
        with pytest.raises(DatabaseError, match="password is gone"):
            server.start()
    finally:
        password.write_text(text)


def test_a_data_folder_that_is_a_file_is_explained(tmp_path: Path) -> None:
    (tmp_path / "data").write_text("")
    with pytest.raises(DatabaseError, match="ANTIPHON_DATA"):
        EmbeddedPostgres(tmp_path / "data").start()


def test_what_is_in_use_is_not_destroyed(server: EmbeddedPostgres, run: Run) -> None:
    url = run(server.data).line()
    with pytest.raises(DatabaseError, match="in use"):
        server.destroy()
    assert answers(url)


@pytest.mark.skipif(not AS_ROOT, reason="needs root to become another user")
class TestWithoutRoot:
    def test_the_cluster_lies_in_the_data_folder_and_a_long_path_does_not_matter(
        self, nobodys_data: Path, run: Run
    ) -> None:
        process = run(nobodys_data, before=AS_NOBODY)
        url = process.line()
        socket = socket_folder(url)
        assert answers(url)
        assert (nobodys_data / "postgres" / "cluster").is_dir()
        assert socket.parent == Path(tempfile.gettempdir())
        assert mode(socket) == mode(nobodys_data) == 0o700
        process.stop()
        assert not answers(url)

    def test_a_cluster_of_another_user_is_not_passed_over_by_root(self, nobodys_data: Path, run: Run) -> None:
        run(nobodys_data, before=AS_NOBODY).line()
        server = EmbeddedPostgres(nobodys_data)
        with pytest.raises(DatabaseError, match="made by user id 65534"):
            server.start()
        server.destroy()

    def test_a_socket_folder_that_somebody_else_laid_out_is_refused(self, nobodys_data: Path, run: Run) -> None:
        process = run(nobodys_data, before=AS_NOBODY)
        socket = socket_folder(process.line())
        process.stop()
        os.chown(socket, 0, 0)
        assert "must be a folder of mode 0700" in run(nobodys_data, before=AS_NOBODY).line()
        os.chown(socket, NOBODY, NOBODY)

    def test_what_is_destroyed_is_gone(self, nobodys_data: Path, run: Run) -> None:
        process = run(nobodys_data, "destroy", before=AS_NOBODY)
        socket = socket_folder(process.line())
        process.stop()
        assert not socket.exists()
        assert list(nobodys_data.iterdir()) == []

    def test_a_folder_that_may_not_be_written_is_named(self, run: Run) -> None:
        message = run(Path("/usr/antiphon-data"), before=AS_NOBODY).line()
        assert message.startswith("DatabaseError: the database in /usr/antiphon-data/postgres cannot be used")
        assert "ANTIPHON_DATA" in message
