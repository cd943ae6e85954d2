"""The shape of the code: imports point one way, rooms stay small, files stay short, TensorFlow is nowhere."""

import ast
from collections.abc import Mapping
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SOURCES = {
    "cyclegan_jax": ROOT / "cyclegan_jax",
    "cyclegan_jax.datasets": ROOT / "datasets",
    "launch": ROOT / "launch",
}
# What the modules of each room may import beside their own room. `cyclegan_jax` here is its few modules that
# belong to no room below it, which everything may import; `launch` is the commands.
ARROWS: Mapping[str, tuple[str, ...]] = {
    "cyclegan_jax": (),
    "cyclegan_jax.pianoroll": (),
    "cyclegan_jax.cpu_kernels": (),
    "cyclegan_jax.midi": ("pianoroll",),
    "cyclegan_jax.models": ("cpu_kernels", "pianoroll"),
    "cyclegan_jax.training": ("models", "pianoroll"),
    "cyclegan_jax.evaluation": ("models", "pianoroll"),
    "cyclegan_jax.rendering": ("midi", "pianoroll"),
    "cyclegan_jax.transfer": ("midi", "models", "evaluation", "pianoroll"),
    "cyclegan_jax.datasets.genre_rolls.composer": ("pianoroll",),
    "cyclegan_jax.datasets.genre_rolls.reading": ("midi", "pianoroll"),
    "cyclegan_jax.datasets.genre_rolls.jazz_band": ("midi", "pianoroll"),
    "cyclegan_jax.datasets.genre_rolls.open_corpus": ("genre_rolls.jazz_band", "genre_rolls.reading", "midi"),
    "cyclegan_jax.datasets.genre_rolls.records": ("genre_rolls.reading", "midi", "pianoroll"),
    "cyclegan_jax.datasets.genre_rolls.building": (
        "genre_rolls.records",
        "genre_rolls.reading",
        "rendering",
        "midi",
        "pianoroll",
    ),
    "cyclegan_jax.datasets.genre_rolls": (
        "genre_rolls.building",
        "genre_rolls.records",
        "genre_rolls.reading",
        "genre_rolls.open_corpus",
        "genre_rolls.composer",
        "rendering",
        "pianoroll",
    ),
    "cyclegan_jax.datasets.pipeline": ("genre_rolls.records", "genre_rolls.reading", "training", "pianoroll"),
    "launch.process": ("cyclegan_jax",),
    "launch.run": ("process", "cyclegan_jax"),
    "launch.flags": ("run", "process", "cyclegan_jax"),
    "launch.songs": ("run", "process", "cyclegan_jax"),
    "launch.sweeps": ("run", "process", "cyclegan_jax"),
    "launch.benchmarks": ("run", "process", "cyclegan_jax"),
    "launch": ("flags", "songs", "sweeps", "benchmarks", "run", "process", "cyclegan_jax"),
}
NEVER = ("tensorflow", "datasets", "tests", "support")
LONGEST = 300  # lines of a file
MOST_MODULES = 16  # of a folder
MOST_ENTRIES = {"cyclegan_jax": 14, "launch": 20}  # of a listing


def module_name(path: Path) -> str:
    """The name a file is imported by."""
    top = next(name for name, folder in reversed(SOURCES.items()) if path.is_relative_to(folder))
    name = ".".join([top, *path.relative_to(SOURCES[top]).with_suffix("").parts])
    return name.removesuffix(".__init__")


MODULES = {module_name(path): path for folder in SOURCES.values() for path in sorted(folder.rglob("*.py"))}


def is_within(name: str, package: str) -> bool:
    return name == package or name.startswith(f"{package}.")


def room_of(module: str) -> str:
    """The smallest room that a module is in."""
    return max((room for room in ARROWS if is_within(module, room)), key=len)


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


def modules_imported(module: str) -> set[str]:
    """The modules of ours that a module imports, those of `if TYPE_CHECKING` too."""
    path = MODULES[module]
    package = module if path.name == "__init__.py" else module.rpartition(".")[0]
    return imported(path.read_text(), package) & MODULES.keys() - {package, module}


def is_allowed(room: str, target: str) -> bool:
    """Whether modules of a room may import a module."""
    other = room_of(target)
    if other in (room, "cyclegan_jax"):
        return True
    family = "launch" if is_within(room, "launch") else "cyclegan_jax"
    for name in ARROWS[room]:
        if name == "cyclegan_jax" and is_within(target, "cyclegan_jax"):
            return True
        if other in (f"{family}.{name}", f"cyclegan_jax.datasets.{name}", f"cyclegan_jax.{name}"):
            return True
    return False


def test_both_forms_of_import_are_seen():
    text = "import a.b as c\nfrom d import e\ndef f():\n    from . import g\n    from ..h import i\n"
    assert imported(text, "p.q") == {"a.b", "d", "d.e", "p.q", "p.q.g", "p.h", "p.h.i"}


def test_rooms_are_told_apart():
    assert room_of("cyclegan_jax.config") == "cyclegan_jax"
    assert room_of("cyclegan_jax.midi.io") == "cyclegan_jax.midi"
    assert room_of("cyclegan_jax.datasets.genre_rolls.prepare") == "cyclegan_jax.datasets.genre_rolls"
    assert (
        room_of("cyclegan_jax.datasets.genre_rolls.records.spool")
        == "cyclegan_jax.datasets.genre_rolls.records"
    )
    assert room_of("launch.train") == "launch"
    assert is_allowed("launch.run", "launch.process.runner")
    assert not is_allowed("launch.run", "launch.flags.data")
    assert is_allowed("launch.run", "cyclegan_jax.training.state")
    assert not is_allowed("cyclegan_jax.midi", "cyclegan_jax.models.build")
    assert not is_allowed("cyclegan_jax.training", "cyclegan_jax.datasets.pipeline.batches")
    assert not is_allowed("cyclegan_jax.datasets.genre_rolls.records", "launch.prepare")


def test_two_files_of_one_name_are_two_modules():
    assert len(MODULES) == sum(1 for folder in SOURCES.values() for _ in folder.rglob("*.py"))
    assert {"cyclegan_jax.midi.song", "cyclegan_jax.transfer.song"} <= MODULES.keys()


def test_every_room_has_modules_and_every_arrow_a_room():
    assert {room_of(module) for module in MODULES if not module.endswith("datasets")} == set(ARROWS)
    for room, names in ARROWS.items():
        for name in names:
            assert any(is_allowed(room, module) and room_of(module).endswith(name) for module in MODULES), (
                f"{room} -> {name}"
            )
    assert [path.name for path in (ROOT / "cyclegan_jax" / "datasets").glob("*.py")] == ["__init__.py"]


@pytest.mark.parametrize("module", MODULES)
def test_imports_follow_the_arrows_and_never_lead_to_tensorflow(module):
    if module != "cyclegan_jax":  # it names public things of all rooms, for type checkers
        for target in modules_imported(module):
            assert is_allowed(room_of(module), target), target
    package = module if MODULES[module].name == "__init__.py" else module.rpartition(".")[0]
    for name in imported(MODULES[module].read_text(), package):
        assert not any(is_within(name, refused) for refused in NEVER), name


def test_no_module_imports_itself_by_way_of_others():
    graph = {module: modules_imported(module) for module in MODULES if module != "cyclegan_jax"}
    while leaves := {module for module, targets in graph.items() if not targets & graph.keys()}:
        graph = {module: targets for module, targets in graph.items() if module not in leaves}
    assert graph == {}


@pytest.mark.parametrize("name", MOST_ENTRIES)
def test_a_listing_fits_on_a_screen(name):
    entries = {path.name for path in (ROOT / name).iterdir()} - {"__pycache__"}
    assert len(entries) <= MOST_ENTRIES[name], sorted(entries)


def test_no_folder_has_too_many_modules():
    folders = {path.parent for path in MODULES.values()}
    counts = {str(folder.relative_to(ROOT)): len(list(folder.glob("*.py"))) for folder in folders}
    assert {folder: count for folder, count in counts.items() if count > MOST_MODULES} == {}


def test_no_module_is_a_drawer_for_everything():
    names = {path.stem for path in MODULES.values()}
    assert not names & {"utils", "util", "helpers", "misc", "common"}


@pytest.mark.parametrize("folder", [*SOURCES.values(), ROOT / "tests"], ids=lambda path: path.name)
def test_no_file_is_longer_than_300_lines(folder):
    lengths = {
        str(path.relative_to(ROOT)): len(path.read_text().splitlines()) for path in folder.rglob("*.py")
    }
    assert {name: length for name, length in lengths.items() if length > LONGEST} == {}


def test_no_test_imports_from_another_test():
    for path in (ROOT / "tests").rglob("*.py"):
        names = imported(path.read_text(), "tests")
        assert not {name for name in names if name.rpartition(".")[2].startswith("test_")}, path
