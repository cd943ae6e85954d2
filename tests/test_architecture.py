"""The shape of the code: imports point one way, files stay short, TensorFlow is nowhere."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
# From the lowest room to the highest; none may import from one above it.
ROOMS = {
    "cyclegan_jax": ROOT / "cyclegan_jax",
    "cyclegan_jax.datasets": ROOT / "datasets",
    "launch": ROOT / "launch",
}
NEVER = ("tensorflow", "datasets", "tests")
LONGEST = 300


def source_files() -> list[Path]:
    return sorted(path for folder in ROOMS.values() for path in folder.rglob("*.py"))


def imported(text: str, package: str) -> set[str]:
    """Every module that a text may import, `from a import b` counting as both `a` and `a.b`."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            parents = package.split(".")[: len(package.split(".")) + 1 - node.level] if node.level else []
            module = ".".join([*parents, *([node.module] if node.module else [])])
            names |= {module, *(f"{module}.{alias.name}" for alias in node.names)}
    return names


def is_within(name: str, package: str) -> bool:
    return name == package or name.startswith(f"{package}.")


def height(module: str) -> int:
    """Which room a module is of, counted from below; -1 for other people's."""
    return max((place for place, room in enumerate(ROOMS) if is_within(module, room)), default=-1)


def package_of(path: Path) -> str:
    room = next(name for name, folder in ROOMS.items() if path.is_relative_to(folder))
    return ".".join([room, *path.parent.relative_to(ROOMS[room]).parts])


def test_both_forms_of_import_are_seen():
    text = "import a.b as c\nfrom d import e\ndef f():\n    from . import g\n    from ..h import i\n"
    assert imported(text, "p.q") == {"a.b", "d", "d.e", "p.q", "p.q.g", "p.h", "p.h.i"}


def test_rooms_are_told_apart():
    modules = ("numpy", "cyclegan_jax.config", "cyclegan_jax.datasets.pipeline", "launch.loop")
    assert [height(module) for module in modules] == [-1, 0, 1, 2]


def test_every_room_has_files():
    packages = {package_of(path) for path in source_files()}
    assert set(ROOMS) - {"cyclegan_jax.datasets"} <= packages
    assert {"cyclegan_jax.datasets.genre_rolls", "cyclegan_jax.datasets.pipeline"} <= packages
    assert [path.name for path in (ROOT / "cyclegan_jax" / "datasets").glob("*.py")] == ["__init__.py"]


@pytest.mark.parametrize("path", source_files(), ids=lambda path: str(path.relative_to(ROOT)))
def test_imports_point_one_way_and_never_to_tensorflow(path):
    package = package_of(path)
    for name in imported(path.read_text(), package):
        assert height(name) <= height(package), name
        assert not any(is_within(name, refused) for refused in NEVER), name


def test_no_module_is_a_drawer_for_everything():
    assert not {path.stem for path in source_files()} & {"utils", "util", "helpers", "misc", "common"}


@pytest.mark.parametrize("folder", [*ROOMS.values(), ROOT / "tests"], ids=lambda path: path.name)
def test_no_file_is_longer_than_300_lines(folder):
    lengths = {path.name: len(path.read_text().splitlines()) for path in folder.rglob("*.py")}
    assert {name: length for name, length in lengths.items() if length > LONGEST} == {}
