"""Recipes on the command line: a flag beats the recipe, the recipe beats the fields."""

import json
from pathlib import Path

from support.forked_commands import Call, forked

from cyclegan_jax.config import RECIPES

GIVEN = {
    "model": "partial",
    "lambda_cycle": 1.5,
    "lambda_chroma": 0.25,
    "weight_growth": 2.5,
    "lambda_density": 0.75,
    "gamma": 0.75,
    "sigma_d": 0.375,
    "noise": "shared",
    "identity_logits": 2.0,
    "positions": False,
    "skips": False,
    "fakes": "probabilities",
    "adversarial": "least_squares",
    "cycle": "l1",
    "ema_decay": 0.5,
    "learning_rate": 1e-3,
    "beta1": 0.25,
    "beta2": 0.75,
}


def dry(train: Call, demo_dir: Path, place: Path, *flags: str) -> dict:
    always = ("--pair=jazz_pop", f"--data_dir={demo_dir}", "--steps=6", "--dry_run")
    done = train(*always, *flags, cwd=place)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout[done.stdout.index("{") : done.stdout.index("}") + 1])


def test_a_flag_beats_the_recipe_and_the_recipe_beats_the_fields_own_values(demo_dir, tmp_path):
    flags = [f"--{name}={str(value).lower()}" for name, value in GIVEN.items()]
    with forked("train") as train:
        assert dry(train, demo_dir, tmp_path, *flags).items() >= GIVEN.items()
        robust, paper = (dry(train, demo_dir, tmp_path, *more) for more in ((), ("--recipe=paper",)))
    assert robust.items() >= RECIPES["robust"].items()
    assert (paper["model"], paper["lambda_cycle"], paper["sigma_d"]) == ("full", 10.0, 0.01)
    same = {name for name in GIVEN if robust[name] == paper[name]}
    assert same == {"gamma", "beta1"}
