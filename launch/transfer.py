"""Transfer whole songs to the other genre, and write a MIDI file for each."""

import sys
from collections import Counter
from pathlib import Path

from absl import flags
from tqdm import tqdm

from cyclegan_jax.atomic_files import write_whole
from cyclegan_jax.config import check_choice
from cyclegan_jax.datasets.genre_rolls.reading.midi_folder import as_text, told_of_others
from cyclegan_jax.errors import NotWrittenError
from cyclegan_jax.midi.io import midi_of
from cyclegan_jax.midi.refusals import RefusedSongError
from cyclegan_jax.midi.song import parse_song
from cyclegan_jax.transfer.controls import Controls
from cyclegan_jax.transfer.model import Model
from launch.flags import transfer as transfer_flags
from launch.flags.shared import OUT_DIR, OVERWRITE, TO, required
from launch.process.compilation_cache import keep_compiled
from launch.process.runner import DONE, SOME_FAILED, run
from launch.process.text_table import text_table
from launch.songs.paths import plan

flags.adopt_module_key_flags(transfer_flags)
flags.declare_key_flag(OUT_DIR.name)


def main(arguments: list[str]) -> int:
    """Transfer all files and folders that are named; a file that cannot be used does not stop the others."""
    keep_compiled()
    to = required(TO, "jazz")
    controls = transfer_flags.controls()
    model = transfer_flags.load_model()
    check_choice("to", to, model.genres)
    out_dir = Path(OUT_DIR.value or ".")
    targets = plan(arguments, out_dir, to, overwrite=OVERWRITE.value)
    out_dir.mkdir(parents=True, exist_ok=True)
    rows, failures, reasons = [], [], Counter[str]()
    for source, target in tqdm(targets.items(), unit=" songs", disable=len(targets) == 1):
        try:
            rows.append([as_text(str(source)), *transfer_file(model, source, target, to, controls)])
        except RefusedSongError as refusal:
            failures.append(f"{as_text(str(source))} was not transferred: {refusal}.")
            reasons[refusal.reason] += 1
        except OSError as error:
            why = error if isinstance(error, NotWrittenError) else f"{error.strerror}."
            failures.append(f"{as_text(str(source))} was not transferred: {why}")
            reasons["not written"] += 1
    if rows:
        print(text_table([_columns(to), *rows], flush_left=("song", "written to")))
    for failure in failures:
        print(failure, file=sys.stderr)
    if len(failures) > 1:
        counts = ", ".join(f"{reason} {count}" for reason, count in reasons.most_common())
        print(f"{len(failures)} of {len(targets)} songs were not transferred: {counts}.", file=sys.stderr)
    if others := told_of_others(argument for argument in arguments if Path(argument).is_dir()):
        print(others)
    return SOME_FAILED if failures else DONE


def _columns(to: str) -> list[str]:
    return ["song", "kept", "gone", "new", "changed", f"{to} before", "after", "written to"]


def transfer_file(model: Model, source: Path, target: Path, to: str, controls: Controls) -> list[str]:
    """Read, transfer and write one song; returns its row of the table."""
    midi = midi_of(source)
    song = model.transfer_midi(midi, to, controls)
    versions = song.source, parse_song(song.midi)
    before, after = (_percent(model.probabilities(version).get(to)) for version in versions)
    target.parent.mkdir(parents=True, exist_ok=True)
    write_whole(target, song.midi)
    written = as_text(str(target)) + "".join(f"; {remark}" for remark in song.remarks)
    counts = [str(count) for count in (song.kept, song.gone, song.new)]
    return [*counts, _percent(song.cells_changed), before, after, written]


def _percent(share: float | None) -> str:
    return "–" if share is None else f"{100 * share:.0f} %"


if __name__ == "__main__":
    run(main)
