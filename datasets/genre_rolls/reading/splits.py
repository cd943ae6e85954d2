"""Which songs are for training, validation and test: by song, never by phrase."""

import hashlib
from collections import Counter
from collections.abc import Sequence

SPLITS = ("train", "validation", "test")
MIXED = "mixed"  # a fourth split: the mixed phrases of the paper's authors


def song_hash(genre: str, song: str) -> int:
    """A number of 64 bits that depends on the genre and the song's id alone."""
    return int.from_bytes(hashlib.sha256(f"{genre}/{song}".encode()).digest()[:8], "big")


def split_songs(genre: str, songs: Sequence[str]) -> dict[str, str]:
    """Song id -> split: a tenth to `validation`, a tenth to `test`, the rest to `train`.

    The hash decides, so that adding files moves no song; a split left empty gets the song of lowest
    hash from a split that has more than one. Raises ValueError for under 3 songs.
    """
    if len(songs) < len(SPLITS):
        raise ValueError(f"genre {genre!r} has {len(songs)} usable songs, but needs at least {len(SPLITS)}")
    hashes = {song: song_hash(genre, song) for song in songs}
    split_of = {song: {0: "test", 1: "validation"}.get(hashes[song] % 10, "train") for song in songs}
    for split in SPLITS:
        sizes = Counter(split_of.values())
        if not sizes[split]:
            givers = [song for song in songs if sizes[split_of[song]] > 1]
            split_of[min(givers, key=hashes.__getitem__)] = split
    return split_of
