"""Files that are there whole or not at all."""

import errno
from pathlib import Path

import pytest

from antiphon.durable_files import is_disk_full, place, sync_folder, write_durably


def test_a_file_is_written_for_its_owner_alone(tmp_path: Path) -> None:
    path = tmp_path / "secret"
    write_durably(path, b"one")
    write_durably(path, b"two")
    assert path.read_bytes() == b"two"
    assert path.stat().st_mode & 0o777 == 0o600
    assert list(tmp_path.iterdir()) == [path]


def test_what_fails_leaves_the_old_file_and_nothing_beside_it(tmp_path: Path) -> None:
    path = tmp_path / "secret"
    write_durably(path, b"old")

    def refuse(new: Path) -> None:
        assert new.read_bytes() == b"new"
        raise OSError(errno.ENOSPC, "no space")

    with pytest.raises(OSError, match="no space") as full:
        write_durably(path, b"new", prepare=refuse)
    assert is_disk_full(full.value)
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


def test_a_finished_file_is_put_in_its_place(tmp_path: Path) -> None:
    (tmp_path / "new").write_bytes(b"x")
    place(tmp_path / "new", tmp_path / "there")
    sync_folder(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["there"]


@pytest.mark.parametrize(
    ("error", "full"), [(OSError(errno.EDQUOT, ""), True), (OSError(errno.EACCES, ""), False), (ValueError(), False)]
)
def test_a_full_disk_is_known_by_its_number(error: Exception, full: bool) -> None:
    assert is_disk_full(error) is full
