"""Splits: by song, by hash, never empty."""

from collections import Counter

import pytest

from cyclegan_jax.datasets.genre_rolls.reading.splits import SPLITS, song_hash, split_songs

SONGS = [f"song {n}.mid" for n in range(2000)]


def test_the_hash_is_the_start_of_the_sha256_of_genre_and_song():
    # printf 'jazz/a.mid' | sha256sum
    assert song_hash("jazz", "a.mid") == 0x8BCE69D6705352BA
    assert song_hash("pop", "a.mid") != song_hash("jazz", "a.mid") != song_hash("jazz", "b.mid")


def test_a_tenth_chooses_a_tenth_judges_and_the_rest_trains():
    sizes = Counter(split_songs("jazz", SONGS).values())
    assert sizes["train"] == pytest.approx(1600, rel=0.03)
    assert sizes["validation"] == pytest.approx(200, rel=0.15)
    assert sizes["test"] == pytest.approx(200, rel=0.15)


def test_the_last_digit_of_the_hash_decides():
    split_of = split_songs("jazz", SONGS)
    digits = {split: {song_hash("jazz", s) % 10 for s in SONGS if split_of[s] == split} for split in SPLITS}
    assert digits == {"test": {0}, "validation": {1}, "train": {2, 3, 4, 5, 6, 7, 8, 9}}


def test_the_same_name_in_another_genre_falls_elsewhere():
    jazz, pop = (split_songs(genre, SONGS) for genre in ("jazz", "pop"))
    assert sum(jazz[song] != pop[song] for song in SONGS) > 400


def test_more_files_move_no_song_and_neither_does_their_order():
    few = split_songs("jazz", SONGS[:500])
    many = split_songs("jazz", SONGS[::-1])
    assert {song: many[song] for song in few} == few


@pytest.mark.parametrize("count", range(3, 12))
def test_no_split_is_empty(count):
    for first in range(40):
        songs = SONGS[first : first + count]
        split_of = split_songs("jazz", songs)
        assert list(split_of) == songs
        assert set(split_of.values()) == set(SPLITS)


def test_an_empty_split_gets_the_song_of_lowest_hash_from_where_there_are_several():
    hashes = {song: song_hash("jazz", song) for song in SONGS}
    of_train = [song for song in SONGS if hashes[song] % 10 > 1][:4]
    of_test = next(
        song for song in SONGS if hashes[song] % 10 == 0 and hashes[song] < min(map(hashes.get, of_train))
    )
    split_of = split_songs("jazz", [*of_train, of_test])
    lowest = min(of_train, key=hashes.get)
    assert [song for song in split_of if split_of[song] == "validation"] == [lowest]
    assert [song for song in split_of if split_of[song] == "test"] == [of_test]


@pytest.mark.parametrize("count", [0, 1, 2])
def test_under_three_songs_are_refused_with_genre_and_number(count):
    with pytest.raises(ValueError, match=f"'jazz' has {count} usable songs.* at least 3"):
        split_songs("jazz", SONGS[:count])
