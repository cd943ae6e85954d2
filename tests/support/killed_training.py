"""What lies on the disk at each point of a training's work: what `kill -9` there would leave.

As a script, `WORKDIR COPIES`: trains in WORKDIR, and at each point copies it to a folder of COPIES. Bytes
that Python has not yet handed to the system are not in a copy, as they would be lost with the process.
"""

import pkgutil
import shutil
import sys
from collections.abc import Callable
from pathlib import Path

from cyclegan_jax.training.cadence import Cadence
from cyclegan_jax.training.state import TrainState
from launch.run.folder import RunFolder
from support.training_loop import run

CADENCE = Cadence(log_every=1, eval_every=4, save_every=2)  # of 10 steps: saves 2 4 6 8 10, evaluates 4 8 10
HALF_A_LINE = b'{"step": 5, "lo'

Plant = Callable[[Callable[[], None]], None]


def calling(target: str, nth: int, *, returned: bool = False) -> Plant:
    """When a function, `module:name`, is called for the nth time, or when it has returned."""
    module, _, path = target.partition(":")
    place, _, name = path.rpartition(".")

    def plant(copy: Callable[[], None]) -> None:
        owner, calls = pkgutil.resolve_name(f"{module}:{place}" if place else module), []
        whole = getattr(owner, name)

        def counted(*arguments: object, **options: object) -> object:
            calls.append(name)
            here = len(calls) == nth
            if here and not returned:
                copy()
            result = whole(*arguments, **options)
            if here and returned:
                copy()
            return result

        setattr(owner, name, counted)

    return plant


def on_event(event: str, word: str, nth: int = 1) -> Plant:
    """When Python tells its audit hooks of an event, the nth that has a word among its arguments."""

    def plant(copy: Callable[[], None]) -> None:
        seen = []

        def hook(name: str, arguments: tuple) -> None:
            if name == event and any(word in str(argument) for argument in arguments):
                seen.append(name)
                if len(seen) == nth:
                    copy()

        sys.addaudithook(hook)

    return plant


def amid_a_deletion(copy: Callable[[], None]) -> None:
    """With some files of an old checkpoint deleted and others not."""
    deleting, removed = [], []

    def hook(name: str, arguments: tuple) -> None:
        if name == "shutil.rmtree" and ".going." in str(arguments[0]):
            deleting.append(name)
        if name == "os.remove" and deleting:
            removed.append(name)
            if len(removed) == 3:
                copy()

    sys.addaudithook(hook)


STORE = "cyclegan_jax.training.checkpoint:Checkpoints"
MANIFEST = "cyclegan_jax.training.manifest:Manifest.write"
AMID_A_LINE = "amid a line"
POINTS: dict[str, Plant] = {
    "before the run has a config": calling("launch.run.folder:RunFolder.claim", 1),
    "amid the config": on_event("os.rename", "/config.json"),
    "before the first line": calling("launch.run.log:RunLog.log_metrics", 1),
    AMID_A_LINE: calling(
        "launch.run.log:RunLog.log_metrics", 5
    ),  # behind two saves, so that whole lines stay
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
    "amid an old one's deletion": amid_a_deletion,
    "before the last score": calling(f"{STORE}.set_score", 3),
}


def copier(workdir: Path, copies: Path, point: str) -> Callable[[], None]:
    """What copies the workdir to a folder of the point's name."""

    def copy() -> None:
        shutil.copytree(workdir, copies / point)
        if point == AMID_A_LINE:
            with (copies / point / "metrics.jsonl").open("ab") as log:
                log.write(HALF_A_LINE)

    return copy


def train(workdir: Path) -> TrainState:
    """The training, from where it stands to its end."""
    with RunFolder(workdir).hold():
        return run(workdir, CADENCE, evaluated=True)


if __name__ == "__main__":
    own, others = map(Path, sys.argv[1:])
    for name, plant in POINTS.items():
        plant(copier(own, others, name))
    train(own)
