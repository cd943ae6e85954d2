"""The catalogue: what is kept of what was read, which file is a duplicate of which, and the splits' plans."""

import hashlib
from itertools import count

import numpy as np
import pytest

from cyclegan_jax.datasets.genre_rolls.reading.midi_file import ConvertedSong, Phrase, Reading, Refused
from cyclegan_jax.datasets.genre_rolls.reading.midi_folder import SongFile, fingerprint
from cyclegan_jax.datasets.genre_rolls.reading.process_pool import TaskFailedError
from cyclegan_jax.datasets.genre_rolls.reading.splits import SPLITS, split_songs
from cyclegan_jax.datasets.genre_rolls.reading.statistics import Statistics
from cyclegan_jax.datasets.genre_rolls.records.catalogue import Catalogue
from cyclegan_jax.errors import UserError
from cyclegan_jax.midi.refusals import Refusal

GENRES = ["jazz", "pop"]
serial = count()


def file_of(name: str) -> SongFile:
    genre, _, song = name.partition("/")
    return SongFile(genre, song, f"/nowhere/{name}")


def song(
    notes: str | None = None, keys: tuple[tuple[int, int], ...] = ((0, 0),), dropped: int = 0
) -> Reading:
    """A song with phrases (index, key shift), and notes that no other song has unless they are named."""
    notes = notes or f"own {next(serial)}"
    rolls = np.zeros((sum(shift == 0 for _, shift in keys), 64, 84, 1), bool)
    rolls[:, 3, 20] = True
    phrases = tuple(
        Phrase(index, 4 * index, shift, b"roll", b"onsets", b"melody", (5,)) for index, shift in keys
    )
    return Reading(
        notes.encode(), ConvertedSong(notes.encode(), 90.0, False, dropped, phrases, Statistics.of(rolls))
    )


def refused(reason: Refusal = Refusal.DAMAGED) -> Reading:
    return Reading(b"content", Refused(reason, "detail"))


def catalogue_of(**readings: Reading) -> Catalogue:
    """A catalogue of files by name, '__' for '/'."""
    catalogue = Catalogue(GENRES)
    for name, reading in readings.items():
        catalogue.add(file_of(name.replace("__", "/")), reading)
    return catalogue


def names(catalogue: Catalogue) -> list[str]:
    return [kept.file.name for kept in catalogue.kept]


def test_songs_are_kept_with_their_phrases_numbered_through():
    catalogue = catalogue_of(
        jazz__a=song(keys=((0, 0), (2, 0), (3, 0)), dropped=4),
        jazz__b=refused(),
        jazz__c=song(keys=((1, 0),), dropped=1),
        pop__a=song(keys=((0, 0), (5, 0)), dropped=7),
    )
    kept = [(k.file.name, k.first, k.indices.tolist(), k.key_shifts.tolist()) for k in catalogue.kept]
    assert kept == [("jazz/a", 0, [0, 2, 3], [0] * 3), ("jazz/c", 3, [1], [0]), ("pop/a", 4, [0, 5], [0] * 2)]
    assert catalogue.refused == [("jazz/b", Refused(Refusal.DAMAGED, "detail"))]
    assert (catalogue.files, catalogue.dropped) == ({"jazz": 3, "pop": 1}, {"jazz": 5, "pop": 7})
    assert {genre: counts.phrases for genre, counts in catalogue.statistics.items()} == {"jazz": 4, "pop": 2}
    assert catalogue.phrases == 6


def test_what_is_added_gives_its_phrases_back_if_it_is_kept():
    catalogue = Catalogue(GENRES)
    reading = song("same", keys=((0, 0), (1, 0)))
    assert catalogue.add(file_of("jazz/a"), reading) == reading.outcome.phrases
    assert catalogue.add(file_of("jazz/b"), reading) == ()
    assert catalogue.add(file_of("jazz/c"), refused()) == ()


def test_of_files_of_equal_notes_the_first_stays_across_genres_and_the_others_name_it():
    catalogue = catalogue_of(
        jazz__a=song("one"), jazz__b=song("two"), jazz__c=song("one"), pop__a=song("one"), pop__b=song("two")
    )
    assert names(catalogue) == ["jazz/a", "jazz/b"]
    assert catalogue.refused == [
        ("jazz/c", Refused(Refusal.DUPLICATE, "jazz/a")),
        ("pop/a", Refused(Refusal.DUPLICATE, "jazz/a")),
        ("pop/b", Refused(Refusal.DUPLICATE, "jazz/b")),
    ]
    assert (catalogue.files["pop"], catalogue.dropped["pop"]) == (2, 0)
    assert catalogue.statistics["pop"].phrases == 0


def test_a_file_refused_otherwise_is_no_first():
    catalogue = catalogue_of(
        jazz__a=refused(Refusal.OTHER_METRE), jazz__b=song("one"), jazz__c=refused(), jazz__d=song("one")
    )
    assert names(catalogue) == ["jazz/b"]
    assert [(name, outcome.reason) for name, outcome in catalogue.refused] == [
        ("jazz/a", Refusal.OTHER_METRE),
        ("jazz/c", Refusal.DAMAGED),
        ("jazz/d", Refusal.DUPLICATE),
    ]


def test_a_failed_task_is_a_refused_file_with_the_hash_of_its_bytes(tmp_path):
    (tmp_path / "a.mid").write_bytes(b"deadly")
    catalogue = Catalogue(GENRES)
    file = SongFile("jazz", "a.mid", str(tmp_path / "a.mid"))
    assert catalogue.add(file, TaskFailedError("killed by SIGSEGV")) == ()
    assert catalogue.refused == [("jazz/a.mid", Refused(Refusal.READER_FAILED, "killed by SIGSEGV"))]
    assert catalogue.contents == [("jazz/a.mid", hashlib.sha256(b"deadly").digest())]


def test_transposed_phrases_are_in_train_only():
    keys = ((0, -1), (0, 0), (0, 1), (4, 0), (4, 1))
    (kept,) = catalogue_of(jazz__a=song(keys=keys)).kept
    assert kept.rows_in("train").tolist() == [0, 1, 2, 3, 4]
    assert kept.rows_in("validation").tolist() == kept.rows_in("test").tolist() == [1, 3]
    assert list(kept.keys(kept.rows_in("test"))) == [b"jazz/a:0:0", b"jazz/a:4:0"]
    assert list(kept.keys(np.array([0, 4]))) == [b"jazz/a:0:-1", b"jazz/a:4:1"]


def large() -> Catalogue:
    """Ten songs a genre, each of two phrases, the first of them in another key as well."""
    readings = {
        f"{genre}__{number}": song(keys=((0, 0), (0, 2), (3, 0)), dropped=number)
        for genre in GENRES
        for number in range(10)
    }
    return catalogue_of(pop__twin=refused(), **readings)


def test_every_song_is_in_the_split_that_its_genre_and_name_give_it():
    catalogue = large()
    songs_of = catalogue.songs_of_splits()
    by_split = {split: [kept.file.name for kept in songs] for split, songs in songs_of.items()}
    assert list(by_split) == list(SPLITS)
    for genre in GENRES:
        for number, split in split_songs(genre, [str(number) for number in range(10)]).items():
            assert f"{genre}/{number}" in by_split[split]
    assert sum(map(len, by_split.values())) == 20


def test_the_plans_name_the_records_of_each_split_by_their_numbers_and_labels():
    catalogue = large()
    build = catalogue.build("rules")
    splits = {genre: split_songs(genre, [str(number) for number in range(10)]) for genre in GENRES}
    for split, plan in build.splits.items():
        songs = [kept for kept in catalogue.kept if splits[kept.file.genre][kept.file.song] == split]
        taken = [0, 1, 2] if split == "train" else [0, 2]
        assert plan.numbers.tolist() == [kept.first + row for kept in songs for row in taken]
        assert plan.labels.tolist() == [GENRES.index(kept.file.genre) for kept in songs for _ in taken]
        assert plan.songs == {genre: list(splits[genre].values()).count(split) for genre in GENRES}
    assert build.fingerprint == fingerprint(catalogue.contents, "rules")
    assert build.fingerprint != catalogue.build("other rules").fingerprint
    assert (build.files, build.dropped) == ({"jazz": 10, "pop": 11}, {"jazz": 45, "pop": 45})
    assert len(build.refused) == 1


@pytest.mark.parametrize(
    "usable, reasons",
    [
        (0, "metre other than 4/4 3, damaged or cut off 2"),
        (1, "damaged or cut off 2, metre other than 4/4 2"),
        (2, "metre other than 4/4 2, damaged or cut off 1"),
    ],
)
def test_a_genre_of_under_three_songs_is_a_user_error_that_says_why(usable, reasons):
    other = [refused(Refusal.DAMAGED if number % 2 else Refusal.OTHER_METRE) for number in range(5)]
    songs = {f"jazz__{number}": song() for number in range(3)}
    songs |= {f"pop__{number}": song() if number < usable else other[number] for number in range(5)}
    message = (
        rf"^genre 'pop' has {usable} usable songs, but needs at least 3 \(refused: {reasons}\); "
        "add MIDI files in 4/4 to '/nowhere/pop', or move that folder away.$"
    )
    with pytest.raises(UserError, match=message):
        catalogue_of(**songs).build("rules")


def test_of_several_genres_without_enough_songs_all_are_named():
    songs = {f"jazz__{number}": song() for number in range(3)}
    songs |= {"pop__x__0": refused(), "popular__0": refused(), "waltz__0": refused()}
    message = (
        r"^genre 'pop' has 0 usable songs, but needs at least 3 \(refused: damaged or cut off 1\); add MIDI "
        "files in 4/4 to '/nowhere/pop', or move that folder away; the same goes for 'popular', 'waltz'.$"
    )
    with pytest.raises(UserError, match=message):
        catalogue_of(**songs).build("rules")


def test_nothing_kept_at_all_is_a_user_error_that_says_why():
    songs = {
        "jazz__0": refused(Refusal.DAMAGED),
        "pop__0": refused(Refusal.DAMAGED),
        "pop__1": refused(Refusal.TOO_LONG),
    }
    message = (
        r"^nothing was kept of 3 files \(refused: damaged or cut off 2, too many bars 1\); "
        "add MIDI files in 4/4.$"
    )
    with pytest.raises(UserError, match=message):
        catalogue_of(**songs).build("rules")
