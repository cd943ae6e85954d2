"""The genre classifier of the paper (section IV-C): training it, and asking it.

A convolutional network on whole phrases. Its probabilities lie in [0, 1]. It was trained on real, binary
phrases alone, so on a transfer it may answer by texture: how dense a phrase is, or where its register lies.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

import jax
import numpy as np
import optax
from tqdm import tqdm

from cyclegan_jax.evaluation.subsample import PhraseRows
from cyclegan_jax.models.batched_apply import apply_in_batches
from cyclegan_jax.models.build import Params, apply
from cyclegan_jax.models.classifier import Classifier
from cyclegan_jax.models.optimiser_step import apply_gradients
from cyclegan_jax.pianoroll.features import sounding
from cyclegan_jax.pianoroll.roll import PHRASE_SHAPE

ROBUSTNESS_SIGMAS = (0.0, 0.01, 0.1, 0.2, 0.3, 0.5)
BATCH_SIZE = 16
LEARNING_RATE, BETA1 = 2e-4, 0.5
EPOCHS = 10
PATIENCE = 3  # epochs without a better validation accuracy

Array = TypeVar("Array", np.ndarray, jax.Array)


@dataclass(frozen=True)
class GenreClassifier:
    """A trained classifier of two genres.

    `accuracy`: on `validation`, 0 to 1, the mean of both genres'.
    """

    params: Params
    accuracy: float

    def probabilities(self, phrases: np.ndarray) -> np.ndarray:
        """Genre probabilities of phrases: [N, 64, 84, C] bool -> [N, 2], A first, rows adding to 1."""
        return self.classify_rolls(to_signed(sounding(phrases)))

    def classify_rolls(self, rolls: np.ndarray) -> np.ndarray:
        """As `probabilities`, for float rolls as the classifier sees them: {-1, 1}, or these with noise."""
        return apply_in_batches(lambda x: _probabilities(self.params, x), rolls)

    def balanced_accuracy(self, a: np.ndarray, b: np.ndarray) -> float:
        """Mean of the two genres' shares classified right; `a`, `b` float rolls as `classify_rolls` takes."""
        right_a = (self.classify_rolls(a).argmax(axis=1) == 0).mean()
        right_b = (self.classify_rolls(b).argmax(axis=1) == 1).mean()
        return float((right_a + right_b) / 2)


def to_signed(phrases: Array) -> Array:
    """{0, 1} bool -> {-1, 1} float32, as the original's classifier sees rolls."""
    return phrases.astype(np.float32) * 2 - 1


@jax.jit
def _probabilities(params: Params, rolls: jax.Array) -> jax.Array:
    return jax.nn.softmax(apply(Classifier(), params, rolls))


def train_genre_classifier(
    train: Mapping[str, PhraseRows], validation: Mapping[str, np.ndarray], seed: int, epochs: int = EPOCHS
) -> GenreClassifier:
    """Train on both genres in equal parts and keep the weights of the best `validation` accuracy.

    `train`, `validation`: phrases of genre A under `a` and of B under `b`, [N, 64, 84, 1] bool. Softmax
    cross-entropy, Adam 2e-4 with β1 0.5, batches of 16, no noise; stops early after `PATIENCE` epochs
    without a better accuracy.
    """
    optimiser = optax.adam(LEARNING_RATE, BETA1)
    phrase = np.zeros((1, *PHRASE_SHAPE), np.float32)
    params = jax.jit(Classifier().init)(jax.random.key(seed), phrase)["params"]
    optimiser_state = optimiser.init(params)
    step = _build_step(optimiser)
    held_out = to_signed(validation["a"]), to_signed(validation["b"])
    best, best_epoch = GenreClassifier(params, 0.0), 0
    bar = tqdm(range(1, epochs + 1), desc="training the classifier", unit=" epochs", leave=False)
    for epoch in bar:
        for phrases, labels in _epoch_batches(train["a"], train["b"], (seed, epoch)):
            params, optimiser_state = step(params, optimiser_state, phrases, labels)
        accuracy = GenreClassifier(params, 0.0).balanced_accuracy(*held_out)
        if accuracy > best.accuracy:
            best, best_epoch = GenreClassifier(params, accuracy), epoch
        bar.set_postfix(validation_accuracy=f"{accuracy:.3f}")
        if epoch - best_epoch >= PATIENCE or best.accuracy == 1.0:
            break
    return best


def _build_step(optimiser: optax.GradientTransformation) -> Callable:
    def loss(params: Params, phrases: jax.Array, labels: jax.Array) -> jax.Array:
        logits = apply(Classifier(), params, to_signed(phrases))
        return optax.softmax_cross_entropy_with_integer_labels(logits, labels).mean()

    @jax.jit
    def step(
        params: Params, optimiser_state: optax.OptState, phrases: jax.Array, labels: jax.Array
    ) -> tuple[Params, optax.OptState]:
        grads = jax.grad(loss)(params, phrases, labels)
        return apply_gradients(optimiser, grads, optimiser_state, params)

    return step


def _epoch_batches(
    a: PhraseRows, b: PhraseRows, seed: tuple[int, int]
) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Batches of half A, half B; the larger genre is drawn down to the smaller one's size."""
    rng = np.random.default_rng(seed)
    half = BATCH_SIZE // 2
    order_a, order_b = rng.permutation(len(a)), rng.permutation(len(b))
    labels = np.repeat([0, 1], half)
    for start in range(0, max(min(len(a), len(b)) // half, 1) * half, half):
        rows = np.arange(start, start + half)
        rows_a, rows_b = order_a.take(rows, mode="wrap"), order_b.take(rows, mode="wrap")
        yield np.concatenate([a[rows_a], b[rows_b]]), labels


def robustness(
    classifier: GenreClassifier, a: np.ndarray, b: np.ndarray, sigmas: Sequence[float], seed: int
) -> dict[float, float]:
    """Balanced accuracy under signed N(0, σ) noise on the {-1, 1} rolls, by σ (paper, table IV)."""
    rng = np.random.default_rng(seed)

    def noisy(phrases: np.ndarray, sigma: float) -> np.ndarray:
        noise = rng.standard_normal(phrases.shape, dtype=np.float32)
        return to_signed(phrases) + np.float32(sigma) * noise

    return {sigma: classifier.balanced_accuracy(noisy(a, sigma), noisy(b, sigma)) for sigma in sigmas}
