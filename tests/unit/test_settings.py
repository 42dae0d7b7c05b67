"""Settings are read once, from ANTIPHON_* only; a bad or unknown one names itself."""

import os
import re
import subprocess
import sys
from ipaddress import ip_network
from pathlib import Path

import pytest
from pydantic import ValidationError
from tests.paths import DOCS

from antiphon.errors import SettingsError
from antiphon.settings import Settings, load_settings, settings_table, shown_default


@pytest.fixture(autouse=True)
def _empty_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in os.environ:
        if name.startswith("ANTIPHON_"):
            monkeypatch.delenv(name)


def test_without_any_setting_the_defaults_of_the_contract_hold() -> None:
    settings = load_settings()
    assert (settings.rate_limit, settings.rate_period) == (20, 10)
    assert settings.max_upload == 500_000_000
    assert settings.max_duration == 3600
    assert settings.retention_days == 14
    assert settings.callback_timeout == 15
    assert len(settings.callback_retry_delays) == 3
    assert settings.callback_allow == ()


def test_settings_come_from_the_environment_and_the_command_line_wins(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ANTIPHON_PORT", "9000")
    monkeypatch.setenv("ANTIPHON_CALLBACK_ALLOW", "127.0.0.0/8, ::1/128")
    monkeypatch.setenv("ANTIPHON_CALLBACK_RETRY_DELAYS", "1,2.5")
    settings = load_settings(port=9001, host=None)
    assert (settings.port, settings.host) == (9001, "127.0.0.1")
    assert settings.callback_allow == (ip_network("127.0.0.0/8"), ip_network("::1/128"))
    assert settings.callback_retry_delays == (1.0, 2.5)
    assert settings.base_url == "http://127.0.0.1:9001"


def test_settings_cannot_be_changed() -> None:
    with pytest.raises(ValidationError):
        load_settings().port = 1


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("ANTIPHON_PORT", "many"),
        ("ANTIPHON_PORT", "70000"),
        ("ANTIPHON_MAX_UPLOAD", "0"),
        ("ANTIPHON_RETENTION_DAYS", "-1"),
        ("ANTIPHON_STEM_FORMAT", "ogg"),
        ("ANTIPHON_CALLBACK_ALLOW", "localhost"),
        ("ANTIPHON_CALLBACK_ALLOW", "10.0.0.1/8"),
        ("ANTIPHON_CALLBACK_RETRY_DELAYS", "soon"),
        ("ANTIPHON_MAX_DURATION", "nan"),
        ("ANTIPHON_LOG_FORMAT", "xml"),
    ],
)
def test_a_bad_setting_names_itself(monkeypatch: pytest.MonkeyPatch, name: str, value: str) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(SettingsError, match=f"^{name}: "):
        load_settings()


def test_an_unknown_setting_names_itself_and_the_known_ones(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ANTIPHON_PROT", "9000")
    with pytest.raises(SettingsError, match=r"^unknown setting ANTIPHON_PROT; .*ANTIPHON_PORT"):
        load_settings()


@pytest.mark.parametrize(("name", "value"), [("ANTIPHON_PORT", "many"), ("ANTIPHON_PROT", "1")])
def test_a_bad_setting_stops_the_start(tmp_path: Path, name: str, value: str) -> None:
    environment = {**os.environ, name: value, "ANTIPHON_DATA": str(tmp_path / "data")}
    command = [sys.executable, "-m", "antiphon", "serve"]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 1
    assert done.stderr.startswith("error: ")
    assert name in done.stderr
    assert len(done.stderr.splitlines()) == 1
    assert not (tmp_path / "data").exists()


def test_the_settings_do_not_show_their_secrets(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ANTIPHON_SECRET", "correct horse battery staple")
    monkeypatch.setenv("ANTIPHON_DATABASE_URL", "postgresql://user:hunter2@db/antiphon")
    shown = repr(load_settings())
    assert "horse" not in shown
    assert "hunter2" not in shown


@pytest.mark.parametrize("value", ["nan", "inf", "-1"])
def test_times_are_finite_and_not_negative(monkeypatch: pytest.MonkeyPatch, value: str) -> None:
    monkeypatch.setenv("ANTIPHON_CALLBACK_RETRY_DELAYS", f"10,{value}")
    with pytest.raises(SettingsError, match="ANTIPHON_CALLBACK_RETRY_DELAYS"):
        load_settings()


def test_the_table_of_settings_in_the_documents_is_the_code_s_own() -> None:
    assert settings_table() in (DOCS / "02-settings.md").read_text(), "python -m antiphon.settings prints it"
    assert all(field.description for field in Settings.model_fields.values())


def test_a_default_that_a_document_names_beside_a_setting_is_the_default() -> None:
    beside = re.compile(r"`ANTIPHON_([A-Z_]+)`(?: \(|, )([0-9]+)(?: s)?\)")
    text = "\n".join(path.read_text() for path in DOCS.rglob("*.md"))
    named = [(name, number) for name, number in beside.findall(text) if name.lower() in Settings.model_fields]
    assert len(named) >= 3
    assert [(name, number) for name, number in named if shown_default(name.lower()) != number] == []
