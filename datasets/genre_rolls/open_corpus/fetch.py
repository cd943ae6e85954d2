"""Getting the files of the open corpus's sources by git, at their pinned commits.

Of a commit, only its folders' listings and the files that are used come over the network. `git checkout
--force` then makes the files those of the commit: for a source that is complete it only looks at them, and
it mends one that is altered or missing without the network.
"""

import fcntl
import shutil
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import TextIO

from tqdm import tqdm

from cyclegan_jax.atomic_files import DISK_FULL_OR_NO_PERMISSION, check_disk_space
from cyclegan_jax.datasets.genre_rolls.open_corpus.git import OTHER_WAY, Git, GitError, check_git
from cyclegan_jax.datasets.genre_rolls.open_corpus.source_list import Source
from cyclegan_jax.errors import NotWrittenError, UserError

LOCK = ".fetching"
MARK = "fetched_for_genre_rolls"  # in .git
TERMS = ("LICENSE*", "COPYING*", "README*")  # that a source's files are given with
# The bytes are the commit's: no line ends changed, no program run on them, not even that of git LFS.
ATTRIBUTES = "* -text !eol !filter !ident !working-tree-encoding\n"
SPARE = 1 << 20  # bytes; a disk with less is full
LEFT_BY_KILLED = ("*.lock", "tmp_*")

_bar = partial(tqdm, desc="fetching", unit=" sources", leave=False, disable=None)  # on a terminal only


def fetch(sources: Sequence[Source], folder: Path) -> None:
    """Have `folder/<name>/` hold the used files of each source, with its licence and README, and no others.

    Where they are there already, nothing is fetched. A call that was cut off is gone on with: sources that
    it has fetched are not fetched again.

    Raises UserError where git is missing or too old, where it cannot get a source, or where a source's folder
    has files of somebody else; NotWrittenError where the disk is full or permission is denied.
    """
    check_git()
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with (folder / LOCK).open("w") as lock, _bar(sources) as bar:
            _wait_for(lock, bar)
            for source in bar:
                _fetch_or_say_why(source, folder / source.name, bar, lock.fileno())
    except OSError as error:
        if error.errno in DISK_FULL_OR_NO_PERMISSION:
            raise NotWrittenError(error.errno, str(folder)) from error
        raise UserError(
            f"the sources cannot be written to {str(folder)!r} ({error.strerror}); choose another --data_dir."
        ) from error


def _wait_for(lock: TextIO, bar: tqdm) -> None:
    """Take the lock. git holds it as well: if this process is killed, the next one waits for git to end."""
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        bar.set_postfix_str("waiting for another fetch to end")
        fcntl.flock(lock, fcntl.LOCK_EX)


def _fetch_or_say_why(source: Source, place: Path, bar: tqdm, lock: int) -> None:
    def tell(progress: str) -> None:
        bar.set_postfix_str(f"{source.name}, {progress}")

    git = Git(place, source.repository, tell, terminal=not bar.disable, kept_open=lock)
    try:
        _fetch_whole(git, source)
    except GitError as error:
        check_disk_space(place.parent, SPARE)  # of a full disk git says no more than that it cannot write
        raise UserError(
            f"source {source.name!r} could not be fetched from {source.repository}, commit {source.commit} "
            f"({error}); run again to go on, {OTHER_WAY}."
        ) from error


def _fetch_whole(git: Git, source: Source) -> None:
    """Fetch a source; one that is damaged, as by a loss of power, from the start."""
    try:
        _go_on(git, source)
    except GitError:
        if git.succeeds("fsck"):
            raise
        shutil.rmtree(git.folder)
        _go_on(git, source)


def _go_on(git: Git, source: Source) -> None:
    inside = git.folder / ".git"
    _claim(git.folder, inside / MARK)
    _clear_after_killed(inside)
    git.init()
    _write(inside / "info" / "attributes", ATTRIBUTES)
    patterns = (*TERMS, source.songs, *source.beside)
    _write(inside / "info" / "sparse-checkout", "".join(f"/{pattern}\n" for pattern in patterns))
    fetched = f"refs/fetched/{source.commit}"
    if not git.succeeds("show-ref", "--verify", "--quiet", fetched):
        wanted = f"{source.commit}:{fetched}"
        git.run("fetch", "--progress", "--no-tags", "--depth=1", "--filter=blob:none", "origin", wanted)
    git.run("checkout", "--progress", "--force", "--detach", fetched)
    git.run("clean", "-ffdxq")


def _claim(folder: Path, mark: Path) -> None:
    """Mark a folder as a fetch's own: what else lies in it will be removed. Raises UserError for others."""
    if not mark.exists():
        if folder.is_symlink() or (folder.exists() and any(folder.iterdir()) and not _is_begun(folder)):
            raise UserError(f"{str(folder)!r} has files that were not fetched; move it away, {OTHER_WAY}.")
        mark.parent.mkdir(parents=True, exist_ok=True)
        mark.touch()


def _is_begun(folder: Path) -> bool:
    """Whether there is nothing but an empty folder for git, as a killed call may leave it."""
    return [path.name for path in folder.iterdir()] == [".git"] and not any((folder / ".git").iterdir())


def _clear_after_killed(inside: Path) -> None:
    """Remove git's lock files, which would stop it, and what it was writing. We hold the lock of all."""
    for left in [path for pattern in LEFT_BY_KILLED for path in inside.rglob(pattern)]:
        if left.is_file():
            left.unlink()


def _write(path: Path, content: str) -> None:
    path.parent.mkdir(exist_ok=True)
    path.write_text(content, encoding="utf-8")
