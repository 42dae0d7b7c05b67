import stat
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import pytest

from antiphon.errors import SettingsError
from antiphon.secret import derive, load_secret, seal, unseal


def test_it_is_made_once_for_its_owner_alone(tmp_path: Path) -> None:
    data = tmp_path / "new" / "data"
    secret = load_secret(data, None)
    assert len(secret) == 32
    assert load_secret(data, None) == secret
    assert stat.S_IMODE((data / "secret").stat().st_mode) == 0o600
    assert stat.S_IMODE(data.stat().st_mode) == 0o700
    assert [path.name for path in data.iterdir()] == ["secret"]


def test_processes_that_start_at_once_get_the_same(tmp_path: Path) -> None:
    with ProcessPoolExecutor(4) as pool:
        found = set(pool.map(load_secret, [tmp_path] * 16, [None] * 16))
    assert len(found) == 1


def test_a_setting_gives_the_same_on_every_machine(tmp_path: Path) -> None:
    one = load_secret(tmp_path / "one", "correct horse battery staple")
    assert one == load_secret(tmp_path / "two", "correct horse battery staple")
    assert one != load_secret(tmp_path / "two", "correct horse battery stapler")
    assert len(one) == 32
    assert not (tmp_path / "one").exists()


def test_a_short_setting_is_refused_by_name(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="ANTIPHON_SECRET has 6 characters"):
        load_secret(tmp_path, "abc123")


@pytest.mark.parametrize("text", ["", "abcd", "zz" * 32, "é"])
def test_a_damaged_file_is_never_taken_for_a_secret(tmp_path: Path, text: str) -> None:
    (tmp_path / "secret").write_text(text)
    with pytest.raises(SettingsError, match="is damaged"):
        load_secret(tmp_path, None)
    assert (tmp_path / "secret").read_text() == text


def test_a_data_folder_that_is_a_file_is_reported_in_words(tmp_path: Path) -> None:
    (tmp_path / "data").write_text("")
    with pytest.raises(SettingsError, match="ANTIPHON_DATA"):
        load_secret(tmp_path / "data", None)


def test_what_is_sealed_opens_only_with_the_same_secret() -> None:
    secret, other = b"a" * 32, b"b" * 32
    sealed = seal(secret, b"whsec_abc")
    assert b"whsec" not in sealed
    assert seal(secret, b"whsec_abc") != sealed
    assert unseal(secret, sealed) == b"whsec_abc"
    with pytest.raises(SettingsError, match="sealed with another secret"):
        unseal(other, sealed)


def test_no_changed_or_cut_byte_goes_unnoticed() -> None:
    secret = b"a" * 32
    sealed = seal(secret, b"key")
    changed = [bytes([*sealed[:i], sealed[i] ^ 1, *sealed[i + 1 :]]) for i in range(len(sealed))]
    for wrong in [*changed, *(sealed[:n] for n in range(len(sealed))), sealed + b"\0"]:
        with pytest.raises(SettingsError):
            unseal(secret, wrong)


def test_each_purpose_has_its_own_key() -> None:
    assert len({derive(b"a" * 32, "links"), derive(b"a" * 32, "seal"), derive(b"b" * 32, "seal")}) == 3
