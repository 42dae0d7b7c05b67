"""A key that has signed whole bodies in an inbox is not believed when it signs only a task id."""

import json
import logging
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner
from tests.paths import ROOT
from tests.unit.receiver.sending import KEY, midi, signature
from tests.waiting import wait_for

from antiphon.cli import app
from antiphon.errors import SettingsError
from antiphon.receiver import Answer, Inbox, Receiver
from antiphon.receiver.inbox.key_trust import Refusals
from antiphon.receiver.inbox.listing import refusals

NEW, OTHER = "whsec_" + "A" * 32, "a key of the hosted API".replace(" ", "-")


def receiver(folder: Path, *keys: str, allow_documented: bool = False) -> Receiver:
    return Receiver(folder, keys or [KEY], steps=[], workers=0, allow_documented=allow_documented)


def both(receiver: Receiver, task_id: str, key: str = KEY) -> Answer:
    body = midi(task_id)
    return receiver.handle("POST", signature(body, task_id=task_id, key=key), body)


def documented(receiver: Receiver, task_id: str, key: str = KEY) -> Answer:
    body = midi(task_id).replace(b"success", b"forged!")
    return receiver.handle("POST", signature(body, task_id=task_id, key=key, only="X-"), body)


def test_the_documented_signature_alone_is_refused_once_the_key_has_signed_a_body(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with receiver(tmp_path) as opened:
        assert documented(opened, "before").status == 200
        assert both(opened, "a").status == 200
        answer = documented(opened, "b")
        assert (answer.status, "--allow-documented" in json.loads(answer.body)["msg"]) == (401, True)
        assert [event.task_id for event in opened.inbox.events()] == ["before", "a"]
    assert [record.levelno for record in caplog.records if "--allow-documented" in record.message] == [logging.ERROR]


def test_a_callback_that_was_no_callback_proves_nothing_of_its_key(tmp_path: Path) -> None:
    with receiver(tmp_path) as opened:
        assert opened.handle("POST", signature(b"junk"), b"junk").status == 400
        assert documented(opened, "a").status == 200


def test_it_is_remembered_after_a_restart_and_opened_only_by_the_setting(tmp_path: Path) -> None:
    with receiver(tmp_path) as opened:
        assert both(opened, "a").status == 200
    with receiver(tmp_path) as again:
        assert documented(again, "b").status == 401
    with receiver(tmp_path, allow_documented=True) as allowing:
        assert documented(allowing, "b").status == 200
        assert both(allowing, "c").status == 200
    with receiver(tmp_path) as closed_again:
        assert documented(closed_again, "d").status == 401


def test_each_key_is_judged_by_itself(tmp_path: Path) -> None:
    with receiver(tmp_path, KEY, OTHER) as opened:
        assert both(opened, "a").status == 200
        assert documented(opened, "b", OTHER).status == 200
        assert documented(opened, "c").status == 401


def test_while_a_key_is_rotated_both_that_sign_a_body_are_held_to_it(tmp_path: Path) -> None:
    with receiver(tmp_path, NEW, KEY) as opened:
        assert documented(opened, "before", NEW).status == 200
        body = midi("a")
        old, new = signature(body, task_id="a"), signature(body, task_id="a", key=NEW)
        headers = {**new, "webhook-signature": f"{new['webhook-signature']} {old['webhook-signature']}"}
        assert opened.handle("POST", headers, body).status == 200
        assert (documented(opened, "b").status, documented(opened, "b", NEW).status) == (401, 401)
    with receiver(tmp_path, NEW) as rotated:
        assert documented(rotated, "c", NEW).status == 401


def test_processes_on_one_inbox_share_what_they_have_seen(tmp_path: Path) -> None:
    code = (
        "import sys; from pathlib import Path; from tests.unit.receiver.inbox.test_key_trust import both, receiver\n"
        "with receiver(Path(sys.argv[1])) as opened: print(both(opened, 'a').status)"
    )
    with receiver(tmp_path) as opened:
        assert documented(opened, "before").status == 200
        command = [sys.executable, "-c", code, str(tmp_path)]
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60, check=True)
        assert done.stdout == "200\n"
        assert documented(opened, "after").status == 401


def test_what_was_polled_says_nothing_of_keys_and_is_never_refused(tmp_path: Path) -> None:
    with receiver(tmp_path) as opened:
        opened.inbox.add(midi("polled"), scheme="polled")
        assert documented(opened, "a").status == 200
        assert both(opened, "b").status == 200
        assert opened.inbox.add(midi("polled-later"), scheme="polled")[1]


def test_refusals_are_counted_and_listed(tmp_path: Path) -> None:
    with receiver(tmp_path) as opened:
        assert both(opened, "a").status == 200
        assert refusals(tmp_path) == Refusals(0, None)
        for task_id in ("b", "c"):
            assert documented(opened, task_id).status == 401
        wait_for(lambda: refusals(tmp_path).count == 2)
    shown = CliRunner().invoke(app, ["inbox", "list", "--inbox", str(tmp_path)])
    assert "REFUSED: 2 callbacks" in shown.stderr and "--allow-documented" in shown.stderr
    assert "REFUSED" in CliRunner().invoke(app, ["inbox", "list", "--json", "--inbox", str(tmp_path)]).stderr


def test_the_key_itself_is_nowhere_in_the_inbox(tmp_path: Path) -> None:
    with receiver(tmp_path, OTHER) as opened:
        assert both(opened, "a", OTHER).status == 200
    assert all(OTHER.encode() not in path.read_bytes() for path in tmp_path.iterdir())


def test_an_inbox_of_the_format_before_learns_it(tmp_path: Path) -> None:
    with Inbox(tmp_path) as inbox:
        inbox.add(midi("old"), scheme="standard")
    old = sqlite3.connect(tmp_path / "inbox.sqlite3", isolation_level=None)
    old.execute("DROP TABLE standard_keys")
    old.execute("PRAGMA user_version = 3")
    old.close()
    with receiver(tmp_path) as opened:
        assert documented(opened, "a").status == 200
        assert both(opened, "b").status == 200
        assert documented(opened, "c").status == 401
        assert [event.task_id for event in opened.inbox.events()] == ["old", "a", "b"]


def test_to_allow_it_and_to_require_more_exclude_each_other(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="exclude each other"):
        Receiver(tmp_path, [KEY], require="standard", allow_documented=True)
