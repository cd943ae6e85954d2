"""A training that dies by SIGKILL at a named point of its work; as a script, `WORKDIR POINT`."""

import os
import pkgutil
import signal
import sys
from collections.abc import Callable
from pathlib import Path

from cyclegan_jax.training.cadence import Cadence
from cyclegan_jax.training.state import TrainState
from launch.run.folder import RunFolder
from support.training_loop import run

CADENCE = Cadence(log_every=1, eval_every=4, save_every=2)  # of 10 steps: saves 2 4 6 8 10, evaluates 4 8 10

Plant = Callable[[], None]


def die() -> None:
    """As `kill -9` from outside."""
    os.kill(os.getpid(), signal.SIGKILL)


def calling(target: str, nth: int, *, returned: bool = False) -> Plant:
    """When a function, `module:name`, is called for the nth time, or when it has returned."""
    module, _, path = target.partition(":")
    place, _, name = path.rpartition(".")

    def plant() -> None:
        owner, calls = pkgutil.resolve_name(f"{module}:{place}" if place else module), []
        whole = getattr(owner, name)

        def counted(*arguments: object, **options: object) -> object:
            calls.append(name)
            if len(calls) == nth and not returned:
                die()
            result = whole(*arguments, **options)
            if len(calls) == nth:
                die()
            return result

        setattr(owner, name, counted)

    return plant


def on_event(event: str, word: str, nth: int = 1) -> Plant:
    """When Python tells its audit hooks of an event, the nth that has a word among its arguments."""

    def plant() -> None:
        seen = []

        def hook(name: str, arguments: tuple) -> None:
            if name == event and any(word in str(argument) for argument in arguments):
                seen.append(name)
                if len(seen) == nth:
                    die()

        sys.addaudithook(hook)

    return plant


def amid_a_line(nth: int) -> Plant:
    """With half of the nth line of a log written."""

    def plant() -> None:
        from launch.run.jsonl import JsonLines

        whole, lines = JsonLines.write, []

        def half(self: JsonLines, row: dict) -> None:
            lines.append(row)
            if len(lines) == nth:
                self._file.write(b'{"step": 3, "lo')
                die()
            whole(self, row)

        JsonLines.write = half

    return plant


def amid_a_deletion() -> Plant:
    """With some files of an old checkpoint deleted and others not."""

    def plant() -> None:
        deleting, removed = [], []

        def hook(name: str, arguments: tuple) -> None:
            if name == "shutil.rmtree" and ".going." in str(arguments[0]):
                deleting.append(name)
            if name == "os.remove" and deleting:
                removed.append(name)
                if len(removed) == 3:
                    die()

        sys.addaudithook(hook)

    return plant


STORE = "cyclegan_jax.training.checkpoint:Checkpoints"
MANIFEST = "cyclegan_jax.training.manifest:Manifest.write"
POINTS: dict[str, Plant] = {
    "before the run has a config": calling("launch.run.folder:RunFolder.claim", 1),
    "amid the config": on_event("os.rename", "/config.json"),
    "before the first line": calling("launch.run.log:RunLog.log_metrics", 1),
    "amid a line": amid_a_line(11),  # behind two saves, so that whole lines before it stay
    "after a line": calling("launch.run.log:RunLog.log_metrics", 5, returned=True),
    "before the first save": calling(f"{STORE}.save", 1),
    "before a save": calling(f"{STORE}.save", 2),
    "before orbax": calling("orbax.checkpoint:Checkpointer.save", 2),
    "amid orbax": on_event("os.rename", "orbax-checkpoint-tmp", 2),
    "after orbax": calling("orbax.checkpoint:Checkpointer.save", 2, returned=True),
    "before the manifest": calling(MANIFEST, 2),
    "amid the manifest": on_event("os.rename", "/manifest.json", 2),
    "after the manifest": calling(MANIFEST, 2, returned=True),
    "after a save": calling(f"{STORE}.save", 2, returned=True),
    "before an evaluation": calling("launch.run.loop:validate", 1),
    "amid the samples of an evaluation": on_event("os.rename", "/phrases.png"),
    "after an evaluation": calling("launch.run.loop:validate", 1, returned=True),
    "before set_score": calling(f"{STORE}.set_score", 1),
    "amid set_score": on_event("os.rename", "/manifest.json", 3),
    "after set_score": calling(f"{STORE}.set_score", 1, returned=True),
    "before an old one is dropped": on_event("os.rename", "/.going.2"),
    "after an old one is renamed": on_event("shutil.rmtree", "/.going.2"),
    "amid an old one's deletion": amid_a_deletion(),
    "before the last score": calling(f"{STORE}.set_score", 3),
}


def train(workdir: Path) -> TrainState:
    """The training, from where it stands to its end."""
    with RunFolder(workdir).hold():
        return run(workdir, CADENCE, evaluated=True)


if __name__ == "__main__":
    POINTS[sys.argv[2]]()
    train(Path(sys.argv[1]))
