"""What a run reports while it trains: a progress bar, lines of JSON, TensorBoard."""

import contextlib
import importlib.util
import time
from types import TracebackType

import numpy as np
from tqdm import tqdm

from cyclegan_jax.errors import NotWrittenError
from launch.run.folder import RunFolder
from launch.run.jsonl import JsonLines
from launch.run.samples import Sample, picture

SHOWN = ("generators", "discriminators", "cycle_a", "cycle_b")
SUMMARY = {
    "strength": "total_strength/share",
    "feature classifier": "total_judge_strength/share",
    "chroma": "chroma_cosine",
    "cycle F1": "cycle_f1_binary",
    "diversity": "diversity",
}


class RunLog:
    """Writes `metrics.jsonl` (without times), `timing.jsonl` and, if tensorboardX is installed,
    `tensorboard/`; shows the bar. A stopped run may have lines after its last checkpoint, step `start`.
    They are deleted first. So are lines of an evaluation at `start` that is to be repeated. A silent log
    does nothing; all processes but the first have one. If several runs train at once, each has a `name`
    that begins its lines, and a `shared_bar` that counts the steps of all instead of a bar of its own.
    """

    def __init__(
        self,
        folder: RunFolder,
        start: int,
        steps: int,
        *,
        evaluated: bool = True,
        silent: bool = False,
        name: str | None = None,
        shared_bar: tqdm | None = None,
    ) -> None:
        self._silent, self._name = silent, f"{name}, " if name else ""
        self._step, self._time = start, time.monotonic()
        no_bar = silent or name is not None
        self._bar = tqdm(total=steps, initial=start, unit=" steps", disable=no_bar, dynamic_ncols=True)
        self._steps = self._bar if shared_bar is None else shared_bar
        if shared_bar is not None:
            shared_bar.initial += start
            shared_bar.n += start
        if silent:
            return
        self._metrics = JsonLines(folder.metrics, lambda row: _stays(row, start, evaluated))
        self._timing = JsonLines(folder.timing, lambda row: _stays(row, start, evaluated))
        self._events = None
        if importlib.util.find_spec("tensorboardX"):
            from launch.run.event_file import EventFile

            self._events = EventFile(folder.workdir / "tensorboard", start)

    def __enter__(self) -> "RunLog":
        return self

    def __exit__(self, kind: type | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._bar.close()
        if self._silent:
            return
        self._metrics.close()
        self._timing.close()
        if self._events:
            with contextlib.suppress(NotWrittenError) if error else contextlib.nullcontext():
                self._events.close()

    def advance(self, steps: int = 1) -> None:
        """Move the bar on by this number of steps."""
        self._steps.update(steps)

    def log_metrics(self, step: int, epoch: int, metrics: dict[str, float], batch_size: int) -> None:
        """A line of metrics, and the phrases of one genre a second since the line before."""
        if self._silent:
            return
        now = time.monotonic()
        speed = (step - self._step) * batch_size / max(now - self._time, 1e-9)
        self._step, self._time = step, now
        self._metrics.write({"step": step, "epoch": epoch, **metrics})
        self._timing.write({"step": step, "phrases_per_second": round(speed, 2), "time": time.time()})
        shown = {name: f"{metrics[f'loss/{name}']:.3f}" for name in SHOWN}
        self._bar.set_description(f"epoch {epoch}", refresh=False)
        self._bar.set_postfix({"phrases/s": f"{speed:.1f}", **shown})
        if self._events:
            self._events.scalars(step, {**metrics, "phrases_per_second": speed})

    def evaluation(self, step: int, figures: dict[str, float], samples: list[Sample]) -> None:
        """The figures of an evaluation, and its samples as pictures."""
        if self._silent:
            return
        self._metrics.write({"step": step, **figures})
        self._bar.write(
            f"{self._name}step {step}: "
            + ", ".join(f"{name} {figures[f'validation/{key}']:.3f}" for name, key in SUMMARY.items())
        )
        if self._events:
            self._events.scalars(step, figures)
            for version, rolls in picture(samples).items():
                upright = rolls[:, :, ::-1, 0].transpose(0, 2, 1).astype(np.float32)
                self._events.images(step, f"samples/{version}", upright)
            self._events.sync()

    def warn(self, step: int, signs: list[str]) -> None:
        """A line for every sign of collapse."""
        if self._silent:
            return
        for sign in signs:
            self._bar.write(f"warning: {self._name}step {step}: {sign}; training may have collapsed")

    def sync(self) -> None:
        """Make all lines so far survive a loss of power."""
        if self._silent:
            return
        self._metrics.sync()
        self._timing.sync()
        if self._events:
            self._events.sync()

    def restart_clock(self, step: int) -> None:
        """Measure the next speed from now, so that it leaves out saving and evaluating."""
        self._step, self._time = step, time.monotonic()


def _stays(row: dict, start: int, evaluated: bool) -> bool:
    """Whether a line is kept: its step is up to `start`, and no evaluation at `start` is to be repeated."""
    step = row.get("step", start + 1)
    return step < start or (step == start and (evaluated or not _of_evaluation(row)))


def _of_evaluation(row: dict) -> bool:
    return any(name.startswith("validation/") for name in row)
