import doctest
import importlib
import subprocess
import sys

import pytest

import cyclegan_jax


def test_the_synopsis_runs_as_written():
    failed, tried = doctest.testmod(cyclegan_jax)
    assert tried >= 8
    assert failed == 0


def test_every_public_name_is_there():
    for name in cyclegan_jax.__all__:
        assert getattr(cyclegan_jax, name) is not None


def test_every_public_thing_says_what_it_is():
    undocumented = [
        name
        for name in cyclegan_jax.__all__
        if callable(getattr(cyclegan_jax, name)) and not getattr(cyclegan_jax, name).__doc__
    ]
    assert undocumented == []


def test_importing_the_package_does_not_import_jax():
    code = "import sys, cyclegan_jax; sys.exit('jax' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0


def test_the_version_is_that_of_the_installed_package():
    assert cyclegan_jax.__version__ == importlib.metadata.version("cyclegan-jax")


@pytest.mark.parametrize("command", ["train", "transfer", "evaluate"])
def test_a_command_does_not_wait_for_what_it_may_not_need(command):
    told = f"import sys, launch.{command}; print(*{{'sklearn', 'matplotlib'}} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", told], capture_output=True, text=True, timeout=100)
    assert (done.returncode, done.stdout) == (0, "\n"), done.stderr
