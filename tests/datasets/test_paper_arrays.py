"""Arrays: the files of the paper's authors, in both layouts, and what is refused of them."""

import os
import tracemalloc
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from numpy.lib.format import open_memmap

from cyclegan_jax.datasets.genre_rolls.reading import paper_arrays as arrays
from cyclegan_jax.datasets.genre_rolls.reading.paper_arrays import array_files, read_phrases
from cyclegan_jax.errors import UserError

BITS = np.arange(16)
TRAIN = "jazz_train_piano.npy"
SINGLE = "JP_P/train/piano_1.npy"
EXPECTED = {
    TRAIN: "expected a .npy array of shape [N, 64, 84, 1]",
    SINGLE: "expected a .npy array of shape [64, 84], [64, 84, 1] or [1, 64, 84, 1]",
}


def phrase(number: int) -> np.ndarray:
    """[64, 84, 1] bool: the bits of `number` from corner to corner, its last digit as a held note."""
    roll = np.zeros((64, 84, 1), np.bool_)
    roll[BITS * 4, BITS * 5, 0] = number >> BITS & 1
    roll[1 : number % 10 + 1, 82, 0] = True
    return roll


def number_of(roll: np.ndarray) -> int:
    number = int((roll[BITS * 4, BITS * 5, 0] << BITS).sum())
    assert np.array_equal(roll, phrase(number))
    return number


def lay(folder: Path, **numbers: list[int]) -> Path:
    """`jazz_train=[...]`: an array of phrases; `JC_J__train=[...]`: single files, numbered from 1."""
    for name, content in numbers.items():
        if name.endswith("mixed") or "__" in name:
            place = folder / name.replace("__", "/")
            place.mkdir(parents=True, exist_ok=True)
            for at, number in enumerate(content, 1):
                np.save(place / f"piano_{at}.npy", phrase(number)[np.newaxis])
        else:
            np.save(folder / f"{name}_piano.npy", np.stack([phrase(number) for number in content]))
    return folder


def told(folder: Path) -> list[str]:
    return [f"{p.split} {p.genre} {p.source}:{p.row} = {number_of(p.roll)}" for p in read_phrases(folder)]


def splits(folder: Path, genre: str = "jazz") -> tuple[list[int], ...]:
    phrases = [(p.split, number_of(p.roll)) for p in read_phrases(folder) if p.genre == genre]
    return tuple([n for split, n in phrases if split == name] for name in ("train", "validation", "test"))


def mixed(folder: Path) -> list[tuple[str | None, int]]:
    return [(p.genre, number_of(p.roll)) for p in read_phrases(folder) if p.split == "mixed"]


def refused(folder: Path, reader: Callable = read_phrases) -> str:
    with pytest.raises(UserError) as caught:
        list(reader(folder))
    assert "\n" not in str(caught.value)
    return str(caught.value)


def refused_unopened(folder: Path) -> str:
    assert refused(folder, array_files) == refused(folder)
    return refused(folder)


@pytest.fixture
def folder(tmp_path) -> Path:
    """Jazz in arrays, pop in single files."""
    return lay(tmp_path, jazz_train=[1, 2, 3], jazz_test=[4], JP_P__train=[1, 2, 3], JP_P__test=[4])


def test_arrays_come_genre_by_genre_in_order_with_source_and_row(tmp_path):
    assert arrays.PAPER_GENRES == ("classic", "jazz", "pop")
    lay(tmp_path, pop_train=[11, 12], pop_test=[13], classic_train=[3, 1, 2], classic_test=[9])
    assert told(tmp_path) == [
        "train classic classic_train_piano.npy:0 = 3",
        "train classic classic_train_piano.npy:1 = 1",
        "validation classic classic_train_piano.npy:2 = 2",
        "test classic classic_test_piano.npy:0 = 9",
        "train pop pop_train_piano.npy:0 = 11",
        "validation pop pop_train_piano.npy:1 = 12",
        "test pop pop_test_piano.npy:0 = 13",
    ]


def test_single_files_come_in_natural_order_with_source_and_row_0(tmp_path):
    lay(tmp_path, JC_J__train=[6], JC_J__test=[7], JCP_mixed=[8] * 10)
    for number, name in enumerate(["z_10", "z_9", "z_100", "z_011", os.fsdecode(b"caf\xe9")]):
        np.save(tmp_path / f"JC_J/train/{name}.npy", phrase(number))
    assert told(tmp_path) == [
        "train jazz JC_J/train/caf\\udce9.npy:0 = 4",
        "train jazz JC_J/train/piano_1.npy:0 = 6",
        "train jazz JC_J/train/z_9.npy:0 = 1",
        "train jazz JC_J/train/z_10.npy:0 = 0",
        "train jazz JC_J/train/z_011.npy:0 = 3",
        "validation jazz JC_J/train/z_100.npy:0 = 2",
        "test jazz JC_J/test/piano_1.npy:0 = 7",
        *[f"mixed None JCP_mixed/piano_{at}.npy:0 = 8" for at in range(1, 11)],
    ]


def test_arrays_win_over_pair_folders_genre_by_genre(tmp_path):
    lay(tmp_path, jazz_train=[1, 2], jazz_test=[3], JC_J__train=[4, 5], JC_C__train=[6, 7], JC_C__test=[8])
    assert splits(tmp_path, "jazz") == ([1], [2], [3])
    assert splits(tmp_path, "classic") == ([6], [7], [8])
    single = [f"JC_C/{name}.npy" for name in ("test/piano_1", "train/piano_1", "train/piano_2")]
    assert array_files(tmp_path) == [tmp_path / name for name in (*single, "jazz_test_piano.npy", TRAIN)]


def test_files_that_are_no_arrays_are_passed_by(folder):
    before = array_files(folder)
    for name in ["JP_P/train/._a.npy", "JP_P/train/a.npy.bak", "JP_P/a.npy", "rock_train_piano.npy"]:
        (folder / name).write_text("no array")
    assert array_files(folder) == before
    assert splits(folder, "pop") == ([1, 2], [3], [4])


@pytest.mark.parametrize(("count", "held"), [(1, 0), (2, 1), (9, 1), (19, 1), (20, 2), (25, 2), (30, 3)])
def test_the_last_tenth_of_train_is_validation(tmp_path, count, held):
    lay(tmp_path, jazz_train=list(range(count)), jazz_test=[99])
    assert splits(tmp_path) == (list(range(count - held)), list(range(count - held, count)), [99])


PAIRS = {
    "once": (([1, 2, 3], [4, 5]), ([40962, 2, 4, 7], [3, 5, 8]), ([1, 2, 3, 40962], [7], [4, 5, 8])),
    "blanks stay": (([0, 1, 0], [0]), ([2], [3]), ([0, 1, 0], [2], [0, 3])),
    "repeats of one": (([1, 1, 2], [1, 3, 3]), ([2, 9], [3]), ([1, 1, 2], [9], [1, 3, 3])),
    "repeats beyond": (([1, 2, 2], [3]), ([1, 1, 2, 5, 5], [3, 3]), ([1, 2, 2, 1, 5], [5], [3, 3])),
    "test is absorbed first": (([1, 2], [3]), ([1, 9], [1]), ([1, 2, 1], [9], [3])),
    "a tenth of what is kept": (([*range(19)], [99]), ([*range(20)], [99]), ([*range(18)], [18, 19], [99])),
}


@pytest.mark.parametrize("case", PAIRS)
@pytest.mark.parametrize("names", ["classic JC_C CP_C", "jazz JC_J JP_J", "pop JP_P CP_P"])
def test_what_two_pairs_share_counts_once(tmp_path, names, case):
    genre, *folders = names.split()
    *pairs, kept = PAIRS[case]
    for name, (train, test) in zip(folders, pairs, strict=True):
        lay(tmp_path, **{f"{name}__train": train, f"{name}__test": test})
    assert splits(tmp_path, genre) == kept


def test_mixed_comes_last_and_knows_its_genres_by_content(tmp_path):
    lay(tmp_path, pop_train=[1, 2, 3], pop_test=[4], classic_train=[5, 1, 6], classic_test=[7])
    lay(tmp_path, JCP_mixed=[2, 8, 1, 5, 2])
    assert mixed(tmp_path) == [("pop", 2), (None, 8), ("classic", 1), ("classic", 5), ("pop", 2)]
    assert told(tmp_path)[8] == "mixed pop JCP_mixed/piano_1.npy:0 = 2"


def test_mixed_leaves_out_what_is_held_out_in_any_genre(tmp_path):
    lay(tmp_path, jazz_train=[1, 2], jazz_test=[3], JP_P__train=[3, 4, 5], JP_P__test=[6, 1])
    lay(tmp_path, CP_P__train=[6, 8, 9], CP_P__test=[4], JCP_mixed=[1, 2, 3, 4, 5, 6, 7, 8, 9])
    assert mixed(tmp_path) == [("pop", 4), ("pop", 5), (None, 7), ("pop", 8)]


@pytest.mark.parametrize("beside", ["JCP_mixed__test", "JCP_mixed"])
def test_mixed_is_the_train_side_where_there_is_one(folder, beside):
    lay(folder, JCP_mixed__train=[1, 2], **{beside: [9]})
    assert mixed(folder) == [("jazz", 1), ("jazz", 2)]
    assert array_files(folder)[:2] == [folder / f"JCP_mixed/train/piano_{at}.npy" for at in (1, 2)]


@pytest.mark.parametrize("dtype", ["?", "u1", "i1", "<i4", ">i8", "u8", "<f2", "<f4", ">f8", "longdouble"])
@pytest.mark.parametrize("order", ["C", "F"])
def test_every_kind_of_number_in_either_memory_order(folder, dtype, order):
    many = np.stack([phrase(number) for number in (5, 6, 7)])
    np.save(folder / TRAIN, np.asarray(many, dtype, order=order))
    assert splits(folder) == ([5, 6], [7], [4])
    for p in read_phrases(folder):
        assert (type(p.roll), p.roll.dtype, p.roll.shape) == (np.ndarray, np.bool_, (64, 84, 1))
        assert p.roll.flags.c_contiguous


@pytest.mark.parametrize("shape", [(64, 84), (64, 84, 1), (1, 64, 84, 1)])
def test_the_shapes_of_a_single_phrase(folder, shape):
    np.save(folder / SINGLE, phrase(5).reshape(shape))
    assert splits(folder, "pop") == ([5, 2], [3], [4])


WRONG_SHAPES = {
    TRAIN: [(0, 64, 84, 1), (3, 64, 84), (64, 84, 1), (3, 84, 64, 1), (64, 84), ()],
    SINGLE: [(0, 64, 84, 1), (2, 64, 84, 1), (84, 64), (1, 64, 84), (5376,), ()],
}


@pytest.mark.parametrize(("name", "shape"), [(name, s) for name in WRONG_SHAPES for s in WRONG_SHAPES[name]])
def test_another_shape_is_named_with_those_allowed(folder, name, shape):
    np.save(folder / name, np.zeros(shape, np.bool_))
    assert refused(folder) == f"{folder / name} has the shape {list(shape)}: {EXPECTED[name]}."


@pytest.mark.parametrize(("value", "dtype"), [(0.5, "f4"), (np.nan, "f8"), (127, "u1"), (-1, "i2"), (2, "?")])
@pytest.mark.parametrize("name", [TRAIN, SINGLE, "CP_P/test/piano_1.npy", "JCP_mixed/piano_1.npy"])
def test_values_other_than_0_and_1_are_named_with_their_file(folder, name, value, dtype):
    lay(folder, CP_P__train=[1, 2], CP_P__test=[3], JCP_mixed=[1])
    content = np.load(folder / name).astype(dtype)
    content.view("u1" if dtype == "?" else dtype)[-1, 63, 83, 0] = value
    np.save(folder / name, content)
    assert refused(folder).startswith(f"{folder / name} has the value {value}: expected 0 and 1 only")


def with_header(shape: str) -> bytes:
    text = f"{{'descr': '|b1', 'fortran_order': False, 'shape': {shape}}}".encode() + b"\n"
    return b"\x93NUMPY\x01\x00" + len(text).to_bytes(2, "little") + text + bytes(5376)


UNREADABLE = {
    "empty": b"",
    "too_short": with_header("(1, 64, 84, 1)")[:-1],
    "1e12_rows": with_header(f"({10**12}, 64, 84, 1)"),
    "2^61_rows": with_header(f"({2**61}, 64, 84, 1)"),
    "1e40_rows": with_header(f"({10**40}, 64, 84, 1)"),
    "shape_not_closed": with_header("'''"),
    "shape_in_lines": with_header("(" + "'no',\n" * 2000 + ")"),
    "shape_deep": with_header("-" * 9000 + "1"),
}


@pytest.mark.parametrize("kind", UNREADABLE)
def test_what_is_no_plain_array_is_refused_in_one_line(folder, kind):
    (folder / TRAIN).write_bytes(UNREADABLE[kind])
    message = refused(folder)
    assert message.startswith(f"{folder / TRAIN} cannot be read (")
    assert "()" not in message and "encountered" not in message  # a warning of NumPy, made an error here
    assert message.endswith(f"): {EXPECTED[TRAIN]}.")


def test_pickles_and_archives_are_refused(folder):
    np.save(folder / TRAIN, np.full((3, 64, 84, 1), None, object), allow_pickle=True)
    assert "cannot be read (Array can't be memory-mapped: Python objects" in refused(folder)
    np.savez(folder / "renamed.npz", np.zeros((3, 64, 84, 1), np.bool_))
    (folder / "renamed.npz").rename(folder / TRAIN)
    assert "cannot be read (the magic string is not correct" in refused(folder)


@pytest.mark.parametrize("dtype", ["U1", "S1", "c8", "V1", "m8[s]", [("on", "?"), ("off", "?")]], ids=str)
def test_what_is_no_number_is_refused_with_its_type(folder, dtype):
    np.save(folder / TRAIN, np.zeros((3, 64, 84, 1), dtype))
    assert f"{TRAIN} has the type {np.dtype(dtype)}: {EXPECTED[TRAIN]}, of bool, " in refused(folder)


@pytest.mark.parametrize("name", [TRAIN, "CP_P/train/x.npy", "JCP_mixed/train/x.npy"])
@pytest.mark.parametrize("make", [os.mkfifo, os.mkdir])
def test_what_is_no_regular_file_is_refused_before_anything_is_opened(folder, name, make):
    lay(folder, CP_P__train=[1], CP_P__test=[2], JCP_mixed__train=[1])
    (folder / name).unlink(missing_ok=True)
    make(folder / name)
    assert refused_unopened(folder).startswith(f"{folder / name} is not a regular file: expected a .npy ")


@pytest.mark.parametrize("place", ["absent", TRAIN, "too_long" * 99])
def test_a_folder_that_is_not_there_is_named(folder, place):
    message = refused_unopened(folder / place).removeprefix(f"manual_dir '{folder / place}' ")
    assert message.startswith(("is not a folder; give", "cannot be read (File name too long); give"))


def test_a_folder_without_any_genre_is_named_with_both_layouts(tmp_path):
    message = refused_unopened(lay(tmp_path, JCP_mixed=[1], rock_train=[1], rock_test=[2]))
    assert message.startswith(f"manual_dir '{tmp_path}' has none of the genres classic, jazz, pop: ")
    assert "<genre>_train_piano.npy with <genre>_test_piano.npy, or train/*.npy with test/*.npy in" in message
    assert "the folders JC_C, CP_C, JC_J, JP_J, JP_P, CP_P; put" in message


@pytest.mark.parametrize(
    ("side", "message"),
    [
        ("pop_train", "pop_test_piano.npy is missing: pop needs the arrays of both"),
        ("pop_test", "pop_train_piano.npy is missing: pop needs the arrays of both"),
        ("CP_C__train", "CP_C/test has no .npy file: a pair folder needs train and test"),
        ("CP_C__test", "CP_C/train has no .npy file: a pair folder needs train and test"),
        ("JCP_mixed__test", "JCP_mixed has no .npy file, neither in train/ nor in itself"),
    ],
)
def test_one_side_alone_is_refused_beside_anything_else(folder, side, message):
    lay(folder, JC_C__train=[1], JC_C__test=[2], **{side: [5]})
    assert refused_unopened(folder).startswith(f"{folder}/{message}")


def test_a_large_array_is_read_in_slices(folder):
    many = open_memmap(folder / TRAIN, "w+", np.bool_, (12_000, 64, 84, 1))
    many[::1000] = np.stack([phrase(number) for number in range(1, 13)])
    tracemalloc.start()
    found = [(p.row, number_of(p.roll)) for p in read_phrases(folder) if p.source == TRAIN and p.roll.any()]
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert found == [(1000 * at, at + 1) for at in range(12)]
    assert peak < many.nbytes / 2
