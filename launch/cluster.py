"""Joining the processes that train together, by jax.distributed."""

import jax
from absl import flags

from cyclegan_jax.errors import UserError

COORDINATOR = flags.DEFINE_string("coordinator", None, "host:port of process 0, for several processes.")
NUM_PROCESSES = flags.DEFINE_integer("num_processes", None, "How many processes train together.")
PROCESS_ID = flags.DEFINE_integer("process_id", None, "Which of them this one is, from 0.")
START_SECONDS = 120  # how long processes wait for each other at the start
END_SECONDS = 600  # and at the end, where the first one still evaluates


def join() -> None:
    """Join the others, where the flags say so; must come before any use of a device.

    Raises UserError where only some of the three flags are given or their values cannot be.
    """
    given = {f.name: f.value for f in (COORDINATOR, NUM_PROCESSES, PROCESS_ID)}
    missing = [name for name, value in given.items() if value is None]
    if len(missing) == len(given):
        return
    if missing:
        raise UserError(
            f"{missing[0]} is missing; give all of --coordinator, --num_processes and --process_id, or none."
        )
    if not 0 <= PROCESS_ID.value < NUM_PROCESSES.value:
        raise UserError(
            f"process_id is {PROCESS_ID.value}, but must be from 0 to num_processes - 1, "
            f"which is {NUM_PROCESSES.value - 1}."
        )
    jax.config.update("jax_enable_preemption_service", False)  # it would swallow SIGTERM
    jax.distributed.initialize(
        COORDINATOR.value,
        NUM_PROCESSES.value,
        PROCESS_ID.value,
        initialization_timeout=START_SECONDS,
        shutdown_timeout_seconds=END_SECONDS,
    )
