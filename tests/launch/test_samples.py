"""The samples of an evaluation: always the same phrases, as MIDI and as a picture."""

import dataclasses

import numpy as np
import pretty_midi
import pytest
from support.base_generators import CONFIG, random_generators

from cyclegan_jax.datasets.pipeline.phrases import Phrases
from cyclegan_jax.midi.io import read_score
from cyclegan_jax.midi.song import quantise
from cyclegan_jax.models.phrase_transfer import Transfer
from launch.run.samples import picture, transfer_samples, write_samples

VERSIONS = ("origin", "transfer", "cycle")
NAMES = [f"{direction}_{number}" for direction in ("jazz_to_pop", "pop_to_jazz") for number in (1, 2, 3)]


def phrases(seed: int, count: int) -> Phrases:
    rng = np.random.default_rng(seed)
    rolls = rng.random((count, 64, 84, 1)) < 0.05
    return Phrases(rolls=rolls, tempos=seed + np.arange(count, dtype=float), songs=1)


@pytest.fixture(scope="module")
def held_out() -> dict[str, Phrases]:
    return {"jazz": phrases(100, 20), "pop": phrases(150, 9)}


@pytest.fixture(scope="module")
def generators() -> dict:
    return random_generators()


@pytest.fixture(scope="module")
def samples(held_out, generators):
    return transfer_samples(Transfer(CONFIG, generators), held_out)


def test_three_phrases_of_each_genre_spread_over_the_split(samples, held_out):
    assert [sample.name for sample in samples] == NAMES
    assert samples[0].title == "jazz → pop, 1" and samples[5].title == "pop → jazz, 3"
    assert [sample.tempo for sample in samples] == [104.0, 109.0, 114.0, 152.0, 154.0, 156.0]
    for sample in samples:
        genre, first = ("jazz", 100) if sample.name.startswith("jazz") else ("pop", 150)
        np.testing.assert_array_equal(
            sample.versions["origin"], held_out[genre].rolls[int(sample.tempo) - first]
        )


def test_each_goes_to_the_other_genre_and_its_notes_come_back(samples, generators):
    transfer = Transfer(CONFIG, generators)
    for sample in samples:
        source, target = sample.name.split("_")[0::2][:2]
        notes = transfer.generate(sample.versions["origin"][None], to=target) > 0.5
        np.testing.assert_array_equal(sample.versions["transfer"], notes[0])
        cycle = transfer.generate(notes, to=source)
        np.testing.assert_array_equal(sample.versions["cycle"], cycle[0] > 0.5)


def test_another_generator_is_heard_on_the_same_phrases(samples, held_out, generators):
    swapped = {"gen_ab": generators["gen_ba"], "gen_ba": generators["gen_ab"]}
    others = transfer_samples(Transfer(CONFIG, swapped), held_out)
    for one, other in zip(samples, others, strict=True):
        assert one.name == other.name
        np.testing.assert_array_equal(one.versions["origin"], other.versions["origin"])
        assert (one.versions["transfer"] != other.versions["transfer"]).any()


def test_a_split_of_one_phrase_is_enough(held_out, generators):
    one = {genre: phrases(120, 1) for genre in held_out}
    assert [sample.tempo for sample in transfer_samples(Transfer(CONFIG, generators), one)] == [120.0] * 6


def test_the_picture_has_a_column_a_version_and_a_row_a_sample(samples):
    columns = picture(samples)
    assert tuple(columns) == VERSIONS
    for name, column in columns.items():
        np.testing.assert_array_equal(column, [sample.versions[name] for sample in samples])


def test_files_are_midi_at_the_phrases_own_tempo_and_one_png(samples, tmp_path):
    folder = tmp_path / "samples" / "step_000006"
    write_samples(samples, folder)
    midi = {f"{name}_{version}.mid" for name in NAMES for version in VERSIONS}
    assert {path.name for path in folder.iterdir()} == {*midi, "phrases.png"}
    assert (folder / "phrases.png").stat().st_size > 10_000
    for sample in samples:
        for version in VERSIONS:
            path = folder / f"{sample.name}_{version}.mid"
            _, tempos = pretty_midi.PrettyMIDI(str(path)).get_tempo_changes()
            np.testing.assert_allclose(tempos, [sample.tempo], rtol=1e-4)
            roll = quantise(read_score(path)).roll
            np.testing.assert_array_equal(roll, sample.versions[version][: len(roll), :, 0])


@pytest.mark.slow
def test_a_second_evaluation_replaces_the_files_of_the_first(samples, tmp_path):
    write_samples(samples[:1], tmp_path)
    before = (tmp_path / "jazz_to_pop_1_origin.mid").read_bytes()
    write_samples([dataclasses.replace(samples[0], tempo=60.0)], tmp_path)
    assert (tmp_path / "jazz_to_pop_1_origin.mid").read_bytes() != before
