"""Running git: the same for everybody, whatever the environment and the user's settings say.

Settings are given with every command, and go before the user's own. Those are read too, because a proxy or
a certificate may stand there.
"""

import errno
import os
import pty
import re
import shutil
import signal
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from cyclegan_jax.atomic_files import errno_in
from cyclegan_jax.errors import NotWrittenError, UserError

OLDEST = (2, 29)  # from here on, files that are missing come by one `git fetch` that knows our settings
STALLED = 60  # seconds without a byte, after which git gives up
OTHER_WAY = "or name a folder that has the files by --sources_dir"

SETTINGS = {
    "core.hooksPath": os.devnull,
    "core.fsmonitor": "false",
    "core.sparseCheckout": "true",
    "core.sparseCheckoutCone": "false",
    "core.ignoreCase": "false",
    "init.defaultObjectFormat": "sha1",
    "protocol.version": "2",  # in which a server gives any commit by its hash
    "fetch.recurseSubmodules": "false",
    "submodule.recurse": "false",
    "gc.auto": "0",  # it would go on in the background
    "maintenance.auto": "false",
    "credential.helper": "",
    "advice.detachedHead": "false",
    "color.ui": "false",
    "http.lowSpeedLimit": "1",
}
ENVIRONMENT = {
    "LC_ALL": "C",
    "GIT_TERMINAL_PROMPT": "0",
    "GIT_ASKPASS": "",
    "GIT_SSH_COMMAND": "ssh -oBatchMode=yes",
}
# Variables of git's that say how to reach the network. Others, GIT_DIR for one, name another repository.
_KEPT = ("GIT_CONFIG_", "GIT_SSL_", "GIT_PROXY_", "GIT_HTTP_", "GIT_EXEC_PATH")
_PERCENT = re.compile(r"([A-Z][a-z ]+): +(\d+)%")


class GitError(UserError):
    """A git command that failed; as text, the line in which git says why."""


@dataclass(frozen=True)
class Git:
    """git in one folder, which is or becomes a repository.

    `url`: what it fetches from. `tell` is given what git says of its progress. `terminal`: whether anybody
    sees that. `kept_open`: a file descriptor that git and its helpers hold until the last of them ends.
    """

    folder: Path
    url: str
    tell: Callable[[str], None]
    terminal: bool
    kept_open: int

    def init(self) -> None:
        """Make the folder a repository; one that is there already stays, and what it lacks is added."""
        self._run("init", "--quiet", "--template=")

    def run(self, *words: str) -> None:
        """Run a command of the repository in the folder, and of no other that surrounds it.

        Raises GitError where it fails, NotWrittenError where the disk is full or permission is denied.
        """
        self._run("--git-dir=.git", "--work-tree=.", *words)

    def succeeds(self, *words: str) -> bool:
        """Whether a command ends without an error."""
        try:
            self.run(*words)
        except GitError:
            return False
        return True

    def _run(self, *words: str) -> None:
        settings = {**SETTINGS, "remote.origin.url": self.url, "http.lowSpeedTime": str(STALLED)}
        options = [word for name, value in settings.items() for word in ("-c", f"{name}={value}")]
        # git tells how far the fetch is that a checkout needs to a terminal only
        reader, writer = pty.openpty() if self.terminal else os.pipe()
        with os.fdopen(reader, errors="replace") as said:
            try:
                process = subprocess.Popen(
                    [find_git(), *options, *words],
                    cwd=self.folder,
                    env=_environment(),
                    stdin=subprocess.DEVNULL,
                    stdout=subprocess.DEVNULL,
                    stderr=writer,
                    pass_fds=[self.kept_open],
                    start_new_session=True,  # a group to end as a whole, without a terminal to ask at
                )
            finally:
                os.close(writer)
            with process:
                try:
                    lines = list(self._heed(said))
                except BaseException:
                    os.killpg(process.pid, signal.SIGTERM)
                    raise
        if process.returncode:
            raise _failure(lines, process.returncode, self.folder)

    def _heed(self, said: Iterator[str]) -> Iterator[str]:
        """The lines that git writes, but for its progress, which is told."""
        try:
            for line in said:
                if progress := _PERCENT.search(line):
                    self.tell(f"{progress[1].lower()} {progress[2]}%")
                elif line.strip():
                    yield line.strip()
        except OSError as error:
            if error.errno != errno.EIO:  # how Linux says that a terminal has ended
                raise


def find_git() -> str:
    """The path of the program. Raises UserError where there is none."""
    program = shutil.which("git")
    if not program:
        raise UserError(f"git is not installed, which fetches the open corpus; install it, {OTHER_WAY}.")
    return program


def check_git() -> None:
    """Raise UserError where git is missing or too old."""
    said = subprocess.run(
        [find_git(), "--version"], env=_environment(), capture_output=True, text=True
    ).stdout
    version = re.search(r"(\d+)\.(\d+)", said)
    if not version or (int(version[1]), int(version[2])) < OLDEST:
        raise UserError(
            f"{said.strip() or 'git without a version'!r} is installed, but to fetch the open corpus takes "
            f"git {'.'.join(map(str, OLDEST))} or later; install that, {OTHER_WAY}."
        )


def _environment() -> dict[str, str]:
    others = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith("GIT_") or name.startswith(_KEPT)
    }
    return {**others, **ENVIRONMENT}


def _failure(lines: list[str], code: int, folder: Path) -> OSError | GitError:
    """What git's words come to. The first of its errors is the cause of those that follow."""
    errors = [line for line in lines if line.startswith(("fatal: ", "error: "))]
    for line in errors:
        number = errno_in(line)
        if number and "unable to access" not in line:  # those are the network's
            return NotWrittenError(number, str(folder))
    return GitError(next(iter([*errors, *lines[-1:]]), f"git ended with {code}").rstrip("."))
