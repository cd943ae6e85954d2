"""Joining the processes that train together, by jax.distributed.

jax's preemption service is switched off, since it swallows SIGTERM. A process that dies breaks the others'
collective: that is reported in one sentence, exit code 1. Processes that wait for jax's coordination
service instead are ended by it, with its own words, half a minute after the last heartbeat (jax's default
is 100 s). Process 0 runs that service, so on leaving it stays a second longer, for the others to finish
their messages.
"""

import contextlib
import socket
import time
from collections.abc import Iterator

import jax
from absl import flags

from cyclegan_jax.config import check_range
from cyclegan_jax.errors import UserError
from cyclegan_jax.training.data_parallel import from_first_process

COORDINATOR = flags.DEFINE_string(
    "coordinator", None, "Address of process 0, as host:port, if several processes train."
)
NUM_PROCESSES = flags.DEFINE_integer("num_processes", None, "How many processes train together.")
PROCESS_ID = flags.DEFINE_integer("process_id", None, "Number of this process, from 0.")
START_SECONDS = 120  # how long processes wait for each other at the start
SILENT_SECONDS = 30  # after which a process that says nothing is taken for dead


def join() -> None:
    """Join the others, where the flags say so; must come before any use of a device.

    Raises UserError where only some of the three flags are given, for a value that is not allowed, or where
    nobody answers at the coordinator's address.
    """
    coordinator, processes, number = COORDINATOR.value, NUM_PROCESSES.value, PROCESS_ID.value
    missing = [f.name for f in (COORDINATOR, NUM_PROCESSES, PROCESS_ID) if f.value is None]
    if len(missing) == 3:
        return
    if coordinator is None or processes is None or number is None:
        raise UserError(
            f"{missing[0]} is missing; give all of --coordinator, --num_processes and --process_id, or none."
        )
    check_range("num_processes", processes, 1, 2**16)
    if not 0 <= number < processes:
        raise UserError(
            f"process_id is {number}, but must be from 0 to num_processes - 1, which is {processes - 1}."
        )
    host, _, port = coordinator.rpartition(":")
    if not host or not port.isdecimal():
        raise UserError(f"coordinator is {coordinator!r}, but must be host:port of process 0.")
    if number > 0:
        _await_coordinator(host, int(port))
    jax.config.update("jax_enable_preemption_service", False)  # it would swallow SIGTERM
    # Two programs in flight may start their collectives in another order on each process, which then wait for
    # each other for ever. GPUs and TPUs keep the order; on a CPU it is kept by one program at a time.
    jax.config.update("jax_cpu_enable_async_dispatch", False)
    try:
        jax.distributed.initialize(
            coordinator,
            processes,
            number,
            initialization_timeout=START_SECONDS,
            heartbeat_timeout_seconds=SILENT_SECONDS,
        )
    except RuntimeError as error:
        raise UserError(
            f"the processes could not be joined at {coordinator} ({error}); start all of them with the same "
            "--coordinator and --num_processes, and each with a --process_id of its own."
        ) from error


def is_first() -> bool:
    """Whether this is the process that writes and speaks; so is one alone."""
    return jax.process_index() == 0


@contextlib.contextmanager
def first_process_leads() -> Iterator[None]:
    """The first process goes through the block, then all the others, who find what it has made.

    Raises UserError in the others where the first one failed.
    """
    name = "the first process is through"
    if is_first():
        went_well = 0.0
        try:
            yield
            went_well = 1.0
        finally:
            from_first_process(went_well, name)
    elif from_first_process(0.0, name):
        yield
    else:
        raise UserError("the first process could not go on; its message says why.")


def _await_coordinator(host: str, port: int) -> None:
    """jax.distributed would end the process with no word to catch where nobody answers."""
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        try:
            socket.create_connection((host, port), timeout=5).close()
            return
        except OSError:
            time.sleep(0.5)
    raise UserError(
        f"coordinator {host}:{port} did not answer within {START_SECONDS} s; start process 0 there, "
        "and see that the address and the port are right."
    )
