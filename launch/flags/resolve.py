"""What the words of flags mean: `auto`, presets, and the pair of genres."""

from cyclegan_jax.config import POOL_BATCHES, PRESETS, check_choice
from cyclegan_jax.errors import UserError


def resolve_pool_size(pool_size: str, discriminators: str) -> int:
    """`auto` is 0 for `base` and 50 otherwise, as in the original code; else the number given."""
    if pool_size == "auto":
        return 0 if discriminators == "base" else POOL_BATCHES
    if not pool_size.isdecimal():
        raise UserError(f"pool_size is {pool_size!r}, but must be auto or a whole number of batches.")
    return int(pool_size)


def resolve_dtype(dtype: str, backend: str) -> str:
    """`auto` is `bfloat16` on a GPU or TPU and `float32` on a CPU; else the one named."""
    if dtype == "auto":
        return "float32" if backend == "cpu" else "bfloat16"
    return dtype


def resolve_preset(preset: str, backend: str) -> str:
    """`auto` is `paper` on a GPU or TPU and `tiny` on a CPU; else the preset named."""
    check_choice("preset", preset, ("auto", *PRESETS))
    if preset == "auto":
        return "tiny" if backend == "cpu" else "paper"
    return preset


def resolve_pair(pair: str, genres: tuple[str, ...]) -> tuple[str, str]:
    """The two genres that `a_b` or `a,b` names, matched against those there are.

    Raises UserError for an unknown or ambiguous pair, listing the genres.
    """
    for separator in ",_":
        cuts = [i for i, letter in enumerate(pair) if letter == separator]
        named = [(pair[:i], pair[i + 1 :]) for i in cuts]
        matches = [(a, b) for a, b in named if a in genres and b in genres and a != b]
        if len(matches) == 1:
            return matches[0]
        if matches:
            readings = " or ".join(f"--pair={a},{b}" for a, b in matches)
            raise UserError(f"pair {pair!r} can be read in more than one way; write {readings}.")
    raise UserError(
        f"pair {pair!r} does not name two different genres of this dataset, which has {', '.join(genres)}; "
        "write --pair=a,b with two of them."
    )
