"""Archives that swell as they are read, headers that promise more than there is: refused in little memory."""

import io
import tracemalloc
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from cyclegan_jax.datasets.genre_rolls.reading.paper_arrays import read_phrases
from cyclegan_jax.datasets.genre_rolls.records.build_report import read_positions
from cyclegan_jax.errors import UserError

SWOLLEN = 1 << 28  # bytes of zeros
MOST = 1 << 24  # bytes that a refusal may take


def header(count: int, dtype: str = "<i8") -> bytes:
    """What a .npy file of so many numbers begins with."""
    content = io.BytesIO()
    shape = {"descr": dtype, "fortran_order": False, "shape": (count,)}
    np.lib.format.write_array_header_1_0(content, shape)
    return content.getvalue()


def bomb(path: Path) -> None:
    """256 MiB of zeros in a quarter of a MiB."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive, archive.open("0.npy", "w") as entry:
        entry.write(header(SWOLLEN // 8))
        for _ in range(SWOLLEN >> 20):
            entry.write(bytes(1 << 20))
    assert path.stat().st_size < SWOLLEN / 500


def understated(path: Path) -> None:
    """The same, that tells 100 bytes in its directory."""
    bomb(path)
    content = bytearray(path.read_bytes())
    entry = content.rindex(b"PK\x01\x02")
    content[entry + 24 : entry + 28] = (100).to_bytes(4, "little")
    path.write_bytes(content)


def encrypted(path: Path) -> None:
    promising(10)(path)
    content = bytearray(path.read_bytes())
    content[content.rindex(b"PK\x01\x02") + 8] |= 1
    path.write_bytes(content)


def in_parentheses(path: Path) -> None:
    head = b"{'descr': '<i8', 'fortran_order': False, 'shape': " + b"(" * 5000 + b"\n"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("0.npy", b"\x93NUMPY\x01\x00" + len(head).to_bytes(2, "little") + head)


def promising(count: int, dtype: str = "<i8") -> Callable[[Path], None]:
    """An archive of an array that is not all there."""

    def write(path: Path) -> None:
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr("0.npy", header(count, dtype) + bytes(80))

    return write


def pickled(path: Path) -> None:
    np.savez(path, **{"0": np.array([print], object)})


def cut_off(path: Path) -> None:
    np.savez(path, **{"0": np.arange(10_000)})
    path.write_bytes(path.read_bytes()[:-100])


def named(path: Path) -> None:
    np.savez(path, name=np.arange(3))


BROKEN = {
    "a bomb": (bomb, "it would swell"),
    "a bomb that tells less": (understated, "it would swell"),
    "encrypted": (encrypted, "is encrypted"),
    "5,000 parentheses": (in_parentheses, ""),
    "2^60 numbers": (promising(2**60), "in 80 bytes"),
    "2^27 numbers": (promising(2**27), "in 80 bytes"),
    "floats": (promising(10, "<f8"), "of float64"),
    "a pickle": (pickled, "OBJECT"),
    "cut off": (cut_off, "not a zip file"),
    "no archive": (lambda path: path.write_bytes(header(3) + bytes(24)), "not a zip file"),
    "empty": (lambda path: path.write_bytes(b""), "not a zip file"),
    "a name for a number": (named, "'name'"),
}


def refused(read: Callable[[], object]) -> str:
    """What it is refused with, in little memory."""
    tracemalloc.start()
    try:
        with pytest.raises(UserError) as error:
            read()
        held = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert held < MOST and "\n" not in str(error.value)
    return str(error.value)


@pytest.mark.parametrize(("write", "words"), BROKEN.values(), ids=BROKEN)
def test_positions_that_a_build_did_not_write_are_refused_in_one_line(tmp_path, write, words):
    path = tmp_path / "positions-train.npz"
    write(path)
    told = refused(lambda: read_positions(tmp_path, "train"))
    assert told.startswith(f"{path} cannot be read (") and words in told and "make it again" in told


def test_a_bomb_in_the_place_of_the_authors_arrays_is_refused_unopened(tmp_path):
    for name in ("jazz_train_piano.npy", "jazz_test_piano.npy"):
        bomb(tmp_path / name)
    told = refused(lambda: list(read_phrases(tmp_path)))
    assert "_piano.npy cannot be read (the magic string is not correct" in told
