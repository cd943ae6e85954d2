"""The compilation cache: the user's alone, by versions, and never in the way."""

from pathlib import Path

import jax
import numpy as np
import pytest
from support.running import run_command

from cyclegan_jax.midi.io import write_midi
from cyclegan_jax.midi.reader import Tempo
from launch.process.compilation_cache import cache_folder, keep_compiled


def raising(error: Exception):
    def call(*_: object) -> None:
        raise error

    return call


@pytest.fixture
def home(tmp_path, monkeypatch):
    """A cache folder of its own, and JAX as it is where no cache was named."""
    options = ("jax_compilation_cache_dir", "jax_persistent_cache_min_compile_time_secs")
    before = {name: getattr(jax.config, name) for name in options}
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    jax.config.update("jax_compilation_cache_dir", None)
    yield tmp_path
    for name, value in before.items():
        jax.config.update(name, value)


def test_the_folder_is_made_for_the_user_alone_and_used(home):
    keep_compiled()
    folder = cache_folder()
    assert jax.config.jax_compilation_cache_dir == str(folder)
    assert [place.stat().st_mode & 0o777 for place in (folder.parent, folder)] == [0o700, 0o700]
    assert folder.is_relative_to(home / "cyclegan_jax") and f"jax-{jax.__version__}-" in folder.name


@pytest.mark.parametrize("mode", [0o777, 0o750])
@pytest.mark.parametrize("which", ["ours", "of these versions"])
def test_a_folder_that_others_can_get_into_is_not_used(home, mode, which):
    folder = cache_folder()
    folder.mkdir(parents=True)
    for place in (folder.parent, folder):
        place.chmod(0o700)
    (folder.parent if which == "ours" else folder).chmod(mode)
    keep_compiled()
    assert jax.config.jax_compilation_cache_dir is None


def test_a_link_to_elsewhere_is_not_followed(home, tmp_path_factory):
    elsewhere = tmp_path_factory.mktemp("elsewhere")
    elsewhere.chmod(0o700)
    cache_folder().parent.mkdir(mode=0o700)
    cache_folder().symlink_to(elsewhere)
    keep_compiled()
    assert jax.config.jax_compilation_cache_dir is None


def test_a_user_without_a_home_has_no_cache_and_no_error(home, monkeypatch):
    monkeypatch.delenv("XDG_CACHE_HOME")
    monkeypatch.setattr(Path, "home", raising(RuntimeError("no home")))
    keep_compiled()
    assert jax.config.jax_compilation_cache_dir is None


def test_where_no_folder_can_be_made_nothing_is_kept(home):
    (home / "cyclegan_jax").write_text("in the way")
    keep_compiled()
    assert jax.config.jax_compilation_cache_dir is None


def test_a_cache_named_by_the_user_stays(home):
    jax.config.update("jax_compilation_cache_dir", "/elsewhere")
    keep_compiled()
    assert jax.config.jax_compilation_cache_dir == "/elsewhere"
    assert not any(home.iterdir())


def test_without_a_cache_home_it_is_the_hidden_folder_of_the_user(monkeypatch):
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    assert cache_folder().parent == Path.home() / ".cache" / "cyclegan_jax"
    monkeypatch.setenv("XDG_CACHE_HOME", "relative")
    assert cache_folder().parent == Path.home() / ".cache" / "cyclegan_jax"


@pytest.mark.slow
def test_a_command_leaves_compiled_programs_and_the_next_one_finds_them(run_dir, tmp_path, monkeypatch):
    monkeypatch.delenv("JAX_COMPILATION_CACHE_DIR")
    monkeypatch.delenv("JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS")
    roll = np.random.default_rng(0).random((64, 84)) < 0.05
    write_midi(tmp_path / "song.mid", roll, (Tempo(0, 120.0),))
    home = {"XDG_CACHE_HOME": str(tmp_path / "cache"), "JAX_DEBUG_LOG_MODULES": "jax._src.compiler"}
    hits, kept = [], []
    for out in ("first", "second"):
        words = [f"--workdir={run_dir}", "--to=pop", f"--out_dir={out}", "song.mid"]
        done = run_command("transfer", *words, cwd=tmp_path, **home)
        assert done.returncode == 0, done.stderr
        hits.append("cache hit for 'jit__generate'" in done.stderr)
        kept.append({path.name for path in tmp_path.glob("cache/cyclegan_jax/*/jit__generate*-cache")})
    assert hits == [False, True]
    assert kept[0] and kept[1] == kept[0]
    both = [(tmp_path / out / "song_pop.mid").read_bytes() for out in ("first", "second")]
    assert both[0] == both[1]
