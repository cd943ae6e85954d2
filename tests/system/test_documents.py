"""What the documents name exists: files, tests, commands and flags."""

import re
import shlex

import pytest
from support.documents import DOCUMENTS, ROOT, blocks, name_of
from support.running import run_command

README = ROOT / "README.md"
OF_THEN = ("CHANGELOG.md", "history.md")  # name the flags of their day


def without_code(text: str) -> str:
    """The text less its fenced blocks and code words, in which a bracket is no link."""
    return re.sub(r"`[^`\n]*`", "", re.sub(r"^```.*?^```", "", text, flags=re.DOTALL | re.MULTILINE))


def commands_in(text: str) -> list[tuple[str, list[str]]]:
    """Each `python -m launch.x ...` with the names of its flags, from blocks and from code words."""
    words = re.findall(r"python3? -m launch\.(\w+)((?:\\\n|[^`\n])*)", text)
    found = []
    for command, rest in words:
        arguments = shlex.split(re.sub(r"&&.*|\|.*|#.*", "", rest.replace("\\\n", " ")))
        names = [argument[2:].split("=")[0] for argument in arguments if argument.startswith("--")]
        found.append((command, names))
    return found


OF_TODAY = [page for page in DOCUMENTS if page.name not in OF_THEN]
FLAGS_NAMED: dict[str, set[str]] = {}
for page in OF_TODAY:
    for command, names in commands_in(page.read_text()):
        FLAGS_NAMED.setdefault(command, set()).update(names)


@pytest.mark.parametrize("document", DOCUMENTS, ids=name_of)
def test_every_relative_link_leads_to_a_file(document):
    targets = re.findall(r"\]\(([^)\s]+)\)", without_code(document.read_text()))
    files = [target.split("#")[0] for target in targets if not re.match(r"[a-z]+:", target)]
    assert [file for file in files if file and not (document.parent / file).exists()] == []


@pytest.mark.parametrize("document", DOCUMENTS, ids=name_of)
def test_every_test_that_is_named_exists(document):
    named = re.findall(r"\btests/[\w/]+\.py\b", document.read_text())
    assert [path for path in named if not (ROOT / path).exists()] == []


@pytest.mark.parametrize("command", sorted(FLAGS_NAMED))
def test_every_command_and_flag_that_is_named_exists(command, tmp_path):
    shown = run_command(command, "--help", cwd=tmp_path)
    assert shown.returncode == 0, shown.stderr
    known = {"help", "helpfull", *re.findall(r"^  --(?:\[no\])?(\w+)", shown.stdout, re.MULTILINE)}
    assert {name for name in FLAGS_NAMED[command] if not {name, name.removeprefix("no")} & known} == set()


def test_the_commands_on_a_cluster_are_among_those_checked():
    commands = [command for block in blocks(ROOT / "docs/cluster.md", "sh") for command in commands_in(block)]
    assert sum("beam_runner" in names for _, names in commands) == 3
    assert any({"coordinator", "num_processes", "process_id"} <= set(names) for _, names in commands)


def test_readme_is_short():
    text = README.read_text()
    assert len(text.splitlines()) <= 150 and len(text.encode()) <= 9000
