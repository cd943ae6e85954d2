"""The open corpus's songs as MIDI files, each converted once and kept.

Scores take minutes to convert. So the MIDI files stay below the data_dir, in a folder for each source. Its
name ends in a key of all that decides about them: the source's files, this converter, and the libraries that
it uses. Each file is written whole, so a conversion that was ended in the middle goes on where it was. Where
a song can't be converted, the reason is kept in its place.

Many songs for voice and piano are in 3/4 or 6/8. A score that names no metre whose bars make sixteen steps
has no phrase by any rule, so it is refused at sight.
"""

import hashlib
import importlib.metadata
import json
import shutil
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import symusic
from tqdm import tqdm

from cyclegan_jax.atomic_files import write_whole
from cyclegan_jax.datasets.genre_rolls.jazz_band.band import band_midi
from cyclegan_jax.datasets.genre_rolls.open_corpus.source_list import Source
from cyclegan_jax.datasets.genre_rolls.reading.midi_folder import SongFile, as_text
from cyclegan_jax.datasets.genre_rolls.reading.process_pool import TaskFailedError, Workers
from cyclegan_jax.errors import NotWrittenError, UserError
from cyclegan_jax.midi.metre import Metre, makes_common_bars
from cyclegan_jax.midi.reader import read_midi_bytes
from cyclegan_jax.midi.refusals import Refusal, RefusedSongError
from cyclegan_jax.midi.scores.convert import as_midi
from cyclegan_jax.midi.scores.music_xml import check_reader, metres_of

CONVERTER = 1  # to be counted up when a song gives other MIDI than before
MUSIC_XML_ENDINGS = (".mxl", ".musicxml")
READERS = ("verovio", "symusic")  # the libraries that convert
HANG_SECONDS = 120.0  # the longest quartet takes twenty
KEY_DIGITS = 12
BEATS = "mcsv_beat/{}_beattrack.csv"  # of a solo of the Weimar Jazz Database

_bar = partial(tqdm, desc="converting", unit=" songs", leave=False, disable=None)  # on a terminal only


@dataclass(frozen=True)
class Conversion:
    """A song of a source: its file in the folder of its source, and where its MIDI file is kept."""

    source: Source
    folder: Path
    original: Path
    converted: Path

    @property
    def reason(self) -> Path:
        """The file of the reason why it can't be converted, in the place of the MIDI file."""
        return self.converted.with_suffix(".refused.json")

    def refused(self) -> tuple[str, ...]:
        """Reason and detail where it could not be converted, else empty."""
        is_kept = self.reason.exists() and not self.converted.exists()
        return tuple(json.loads(self.reason.read_text())) if is_kept else ()

    def is_pending(self) -> bool:
        """Whether it is to be converted. A reader that crashed or hung may do better another time."""
        refused = self.refused()
        return refused[0] == Refusal.READER_FAILED if refused else not self.converted.exists()

    def song_file(self) -> SongFile:
        """The song as the dataset reads it; the original and the reason where it could not be converted."""
        refused = self.refused()
        path = self.original if refused else self.converted
        name = as_text(f"{self.source.name}/{self.original.relative_to(self.folder).as_posix()}")
        return SongFile(self.source.genre, name, str(path), self.source.licence, refused)


def check_converters() -> None:
    """Raise UserError where verovio is missing."""
    try:
        check_reader()
    except RefusedSongError as refusal:
        raise UserError(f"the open corpus has scores in MusicXML: {refusal.detail}.") from refusal


def converted_songs(sources: Sequence[Source], sources_dir: Path, cache_dir: Path) -> list[SongFile]:
    """All songs of the sources, sorted by name; those that `cache_dir` lacks are converted first.

    `sources_dir`: has the folders of the sources, their files checked. Raises NotWrittenError where the disk
    is full or permission is denied.
    """
    caches = {source.name: cache_dir / f"{source.name}-{_key(source)}" for source in sources}
    songs = [song for source in sources for song in _conversions(source, sources_dir, caches[source.name])]
    _convert([song for song in songs if song.is_pending()])
    for name, kept in caches.items():
        for other in set(cache_dir.glob(f"{name}-{'?' * KEY_DIGITS}")) - {kept}:
            shutil.rmtree(other)
    return sorted((song.song_file() for song in songs), key=lambda file: file.name)


def _key(source: Source) -> str:
    """The same as long as the same MIDI files come of a source."""
    versions = [importlib.metadata.version(reader) for reader in READERS]
    parts = [source.sha256, source.songs, source.format, source.without, CONVERTER, versions]
    return hashlib.sha256(repr(parts).encode()).hexdigest()[:KEY_DIGITS]


def _conversions(source: Source, sources_dir: Path, cache: Path) -> Iterator[Conversion]:
    folder = sources_dir / source.name
    for path in source.song_paths(folder):
        relative = path.relative_to(folder)
        yield Conversion(source, folder, path, cache / relative.with_name(f"{relative.name}.mid"))


def _convert(songs: Sequence[Conversion]) -> None:
    """Write the MIDI files of these songs, or the reasons of those that can't be converted.

    Workers on all cores convert them, as their readers may crash.
    """
    if not songs:
        return
    with Workers(midi_of_song, hang_seconds=HANG_SECONDS) as workers:
        converted = workers.map((song,) for song in songs)
        for song, midi in zip(songs, _bar(converted, total=len(songs)), strict=True):
            _make_folder(song.converted.parent)
            if isinstance(midi, bytes):
                write_whole(song.converted, midi)
            else:
                failed = (Refusal.READER_FAILED, str(midi)) if isinstance(midi, TaskFailedError) else midi
                write_whole(song.reason, json.dumps(failed))


def _make_folder(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise NotWrittenError(error.errno, str(folder)) from error  # also where a file is in the way


def midi_of_song(song: Conversion) -> bytes | tuple[str, str]:
    """The MIDI file of a song, or reason and detail where it can't be read."""
    try:
        if song.source.format == "weimar_jazz":
            return band_midi(song.original, song.folder / BEATS.format(song.original.stem))
        data = read_midi_bytes(song.original)
        if song.original.suffix in MUSIC_XML_ENDINGS:
            _check_metres(metres_of(data))
        midi = as_midi(data)
    except RefusedSongError as refusal:
        return refusal.reason, refusal.detail
    return _without_tracks(midi, song.source.without) if song.source.without else midi


def _check_metres(metres: Collection[Metre]) -> None:
    if metres and not any(map(makes_common_bars, metres)):
        told = ", ".join(f"{above}/{below}" for above, below in sorted(metres))
        raise RefusedSongError(Refusal.OTHER_METRE, f"{told}, as the score names them")


def _without_tracks(midi: bytes, names: Sequence[str]) -> bytes:
    score: Any = symusic.Score.from_midi(midi)
    score.tracks = [track for track in score.tracks if track.name not in names]
    return score.dumps_midi()
