"""The name `datasets` is left to the package of Hugging Face: in the checkout and in the wheel."""

import os
import shutil
import subprocess
import sys
from pathlib import Path
from zipfile import ZipFile

import pytest

CHECKOUT = Path(__file__).parents[2]

# Last on the path, as in a site-packages folder that comes after everything of ours.
CODE = """
import sys
sys.path.append({planted!r})
import datasets
import cyclegan_jax.datasets.genre_rolls.reading.splits as ours
import cyclegan_jax.datasets.pipeline.batches
print(datasets.WHOSE, ours.__name__)
"""


@pytest.mark.parametrize("inside", [True, False], ids=["checkout", "elsewhere"])
@pytest.mark.parametrize("ours_first", [True, False])
def test_another_package_named_datasets_is_imported_as_if_ours_were_not_there(tmp_path, inside, ours_first):
    planted = tmp_path / "site/datasets"
    planted.mkdir(parents=True)
    (planted / "__init__.py").write_text("WHOSE = 'theirs'\n")
    code = CODE.format(planted=str(planted.parent))
    if ours_first:
        code = "import cyclegan_jax.datasets.genre_rolls, launch\n" + code
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=CHECKOUT if inside else tmp_path,
        env={name: value for name, value in os.environ.items() if name != "PYTHONPATH"},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.stdout.split() == ["theirs", "cyclegan_jax.datasets.genre_rolls.reading.splits"], done.stderr


# Beside the modules of the dataset: what TFDS shows of it, and its sources.
PAPERS = ("README.md", "CITATIONS.bib", "TAGS.txt", "open_sources.toml")


@pytest.fixture(scope="module")
def wheel(tmp_path_factory) -> ZipFile:
    """The wheel of a copy of the checkout, built as a user's pip builds it."""
    place = tmp_path_factory.mktemp("wheel")
    left_out = shutil.ignore_patterns(".git", "build", "dist", "*.egg-info", "__pycache__", "runs", "data")
    shutil.copytree(CHECKOUT, place / "copy", ignore=left_out)
    words = [sys.executable, "-m", "pip", "wheel", "--no-deps", "--wheel-dir", place / "dist", place / "copy"]
    done = subprocess.run(words, capture_output=True, text=True, timeout=280)
    assert done.returncode == 0, done.stderr
    with ZipFile(next((place / "dist").glob("cyclegan_jax-*.whl"))) as opened:
        yield opened


@pytest.mark.slow
def test_the_wheel_claims_two_top_level_names(wheel):
    tops = {name.split("/")[0] for name in wheel.namelist()}
    assert {top for top in tops if not top.endswith(".dist-info")} == {"cyclegan_jax", "launch"}


@pytest.mark.slow
def test_the_wheel_has_every_module_and_page_of_the_checkout_and_the_datasets_papers(wheel):
    def below(folder: str, name: str) -> set[str]:
        return {f"{name}/{p.relative_to(CHECKOUT / folder)}" for p in (CHECKOUT / folder).rglob("*.py")}

    papers = {f"cyclegan_jax/datasets/genre_rolls/{n}" for n in PAPERS}
    pages = {
        f"cyclegan_jax/rendering/pages/{page.name}"
        for page in (CHECKOUT / "cyclegan_jax/rendering/pages").iterdir()
    }
    modules = below("cyclegan_jax", "cyclegan_jax") | below("datasets", "cyclegan_jax/datasets")
    found = {name for name in wheel.namelist() if ".dist-info/" not in name}
    assert found == modules | below("launch", "launch") | pages | papers | {"cyclegan_jax/py.typed"}
