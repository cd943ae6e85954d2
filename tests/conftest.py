"""What the tests share: four virtual devices, one compilation cache, demo datasets, one small run.

These are shared by the workers that pytest-xdist starts.
"""

import contextlib
import fcntl
import os
import shutil
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from support.running import RUN_FLAGS, run_command, several_devices

if TYPE_CHECKING:
    from selenium import webdriver

    from cyclegan_jax.transfer.model import Model

TESTS = Path(__file__).parent

# Before jax is imported anywhere: the cache serves the commands started by the tests as well.
os.environ["JAX_PLATFORMS"] = "cpu"
os.environ["XLA_FLAGS"] = several_devices(4)
# A shape that is broadcast by chance, as [B] with [B, 1], is an error; in the processes of tests as well.
os.environ["JAX_NUMPY_RANK_PROMOTION"] = "raise"
# For scripts of the tests that run in processes of their own.
os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, (str(TESTS), os.environ.get("PYTHONPATH"))))
OWN_CACHE = tempfile.TemporaryDirectory(prefix="cyclegan_jax_tests_")
os.environ.setdefault("JAX_COMPILATION_CACHE_DIR", OWN_CACHE.name)
os.environ["JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS"] = "0"


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Leave slow tests out that would begin after TESTS_UNTIL, seconds since 1970: this machine is slow."""
    until = float(os.environ.get("TESTS_UNTIL", "inf"))
    if item.get_closest_marker("slow") and time.time() > until:
        pytest.skip(f"left out, for this machine is slow: {item.nodeid}")


def pytest_unconfigure() -> None:
    """Leave nothing behind."""
    OWN_CACHE.cleanup()


@contextlib.contextmanager
def shared_folder(tmp_path_factory: pytest.TempPathFactory, name: str) -> Iterator[Path]:
    """A folder for all workers of a test run, one of them at a time; empty for the first one alone."""
    base = tmp_path_factory.getbasetemp()
    folder = (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / name
    folder.mkdir(exist_ok=True)
    with Path(f"{folder}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield folder


@pytest.fixture(scope="session")
def whole_demo_dir(tmp_path_factory) -> Path:
    """A data_dir with the demo dataset in it, as README's first command makes it."""
    from cyclegan_jax.datasets.genre_rolls.prepare import prepare

    with shared_folder(tmp_path_factory, "whole_data") as data_dir:
        prepare("demo", data_dir)
    return data_dir


@pytest.fixture(scope="session")
def whole_demo_folder(whole_demo_dir) -> Path:
    """The folder of that dataset itself."""
    return next((whole_demo_dir / "genre_rolls" / "demo").iterdir())


@pytest.fixture(scope="session")
def demo_dir(tmp_path_factory) -> Path:
    """A data_dir with a demo dataset of fewer songs, on which classifiers and evaluations take less time."""
    from cyclegan_jax.datasets.genre_rolls import composer
    from cyclegan_jax.datasets.genre_rolls.prepare import prepare

    with shared_folder(tmp_path_factory, "data") as data_dir, pytest.MonkeyPatch.context() as patched:
        patched.setattr(composer, "SONGS", 24)  # two in each key
        prepare("demo", data_dir)
    return data_dir


@pytest.fixture(scope="session")
def demo_folder(demo_dir) -> Path:
    """The folder of that dataset itself."""
    return next((demo_dir / "genre_rolls" / "demo").iterdir())


@pytest.fixture(scope="session")
def run_dir(demo_dir, tmp_path_factory) -> Path:
    """The workdir of a finished run of the command, jazz to pop, a few steps long."""
    with shared_folder(tmp_path_factory, "trained") as place:
        if not (place / "run" / "evaluation.json").exists():
            done = run_command("train", f"--data_dir={demo_dir}", *RUN_FLAGS, cwd=place)
            assert done.returncode == 0, done.stderr
    return place / "run"


@pytest.fixture(scope="session")
def model_path(run_dir) -> Path:
    """The model file of that run."""
    from cyclegan_jax.transfer.model_file import save
    from launch.run.folder import RunFolder
    from launch.run.trained_model import model_of_run

    path = run_dir.parent / f"jazz_pop_{os.environ.get('PYTEST_XDIST_WORKER', '')}.model"
    save(model_of_run(RunFolder(run_dir)), path)
    return path


@pytest.fixture(scope="module")
def model(model_path) -> "Model":
    """The model of that file."""
    from cyclegan_jax.transfer.model_file import load

    return load(model_path)


@pytest.fixture(scope="module")
def browser(tmp_path_factory) -> Iterator["webdriver.Chrome"]:
    """Chromium without a window, as Debian's packages chromium and chromium-driver have it."""
    if not (shutil.which("chromium") and shutil.which("chromedriver")):
        pytest.skip("chromium and chromedriver are not installed")
    from selenium import webdriver
    from selenium.webdriver.chrome.service import Service

    options = webdriver.ChromeOptions()
    options.binary_location = shutil.which("chromium")
    profile = tmp_path_factory.mktemp("profile")
    for word in ("--headless=new", "--no-sandbox", "--disable-dev-shm-usage", "--window-size=1300,900"):
        options.add_argument(word)
    options.add_argument("--autoplay-policy=no-user-gesture-required")
    options.add_argument(f"--user-data-dir={profile}")
    options.add_experimental_option("prefs", {"download.default_directory": str(profile / "downloads")})
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    driver = webdriver.Chrome(options=options, service=Service(shutil.which("chromedriver")))
    driver.downloads = profile / "downloads"
    yield driver
    driver.quit()


@pytest.fixture(scope="session")
def corpus() -> Path:
    """The folder of real music that GENRE_CORPUS names."""
    place = os.environ.get("GENRE_CORPUS")
    if not place:
        pytest.skip("GENRE_CORPUS is not set")
    return Path(place)


@pytest.fixture(scope="session")
def open_sources() -> Path:
    """The folder of the open corpus's sources that OPEN_SOURCES names."""
    place = os.environ.get("OPEN_SOURCES")
    if not place:
        pytest.skip("OPEN_SOURCES is not set")
    return Path(place)
