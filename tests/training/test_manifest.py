"""What makes a folder a checkpoint: no bit of it may be another, and nothing of it may be missing."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from support.checkpoints import CONFIG, assert_same_bits, random_state, shapes, steps_in
from support.sizes import slow_or_nightly

from cyclegan_jax.errors import UserError
from cyclegan_jax.training.checkpoint import SET_ASIDE, Checkpoints
from cyclegan_jax.training.manifest import NAME, VERSION, BrokenCheckpointError, check_files, read_manifest


@pytest.fixture(scope="module")
def original(tmp_path_factory) -> Path:
    """Checkpoints of steps 5 and 7."""
    folder = tmp_path_factory.mktemp("original") / "checkpoints"
    with Checkpoints(folder) as checkpoints:
        checkpoints.save(5, random_state(5), CONFIG)
        checkpoints.set_score(5, 0.25)
        checkpoints.save(7, random_state(7), CONFIG)
    return folder


@pytest.fixture
def folder(original, tmp_path) -> Path:
    """A copy of them."""
    return Path(shutil.copytree(original, tmp_path / "run" / "checkpoints"))


def listing(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def files_of(checkpoint: Path) -> list[Path]:
    return sorted(path for path in checkpoint.rglob("*") if path.is_file())


def flip(path: Path, bit: int) -> None:
    content = bytearray(path.read_bytes())
    content[bit // 8] ^= 1 << bit % 8
    path.write_bytes(content)


def open_quietly(folder: Path, **options: bool) -> tuple[list[int], list[str]]:
    """The whole steps, and the warnings."""
    warnings: list[str] = []
    with Checkpoints(folder, warn=warnings.append, **options) as checkpoints:
        return checkpoints.steps(), warnings


@pytest.mark.parametrize("flips", slow_or_nightly(25, 100))
def test_flipped_bits_over_all_files_are_all_seen(folder, flips):
    rng = np.random.default_rng(0)
    files = files_of(folder / "7")
    assert len(files) > 5 and folder / "7" / NAME in files
    for number in range(flips):
        path = files[number % len(files)]
        bit = int(rng.integers(8 * path.stat().st_size))
        flip(path, bit)
        with Checkpoints(folder, read_only=True, warn=lambda sentence: None) as checkpoints:
            assert checkpoints.steps() == [5], (path, bit)
            with pytest.raises(UserError, match=r"step 7 .* cannot be used"):
                checkpoints.restore(7, shapes(CONFIG))
        flip(path, bit)
    assert open_quietly(folder) == ([5, 7], [])


@pytest.mark.parametrize("file", range(3))
def test_a_file_cut_off_or_missing_is_named_and_the_checkpoint_before_is_used(folder, file):
    path = files_of(folder / "7" / "state")[file]
    name = str(path.relative_to(folder / "7"))
    before = listing(folder / "7")
    if file == 0:
        path.unlink()
    else:
        path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    damaged = listing(folder / "7")
    assert damaged != before
    steps, warnings = open_quietly(folder)
    assert steps == [5]
    (warning,) = warnings
    assert str(folder / "7") in warning and str(folder / SET_ASIDE / "7") in warning
    assert f"its {name} is {'missing' if file == 0 else 'damaged'}" in warning
    assert listing(folder / SET_ASIDE / "7") == damaged
    with Checkpoints(folder) as checkpoints:
        assert checkpoints.latest() == checkpoints.best() == 5
        assert_same_bits(random_state(5), checkpoints.restore(5, shapes(CONFIG)))


@pytest.mark.parametrize("left", ["nothing", "half a state", "all but the manifest", "a file"])
def test_a_folder_without_a_manifest_is_no_step(folder, left):
    junk = folder / "99"
    if left == "all but the manifest":
        shutil.copytree(folder / "7", junk)
        (junk / NAME).unlink()
    elif left == "half a state":
        (junk / "state.orbax-checkpoint-tmp").mkdir(parents=True)
        (junk / "state.orbax-checkpoint-tmp" / "d").write_bytes(b"half")
    elif left == "a file":
        junk.write_text("not a folder at all")
    else:
        junk.mkdir()
    steps, warnings = open_quietly(folder)
    assert steps == [5, 7]
    if left == "a file":
        assert warnings == [] and junk.read_text() == "not a folder at all"
    else:
        assert ["never finished" in warning and str(junk) in warning for warning in warnings] == [True]
        assert not junk.exists() and (folder / SET_ASIDE / "99").is_dir()


def test_what_is_set_aside_twice_is_kept_twice(folder):
    for word in ("one", "two", "three"):
        (folder / "99").mkdir()
        (folder / "99" / word).touch()
        open_quietly(folder)
    aside = sorted((folder / SET_ASIDE).iterdir())
    assert [path.name for path in aside] == ["99", "99_1", "99_2"]
    assert [next(path.iterdir()).name for path in aside] == ["one", "two", "three"]


def test_a_reader_moves_nothing_and_tells_only_of_what_was_once_whole(folder):
    (folder / "9").mkdir()  # as a training leaves it while it saves
    flip(files_of(folder / "7" / "state")[0], 3)
    before = listing(folder)
    steps, warnings = open_quietly(folder, read_only=True)
    assert steps == [5] and len(warnings) == 1 and "is passed over" in warnings[0]
    assert listing(folder) == before and (folder / "9").is_dir()


def test_with_no_whole_one_left_it_is_an_error_and_nothing_is_changed(folder):
    for step in (5, 7):
        flip(files_of(folder / str(step) / "state")[0], 1)
    before = listing(folder)
    for read_only in (True, False):
        with pytest.raises(UserError, match=r"no checkpoint .* can be used .*step 5.*step 7.*nothing was"):
            open_quietly(folder, read_only=read_only)
    assert listing(folder) == before


def test_a_first_checkpoint_that_was_never_finished_is_no_reason_to_refuse(tmp_path):
    (tmp_path / "checkpoints" / "5" / "state").mkdir(parents=True)
    steps, warnings = open_quietly(tmp_path / "checkpoints")
    assert steps == [] and len(warnings) == 1


def test_a_checkpoint_under_another_steps_name_is_none(folder):
    (folder / "7").rename(folder / "70")
    steps, warnings = open_quietly(folder)
    assert steps == [5] and "it is the checkpoint of step 7" in warnings[0]


def test_another_version_is_refused_by_name(folder):
    manifest = read_manifest(folder / "7")
    object.__setattr__(manifest, "version", VERSION + 1)
    manifest.write(folder / "7")
    with pytest.raises(
        UserError, match=f"is of version {VERSION + 1}, but this program reads version {VERSION}"
    ):
        open_quietly(folder)
    assert steps_in(folder) == [5, 7]


def test_the_manifest_tells_the_config_the_versions_and_the_score(folder):
    first, second = (read_manifest(folder / step) for step in ("5", "7"))
    assert first.config == CONFIG.to_dict() and set(first.versions) == {"jax", "flax", "orbax.checkpoint"}
    assert (first.evaluated, first.score) == (True, 0.25) and (second.evaluated, second.score) == (
        False,
        None,
    )
    text = (folder / "5" / NAME).read_text()
    assert json.loads(text.partition("\n")[2])["step"] == 5
    check_files(folder / "5", first)
    with pytest.raises(BrokenCheckpointError, match="is damaged"):
        check_files(folder / "7", first)


def test_what_a_killed_deletion_has_left_is_deleted(folder):
    (folder / "5").rename(folder / ".going.5")
    assert open_quietly(folder) == ([7], [])
    assert sorted(child.name for child in folder.iterdir()) == ["7"]
