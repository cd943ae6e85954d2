"""Programs that tests have as text import what is there; no linter looks into them."""

import ast
import importlib
import importlib.util
import re
from pathlib import Path

TESTS = Path(__file__).parents[1]
IMPORT = re.compile(r"\bfrom ((?:cyclegan_jax|launch|support)[\w.]*) import (\w+(?:, \w+)*)")


def texts(path: Path) -> list[str]:
    """All strings of a file."""
    tree = ast.parse(path.read_text())
    return [
        node.value for node in ast.walk(tree) if isinstance(node, ast.Constant) and type(node.value) is str
    ]


def is_there(module: str, name: str) -> bool:
    try:
        return hasattr(importlib.import_module(module), name) or bool(
            importlib.util.find_spec(f"{module}.{name}")
        )
    except ModuleNotFoundError:
        return False


def test_what_programs_in_tests_import_is_there():
    found = {
        (module, name)
        for path in TESTS.rglob("*.py")
        for text in texts(path)
        for module, names in IMPORT.findall(text)
        for name in names.split(", ")
    }
    assert len(found) > 8
    assert [f"{module}.{name}" for module, name in sorted(found) if not is_there(module, name)] == []
