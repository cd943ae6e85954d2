"""What the documents say of the code is so: names of modules and files, arrows between packages."""

import ast
import re
from pathlib import Path

import pytest
from support.documents import DOCUMENTS, ROOT, name_of

FOLDERS = {"cyclegan_jax.datasets": "datasets", "cyclegan_jax": "cyclegan_jax", "launch": "launch"}
HISTORY = ROOT / "docs" / "results" / "history.md"  # speaks of what is gone
PAGES = [page for page in DOCUMENTS if page not in (HISTORY, ROOT / "CHANGELOG.md")]
DOTTED = re.compile(r"(?<![\w/.`])`((?:cyclegan_jax|launch)(?:\.\w+)+)`")
FILES = re.compile(r"(?<![\w/.])((?:cyclegan_jax|launch|datasets|tests|docs|examples)/[\w/]+\.\w+)")
ARROWS = ROOT / "tests" / "system" / "test_architecture.py"
ROW = re.compile(r"^\| `((?:cyclegan_jax|launch)[\w.]*)` \| [^|]+ \| ([^|]+) \|$", re.MULTILINE)


def module_path(dotted: str) -> Path | None:
    """The file that a module is imported from, if there is one."""
    for package, folder in FOLDERS.items():
        if dotted == package or dotted.startswith(f"{package}."):
            place = ROOT / folder / dotted.removeprefix(package).lstrip(".").replace(".", "/")
            files = (place.with_suffix(".py"), place / "__init__.py")
            for file in files:
                if file.is_file():
                    return file
    return None


def members(body: list[ast.stmt]) -> dict[str, list[ast.stmt]]:
    """What a module or class defines or imports, each with what that defines in turn."""
    found: dict[str, list[ast.stmt]] = {}
    for node in body:
        if isinstance(node, ast.If):
            found |= members(node.body)
        elif isinstance(node, ast.ImportFrom):
            found |= {alias.asname or alias.name: [] for alias in node.names}
        elif isinstance(node, ast.ClassDef | ast.FunctionDef):
            found[node.name] = node.body if isinstance(node, ast.ClassDef) else []
        elif isinstance(node, ast.Assign | ast.AnnAssign):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            found |= {target.id: [] for target in targets if isinstance(target, ast.Name)}
    return found


def is_there(dotted: str) -> bool:
    """Whether a name is a module, or found in the longest part of it that is one."""
    parts = dotted.split(".")
    for length in range(len(parts), 0, -1):
        path = module_path(".".join(parts[:length]))
        if path:
            body = ast.parse(path.read_text()).body
            for part in parts[length:]:
                if part not in members(body):
                    return False
                body = members(body)[part]
            return True
    return False


def arrows() -> dict[str, list[str]]:
    """The table of what packages may import, as the test of the architecture has it."""
    for node in ast.parse(ARROWS.read_text()).body:
        if isinstance(node, ast.AnnAssign) and ast.unparse(node.target) == "ARROWS":
            return {room: list(names) for room, names in ast.literal_eval(node.value).items()}
    raise AssertionError("no ARROWS")


def test_a_name_is_told_from_one_that_is_not_there():
    assert is_there("cyclegan_jax.midi.reader.parse_midi")
    assert is_there("cyclegan_jax.load")
    assert is_there("cyclegan_jax.datasets.pipeline.batches.PairBatches.rows")
    assert is_there("launch.run")
    assert not is_there("cyclegan_jax.datasets.pipeline.batches.PairBatches.row")
    assert not is_there("cyclegan_jax.midi.reader.parse_mid")
    assert not is_there("cyclegan_jax.judge")


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_the_modules_that_a_page_names_are_there(page):
    names = sorted(set(DOTTED.findall(page.read_text())))
    assert [name for name in names if not is_there(name)] == []


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_the_files_that_a_page_names_are_there(page):
    names = sorted(set(FILES.findall(page.read_text())))
    assert [name for name in names if not (ROOT / name).exists()] == []


def test_the_page_of_the_architecture_has_every_package_with_its_arrows():
    page = (ROOT / "docs" / "architecture.md").read_text()
    told = {room: re.findall(r"`([\w.]+)`", names) for room, names in ROW.findall(page)}
    held = {room: names for room, names in arrows().items() if room != "cyclegan_jax"}
    assert told == held


def test_the_table_of_differences_is_the_same_on_both_pages():
    start, pages = "| | paper | TF1 code |", (ROOT / "BUILD_NOTES.md", ROOT / "docs" / "reproduce.md")
    notes, site = (page.read_text().partition(start)[2].partition("\n\n")[0] for page in pages)
    assert notes.rstrip("\n") == site.rstrip("\n") and notes.count("\n") > 20
