"""The genre classifier: what it learns, what it sees, which weights it keeps, and how it stands noise."""

import threading
from pathlib import Path
from types import SimpleNamespace

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from cyclegan_jax.errors import UserError
from cyclegan_jax.evaluation import genre_classifier as module
from cyclegan_jax.evaluation.feature_classifier import FeatureClassifier
from cyclegan_jax.evaluation.genre_classifier import (
    PATIENCE,
    GenreClassifier,
    robustness,
    to_signed,
    train_genre_classifier,
)
from cyclegan_jax.models.classifier import Classifier
from launch.run import classifiers as beside_dataset


def textures(seed: int, count: int, low: int, high: int) -> np.ndarray:
    """Phrases with a tenth of the cells on, all between two rows of pitch."""
    phrases = np.zeros((count, 64, 84, 1), bool)
    cells = np.random.default_rng(seed).random((count, 64, high - low, 1)) < 0.1
    phrases[:, :, low:high] = cells
    return phrases


def both(seed: int, count: int) -> dict[str, np.ndarray]:
    return {"a": textures(seed, count, 0, 30), "b": textures(seed + 1, count, 40, 84)}


@pytest.fixture(scope="module")
def learned() -> GenreClassifier:
    return train_genre_classifier(both(0, 64), both(10, 16), seed=3, epochs=4)


def test_tells_two_plain_genres_apart_on_phrases_it_has_not_seen(learned):
    unseen = both(20, 40)
    assert learned.balanced_accuracy(to_signed(unseen["a"]), to_signed(unseen["b"])) > 0.95
    assert learned.accuracy > 0.95


def test_column_0_is_genre_a_and_rows_add_to_1(learned):
    unseen = both(20, 40)
    of_a, of_b = learned.probabilities(unseen["a"]), learned.probabilities(unseen["b"])
    assert of_a.shape == of_b.shape == (40, 2)
    np.testing.assert_allclose(np.concatenate([of_a, of_b]).sum(axis=1), 1, atol=1e-6)
    assert of_a[:, 0].mean() > 0.6 and of_b[:, 1].mean() > 0.6


def test_the_classifier_sees_minus_1_for_off_and_1_for_on(learned):
    phrases = textures(7, 3, 20, 60)
    rolls = np.where(phrases, np.float32(1), np.float32(-1))
    expected = jax.nn.softmax(Classifier().apply({"params": learned.params}, rolls))
    np.testing.assert_allclose(learned.probabilities(phrases), expected, atol=1e-5)


def test_balanced_accuracy_is_the_mean_of_both_genres_however_many_phrases_each_has(learned):
    a, b = to_signed(textures(1, 30, 0, 30)), to_signed(textures(2, 10, 40, 84))
    assert learned.balanced_accuracy(a, b) == 1.0
    assert learned.balanced_accuracy(a, a[:10]) == 0.5
    assert learned.balanced_accuracy(np.concatenate([a, b]), b) == (0.75 + 1) / 2


def test_stored_accuracy_is_that_of_the_weights_kept():
    train = {"a": textures(0, 16, 0, 84), "b": textures(1, 16, 0, 84)}
    validation = {"a": textures(2, 11, 0, 84), "b": textures(3, 7, 0, 84)}
    classifier = train_genre_classifier(train, validation, seed=0, epochs=3)
    again = classifier.balanced_accuracy(to_signed(validation["a"]), to_signed(validation["b"]))
    assert classifier.accuracy == again


class Scorer:
    """Stands in for Classifier: one weight times the mean cell; notes every batch it is trained on."""

    seen: list[tuple[np.ndarray, set[float]]]

    def init(self, key: jax.Array, phrase: jax.Array) -> dict:
        return {"params": {"weight": jnp.zeros(())}}

    def apply(self, variables: dict, rolls: jax.Array, method: None = None) -> jax.Array:
        jax.debug.callback(self._note, rolls)
        score = variables["params"]["weight"] * rolls.mean(axis=(1, 2, 3))
        return jnp.stack([-score, score], axis=1)

    def _note(self, rolls: np.ndarray) -> None:
        if len(rolls) == module.BATCH_SIZE:
            values = np.asarray(rolls)
            Scorer.seen.append((((values + 1) / 2).sum(axis=(1, 2, 3)), set(np.unique(values).tolist())))


def counted(counts: range) -> np.ndarray:
    """Phrases known by their number of cells on."""
    phrases = np.zeros((len(counts), 64 * 84), bool)
    for phrase, count in zip(phrases, counts, strict=True):
        phrase[:count] = True
    return phrases.reshape(-1, 64, 84, 1)


@pytest.fixture
def scripted(monkeypatch):
    """Training of Scorer, with validation accuracies out of a list."""

    def train(accuracies: list[float], **sizes: int) -> tuple[GenreClassifier, list[dict]]:
        Scorer.seen, asked, script = [], [], iter(accuracies)

        def next_accuracy(self: GenreClassifier, a: np.ndarray, b: np.ndarray) -> float:
            asked.append(self.params)
            return next(script)

        monkeypatch.setattr(module, "Classifier", Scorer)
        monkeypatch.setattr(GenreClassifier, "balanced_accuracy", next_accuracy)
        a, b = counted(range(1, sizes.get("a", 8) + 1)), counted(range(2001, 2001 + sizes.get("b", 8)))
        held_out = {"a": a[:1], "b": b[:1]}
        classifier = train_genre_classifier({"a": a, "b": b}, held_out, seed=0, epochs=len(accuracies))
        jax.effects_barrier()
        return classifier, asked

    return train


def test_weights_of_the_best_validation_accuracy_are_kept(scripted):
    classifier, asked = scripted([0.6, 0.8, 0.7, 0.5])
    weights = [float(params["weight"]) for params in asked]
    assert len(set(weights)) == 4
    assert classifier.accuracy == 0.8
    assert float(classifier.params["weight"]) == weights[1]


def test_stops_when_no_better_accuracy_comes_and_when_none_can(scripted):
    _, asked = scripted([0.6, 0.8, *[0.7] * 10])
    assert len(asked) == 2 + PATIENCE
    _, asked = scripted([0.6, 1.0, 0.7])
    assert len(asked) == 2


def test_batches_are_half_and_half_and_the_larger_genre_is_drawn_down_afresh(scripted):
    classifier, _ = scripted([0.5, 0.6], a=50, b=16)
    assert float(classifier.params["weight"]) > 0
    assert all(values == {-1.0, 1.0} for _, values in Scorer.seen)
    counts = np.array([counts for counts, _ in Scorer.seen]).astype(int)
    assert counts.shape == (2 * 2, module.BATCH_SIZE)
    assert ((counts > 2000).sum(axis=1) == 8).all()
    epochs = [set(counts[:2][counts[:2] < 2000]), set(counts[2:][counts[2:] < 2000])]
    assert [len(drawn) for drawn in epochs] == [16, 16]
    assert epochs[0] != epochs[1]
    assert set(counts[:2][counts[:2] > 2000]) == set(range(2001, 2017))


def test_robustness_adds_signed_noise_of_the_given_deviation_to_the_signed_rolls():
    heard = {}
    phrases = textures(5, 6, 0, 84)
    sigmas = (0.0, 0.1, 0.5)
    accuracies = iter(sigmas)

    def listen(a: np.ndarray, b: np.ndarray) -> float:
        sigma = next(accuracies)
        heard[sigma] = np.concatenate([a, b]) - to_signed(np.concatenate([phrases, phrases]))
        return 1 - sigma

    row = robustness(SimpleNamespace(balanced_accuracy=listen), phrases, phrases, sigmas, seed=0)
    assert row == {0.0: 1.0, 0.1: 0.9, 0.5: 0.5}
    assert not heard[0.0].any()
    for sigma in (0.1, 0.5):
        assert abs(heard[sigma].mean()) < 0.02 * sigma
        assert heard[sigma].std() == pytest.approx(sigma, rel=0.02)
    assert not np.allclose(heard[0.5][:6], heard[0.5][6:])


def test_robustness_without_noise_is_the_clean_accuracy(learned):
    a, b = textures(1, 20, 0, 45), textures(2, 12, 35, 84)
    row = robustness(learned, a, b, (0.0, 3.0), seed=0)
    assert row[0.0] == learned.balanced_accuracy(to_signed(a), to_signed(b))
    assert row[3.0] < row[0.0]


@pytest.fixture
def trained(monkeypatch) -> list[dict]:
    """What `get_genre_classifier` trains on, one entry a training; the n-th has accuracy n / 10."""
    trainings = []

    def load(folder: Path, split: str, pair: tuple[str, str], channels: int = 1) -> dict:
        more = "" if channels == 1 else f" {channels}"
        return {genre: SimpleNamespace(rolls=f"{split} {genre}{more}") for genre in pair}

    def train(train: dict, validation: dict, seed: int, epochs: int) -> GenreClassifier:
        trainings.append({"train": train, "validation": validation})
        return GenreClassifier({"weight": np.float32(len(trainings))}, len(trainings) / 10)

    monkeypatch.setattr(beside_dataset, "load_phrases", load)
    monkeypatch.setattr(beside_dataset, "train_genre_classifier", train)
    return trainings


def kept(place: Path) -> list[Path]:
    return [path for path in (place / "data" / "classifiers").rglob("*") if path.is_file()]


def test_a_classifier_is_trained_once_a_dataset_and_pair_and_never_on_test(trained, tmp_path):
    folder = tmp_path / "data" / "genre_rolls" / "demo" / "1.0.0"
    first = beside_dataset.get_genre_classifier(folder, "0123", ("jazz", "pop"))
    again = beside_dataset.get_genre_classifier(folder, "0123", ("jazz", "pop"))
    assert (again.accuracy, again.params["weight"]) == (first.accuracy, first.params["weight"]) == (0.1, 1)
    assert trained == [
        {
            "train": {"a": "train jazz", "b": "train pop"},
            "validation": {"a": "validation jazz", "b": "validation pop"},
        }
    ]
    assert beside_dataset.get_genre_classifier(folder, "0123", ("jazz", "pop"), retrain=True).accuracy == 0.2
    assert beside_dataset.get_genre_classifier(folder, "0123", ("pop", "jazz")).accuracy == 0.3
    assert beside_dataset.get_genre_classifier(folder, "4567", ("jazz", "pop")).accuracy == 0.4
    assert beside_dataset.get_genre_classifier(folder, "0123", ("jazz", "pop")).accuracy == 0.2
    assert len(kept(tmp_path)) == 3


def test_the_feature_classifier_learns_from_train_is_measured_on_validation_and_has_genre_a_first(
    trained, monkeypatch, tmp_path
):
    monkeypatch.setattr(beside_dataset, "columns", lambda *at: (" ".join(map(str, at[1:])), None))
    monkeypatch.setattr(
        beside_dataset,
        "train_feature_classifier",
        lambda *sides, seed: FeatureClassifier(None, (*sides, seed)),
    )
    folder = tmp_path / "data" / "genre_rolls" / "demo" / "1.0.0"
    classifiers = beside_dataset.get_classifiers(folder, "0123", ("pop", "jazz"))
    assert classifiers.network.accuracy == 0.1
    assert classifiers.features.accuracy == (
        {"a": "train pop 2", "b": "train jazz 2"},
        {"a": "validation pop 2", "b": "validation jazz 2"},
        0,
    )


def test_a_classifier_trained_in_the_background_is_waited_for_when_used_and_raises_its_error_then():
    asked, threads = threading.Event(), []

    def make() -> FeatureClassifier:
        threads.append(threading.current_thread())
        assert asked.wait(60)
        raise ValueError("too few phrases")

    classifier = beside_dataset.TrainedInBackground(make)
    asked.set()
    for ask in (
        lambda: classifier.accuracy,
        lambda: classifier.probabilities(np.zeros((1, 64, 84, 1), bool)),
    ):
        with pytest.raises(ValueError, match="too few phrases"):
            ask()
    assert threads and threads[0] is not threading.current_thread()


def test_pairs_whose_genres_have_dashes_have_classifiers_of_their_own(trained, tmp_path):
    folder = tmp_path / "data" / "genre_rolls" / "midi" / "1.0.0"
    assert beside_dataset.get_genre_classifier(folder, "0123", ("hip-hop", "rock")).accuracy == 0.1
    assert beside_dataset.get_genre_classifier(folder, "0123", ("hip", "hop-rock")).accuracy == 0.2


@pytest.mark.parametrize("content", [b"", b"garbage", b"\x81\xa1a\x01"])
def test_a_kept_classifier_that_cannot_be_read_is_named(trained, tmp_path, content):
    folder = tmp_path / "data" / "genre_rolls" / "demo" / "1.0.0"
    beside_dataset.get_genre_classifier(folder, "0123", ("jazz", "pop"))
    (path,) = kept(tmp_path)
    path.write_bytes(content)
    with pytest.raises(UserError, match=path.name):
        beside_dataset.get_genre_classifier(folder, "0123", ("jazz", "pop"))
