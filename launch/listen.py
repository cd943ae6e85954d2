"""Write a page to look at and listen to: songs, their transfers, and their reconstructions."""

from pathlib import Path

from absl import flags
from tqdm import tqdm

from cyclegan_jax.atomic_files import write_whole
from cyclegan_jax.config import check_choice
from cyclegan_jax.datasets.genre_rolls.reading.midi_folder import as_text
from cyclegan_jax.errors import UserError
from cyclegan_jax.midi.io import midi_of
from cyclegan_jax.midi.refusals import RefusedSongError
from cyclegan_jax.rendering.page import page
from launch.flags import transfer as transfer_flags
from launch.flags.shared import OUT, OVERWRITE, TO, required
from launch.process.compilation_cache import keep_compiled
from launch.process.runner import run
from launch.songs.listening_pages import facts, piece_of_song
from launch.songs.paths import refuse_existing

flags.adopt_module_key_flags(transfer_flags)
flags.declare_key_flag(OUT.name)
DEFAULT_OUT = "listen.html"  # it needs no other file


def main(arguments: list[str]) -> None:
    """One page of all songs named."""
    keep_compiled()
    to = required(TO, "jazz")
    controls = transfer_flags.controls()
    path = Path(DEFAULT_OUT if OUT.value is None else OUT.value)
    if not arguments:
        raise UserError("no MIDI file was named; write files after the flags: song.mid more.mid.")
    if not OVERWRITE.value:
        refuse_existing(path, OUT.name)
    model = transfer_flags.load_model()
    check_choice("to", to, model.genres)
    pieces = []
    for word in tqdm(arguments, unit=" songs", disable=len(arguments) == 1):
        try:
            name = as_text(Path(word).stem)
            pieces.append(piece_of_song(model, name, midi_of(word), to, controls))
        except RefusedSongError as refusal:
            raise UserError(f"{as_text(word)} was not transferred: {refusal}.") from refusal
    title = f"{model.origin_of(to)} → {to}"
    path.parent.mkdir(parents=True, exist_ok=True)
    write_whole(path, page(title, facts(model), pieces))
    print(f"Wrote {as_text(str(path))}: open it in a browser.")


if __name__ == "__main__":
    run(main)
