"""How much memory may still be taken."""

from pathlib import Path

import psutil


def free_on_host() -> int:
    """Bytes that this process may still take, of the machine or of the container that it runs in."""
    free = psutil.virtual_memory().available
    limit, used = (Path("/sys/fs/cgroup") / name for name in ("memory.max", "memory.current"))
    if limit.exists() and limit.read_text().strip().isdigit():
        free = min(free, int(limit.read_text()) - int(used.read_text()))
    return free
