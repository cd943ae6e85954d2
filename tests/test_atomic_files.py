"""Files are written whole or not at all."""

import os
import stat

import pytest

from cyclegan_jax.atomic_files import write_whole


@pytest.mark.parametrize("content, found", [("né\n", "né\n".encode()), (b"\x00\xff", b"\x00\xff"), ("", b"")])
def test_text_and_bytes_are_written_and_replaced(tmp_path, content, found):
    path = tmp_path / "file"
    path.write_text("something older and longer")
    write_whole(path, content)
    assert path.read_bytes() == found
    assert [child.name for child in tmp_path.iterdir()] == ["file"]


def test_a_new_file_can_be_read_by_others(tmp_path):
    write_whole(tmp_path / "new", "text")
    assert stat.S_IMODE((tmp_path / "new").stat().st_mode) == 0o644


@pytest.mark.parametrize("failure", [OSError("No space left on device"), KeyboardInterrupt()])
@pytest.mark.parametrize("call", ["fsync", "replace"])
def test_a_failed_write_leaves_the_old_file_alone(tmp_path, monkeypatch, call, failure):
    path = tmp_path / "file"
    path.write_text("old")

    def fail(*_):
        raise failure

    if call == "fsync":
        monkeypatch.setattr(os, "fsync", fail)
    else:
        monkeypatch.setattr(type(path), "replace", fail)
    with pytest.raises(type(failure)):
        write_whole(path, "new")
    assert path.read_text() == "old"
    assert [child.name for child in tmp_path.iterdir()] == ["file"]


def test_a_failed_first_write_leaves_nothing(tmp_path, monkeypatch):
    monkeypatch.setattr(os, "fsync", lambda _: (_ for _ in ()).throw(OSError()))
    with pytest.raises(OSError):
        write_whole(tmp_path / "file", "new")
    assert list(tmp_path.iterdir()) == []


def test_content_is_on_disk_before_the_old_file_goes(tmp_path, monkeypatch):
    path, seen = tmp_path / "file", []
    path.write_text("old")

    def note(descriptor):
        status = os.fstat(descriptor)
        seen.append((path.read_text(), "folder" if stat.S_ISDIR(status.st_mode) else status.st_size))

    monkeypatch.setattr(os, "fsync", note)
    write_whole(path, "newer")
    assert seen == [("old", 5), ("newer", "folder")]


def test_a_missing_folder_is_an_error_and_stays_missing(tmp_path):
    with pytest.raises(FileNotFoundError):
        write_whole(tmp_path / "missing" / "file", "text")
    assert list(tmp_path.iterdir()) == []
