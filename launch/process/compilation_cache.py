"""Compiled programs kept from command to command, in the user's own cache folder.

The folder is `$XDG_CACHE_HOME/cyclegan_jax` (`~/.cache` without it). It has mode 700, since what lies there
is run. A sub-folder is named by the versions of jax and jaxlib and by what the processor can do: homes are
shared by unlike machines, and a foreign program may end in an illegal instruction. Nothing limits the
cache's size.
"""

import hashlib
import os
import stat
from importlib.metadata import version
from pathlib import Path

import jax

WORTH_KEEPING = 0.3  # seconds of compilation


def keep_compiled() -> None:
    """Let JAX look for compiled programs in the user's cache folder, and leave them there.

    What lies there is run, so it must be the user's alone (mode 700): where it cannot be, nothing is kept.
    `JAX_COMPILATION_CACHE_DIR` names another place, and `JAX_ENABLE_COMPILATION_CACHE=0` forbids it.
    """
    if jax.config.jax_compilation_cache_dir is not None:  # pyright: ignore[reportAttributeAccessIssue]
        return
    try:
        folder = cache_folder()
        for place in (folder.parent, folder):
            place.mkdir(mode=0o700, parents=True, exist_ok=True)
            if not _is_ours_alone(place):
                return
    except (OSError, RuntimeError):  # no home, or none that may be written to
        return
    jax.config.update("jax_compilation_cache_dir", str(folder))
    jax.config.update("jax_persistent_cache_min_compile_time_secs", WORTH_KEEPING)


def _is_ours_alone(folder: Path) -> bool:
    found = folder.lstat()
    return stat.S_ISDIR(found.st_mode) and found.st_uid == os.getuid() and not found.st_mode & 0o077


def cache_folder() -> Path:
    """Where programs of these versions for this kind of processor are kept: `~/.cache/cyclegan_jax/…`.

    A program compiled for one processor may stop with an illegal instruction on another, and homes are
    shared by unlike machines.
    """
    named = Path(os.environ.get("XDG_CACHE_HOME", ""))
    base = named if named.is_absolute() else Path.home() / ".cache"
    key = f"jax-{version('jax')}-jaxlib-{version('jaxlib')}-{_processor()}"
    return base / "cyclegan_jax" / key


def _processor() -> str:
    """A short name for what this machine's processor can do."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return os.uname().machine
    able = sorted({line for line in lines if line.startswith(("flags", "Features", "isa"))})
    return f"{os.uname().machine}-{hashlib.sha256(''.join(able).encode()).hexdigest()[:8]}"
