"""What a build has read: which files are kept, which refused and why, and which split each song is in.

A song is a duplicate where its quantised notes (onset, end, pitch) equal those of a song before it. Tracks,
programs, velocities, resolution and tempo do not count. Only the first is kept: two copies could stand in
`train` and in `test`.

A genre of which fewer than three songs were kept is an error, since three splits need three songs: a genre
without songs would be missed only when a pair is trained. So is a folder of which nothing was kept.
"""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np

from cyclegan_jax.datasets.genre_rolls.reading.midi_file import (
    ConvertedSong,
    Phrase,
    Reading,
    Refused,
    read_content,
)
from cyclegan_jax.datasets.genre_rolls.reading.midi_folder import SongFile, fingerprint
from cyclegan_jax.datasets.genre_rolls.reading.process_pool import TaskFailedError
from cyclegan_jax.datasets.genre_rolls.reading.splits import SPLITS, split_songs
from cyclegan_jax.datasets.genre_rolls.reading.statistics import Statistics
from cyclegan_jax.datasets.genre_rolls.records.build_report import Build
from cyclegan_jax.datasets.genre_rolls.records.split_plan import SplitPlan, enters
from cyclegan_jax.datasets.genre_rolls.records.tf_example import key_of
from cyclegan_jax.errors import UserError
from cyclegan_jax.midi.refusals import Refusal


@dataclass(frozen=True, slots=True)
class KeptSong:
    """A song of the dataset without its rolls.

    `first`: the number of its first phrase among all that were kept. `indices`, `key_shifts`: [N], of
    its phrases in their order.
    """

    file: SongFile
    first: int
    indices: np.ndarray
    key_shifts: np.ndarray

    def rows_in(self, split: str) -> np.ndarray:
        """Which of its phrases enter a split."""
        return np.flatnonzero(enters(split, self.key_shifts))

    def keys(self, rows: np.ndarray) -> Iterator[bytes]:
        """The keys of the records of some of its phrases."""
        for index, key_shift in zip(self.indices[rows].tolist(), self.key_shifts[rows].tolist(), strict=True):
            yield key_of(self.file.name, index, key_shift)


@dataclass
class Catalogue:
    """What has become of the files so far; songs are added in the order of their names.

    `files`, `folders`: how many files a genre has, and where they lie; "" for the open corpus.
    """

    genres: list[str]
    kept: list[KeptSong] = field(default_factory=list)
    refused: list[tuple[str, Refused]] = field(default_factory=list)
    files: Counter = field(default_factory=Counter)
    folders: dict[str, str] = field(default_factory=dict)
    dropped: Counter = field(default_factory=Counter)
    statistics: dict[str, Statistics] = field(default_factory=dict)
    contents: list[tuple[str, bytes]] = field(default_factory=list)
    phrases: int = 0
    _name_by_note_hash: dict[bytes, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.statistics = {genre: Statistics.none() for genre in self.genres}

    def add(self, file: SongFile, reading: Reading | TaskFailedError) -> tuple[Phrase, ...]:
        """Note what became of a file; returns the phrases to keep, none where it is refused."""
        if isinstance(reading, TaskFailedError):
            reading = Reading(read_content(file.path)[0], Refused(Refusal.READER_FAILED, str(reading)))
        self.files[file.genre] += 1
        self.folders[file.genre] = "" if file.licence else file.genre_folder
        self.contents.append((file.name, reading.content))
        outcome = self._unless_duplicate(file, reading.outcome)
        if isinstance(outcome, Refused):
            self.refused.append((file.name, outcome))
            return ()
        self._keep(file, outcome)
        return outcome.phrases

    def _unless_duplicate(self, file: SongFile, outcome: ConvertedSong | Refused) -> ConvertedSong | Refused:
        if isinstance(outcome, Refused):
            return outcome
        first = self._name_by_note_hash.setdefault(outcome.note_hash, file.name)
        return outcome if first == file.name else Refused(Refusal.DUPLICATE, first)

    def _keep(self, file: SongFile, song: ConvertedSong) -> None:
        indices = np.array([phrase.index for phrase in song.phrases], np.int32)
        key_shifts = np.array([phrase.key_shift for phrase in song.phrases], np.int8)
        self.kept.append(KeptSong(file, self.phrases, indices, key_shifts))
        self.phrases += len(song.phrases)
        self.dropped[file.genre] += song.dropped
        self.statistics[file.genre] += song.statistics

    def songs_of_splits(self) -> dict[str, list[KeptSong]]:
        """Split -> its songs.

        Raises UserError where a genre has fewer than three songs, or where none has any.
        """
        if not self.kept:
            raise UserError(
                f"nothing was kept of {self.files.total()} files{self._why_refused()}; add MIDI files in 4/4."
            )
        split_of: dict[str, str] = {}
        too_small: dict[str, str] = {}
        for genre in self.folders:
            songs = [kept.file.song for kept in self.kept if kept.file.genre == genre]
            try:
                splits = split_songs(genre, songs)
            except ValueError as error:
                too_small[genre] = str(error)
                continue
            split_of |= {f"{genre}/{song}": split for song, split in splits.items()}
        if too_small:
            raise UserError(self._too_few(too_small))
        songs_of: dict[str, list[KeptSong]] = {split: [] for split in SPLITS}
        for kept in self.kept:
            songs_of[split_of[kept.file.name]].append(kept)
        return songs_of

    def _too_few(self, too_small: dict[str, str]) -> str:
        """A sentence on the first genre that has too few songs, and the names of the others."""
        (genre, problem), *others = too_small.items()
        also = f"; the same goes for {', '.join(repr(other) for other, _ in others)}" if others else ""
        folder = self.folders[genre]
        mend = f"add MIDI files in 4/4 to {folder!r}, or move that folder away"
        mend = mend if folder else "add a source of it to open_sources.toml, or take it out there"
        return f"{problem}{self._why_refused(genre)}; {mend}{also}."

    def _why_refused(self, genre: str = "") -> str:
        """The reasons of a genre, or of all, in parentheses, the most frequent first."""
        start = f"{genre}/" if genre else ""
        reasons = Counter(refused.reason for name, refused in self.refused if name.startswith(start))
        counts = ", ".join(f"{reason} {count}" for reason, count in reasons.most_common())
        return f" (refused: {counts})" if counts else ""

    def build(self, rules: str) -> Build:
        """What there is to write, and to say."""
        return Build(
            fingerprint=fingerprint(self.contents, rules),
            files=dict(self.files),
            refused=self.refused,
            dropped=dict(self.dropped),
            statistics=self.statistics,
            splits={split: self._plan(split, songs) for split, songs in self.songs_of_splits().items()},
        )

    def _plan(self, split: str, songs: list[KeptSong]) -> SplitPlan:
        rows = [song.rows_in(split) for song in songs]
        labels = [self.genres.index(song.file.genre) for song in songs]
        return SplitPlan.of(
            split,
            keys=(key for song, inside in zip(songs, rows, strict=True) for key in song.keys(inside)),
            numbers=np.concatenate([song.first + inside for song, inside in zip(songs, rows, strict=True)]),
            labels=np.repeat(labels, [len(inside) for inside in rows]),
            songs=Counter(song.file.genre for song in songs),
        )
