"""The benchmark: what it counts, how it takes turns with a peer, and the command whole."""

import json
from pathlib import Path

import pytest
from support.running import run_command
from support.training_loop import CONFIG

from cyclegan_jax.config import POOL_BATCHES, RECIPES, Config
from cyclegan_jax.errors import UserError
from launch.benchmark import known_peak
from launch.benchmarks.commands import time_start
from launch.benchmarks.pytorch_peer import NEAR, VARIANTS, Peer, peer_config
from launch.benchmarks.step import made_up_batches, step_operations, transfer_operations

CELLS_OF_A_BLOCK = 16 * 21
START = ("cold", "warm")
QUICKLY_COMPILED = "--xla_backend_optimization_level=0"  # since it matters not how fast these steps are
PASSES = 4 * 3  # two transfers and two ways back, each forward and back to kernel and input

# Answers as the PyTorch script does. Writes down who was called; compiled variants grow faster with every
# call, halves are not to be had, and `channels_last` is far behind, as is `compile`, but for its transfer.
PEER = """
import json, pathlib, sys
given = dict(word.lstrip("-").split("=") for word in sys.argv[1:])
calls = pathlib.Path(__file__).with_name("calls")
with calls.open("a") as file:
    file.write(json.dumps(given) + "\\n")
if "bf16" in given["variant"]:
    sys.exit("halves are not to be had")
before = sum(json.loads(line) == given for line in calls.open())
step = {"eager": 1.0, "channels_last": 9.0, "compile": 9.0}.get(given["variant"], 1.2 / before)
transfer = {"compile": 0.05}.get(given["variant"], step / 10)
print("a word before\\n" + json.dumps({"step_s": step, "transfer_s": transfer}))
"""


@pytest.fixture
def script(tmp_path) -> Path:
    path = tmp_path / "peer.py"
    path.write_text(PEER)
    return path


def test_the_peer_is_asked_for_every_variant_then_for_those_that_may_be_the_fastest(script):
    peer = Peer(script, CONFIG, steps=7)
    rounds = [peer.round(), peer.round()]
    calls = [json.loads(line) for line in (script.parent / "calls").read_text().splitlines()]
    fast = ["eager", "compile", "compile_channels_last"]
    assert [call["variant"] for call in calls] == [*VARIANTS, *fast]
    sizes = {"width": str(CONFIG.width), "batch": str(CONFIG.batch_size), "steps": "7"}
    assert all(call.items() >= sizes.items() for call in calls)
    assert rounds == [{"step": 1.0, "transfer": 0.05}, {"step": 0.6, "transfer": 0.05}]
    assert NEAR * 0.6 < 1.0
    peer.round()
    last = [json.loads(line)["variant"] for line in (script.parent / "calls").read_text().splitlines()]
    assert last[len(calls) :] == fast[1:], "eager is far behind by now"
    assert set(peer.failures) == {"bf16_channels_last", "compile_bf16_channels_last"}
    assert set(peer.failures.values()) == {"halves are not to be had"}
    assert [len(peer.figures[variant]) for variant in VARIANTS] == [2, 1, 3, 3, 0, 0]


def test_a_peer_that_is_not_there_or_does_not_run_is_an_error_in_one_sentence(tmp_path):
    with pytest.raises(UserError, match=r"peer is '.*none\.py', but that is no file"):
        Peer(tmp_path / "none.py", CONFIG, steps=1)
    broken = tmp_path / "broken.py"
    broken.write_text("import there_is_no_such_module")
    with pytest.raises(UserError, match=r"No module named 'there_is_no_such_module'.*install PyTorch"):
        Peer(broken, CONFIG, steps=1).round()


def test_beside_a_peer_ours_has_its_net_and_the_papers_objective():
    sizes = {"steps": 8, "constant_steps": 2, "width": 12, "batch_size": 3, "dtype": "bfloat16"}
    robust = Config(("a", "b"), ("a", "b"), "", pool_size=0, blocks=2, **RECIPES["robust"], **sizes)
    config = peer_config(robust)
    assert config == Config(("a", "b"), ("a", "b"), "", **sizes)
    assert (config.blocks, config.model, config.pool_size, config.sigma_d) == (10, "full", POOL_BATCHES, 0.01)


def test_operations_grow_with_the_blocks_by_the_products_of_their_convolutions():
    sizes = {"steps": 1, "constant_steps": 0, "width": 32, "batch_size": 2}
    configs = [Config(("a", "b"), ("a", "b"), "", blocks=blocks, **sizes) for blocks in (1, 3)]
    products = 2 * 3 * 3 * (4 * 32) ** 2 * CELLS_OF_A_BLOCK
    for operations, passes in ((step_operations, PASSES), (transfer_operations, 1)):
        one, three = map(operations, configs)
        assert (three - one) / (2 * 2) == pytest.approx(2 * products * passes, rel=0.05)


def test_made_up_phrases_are_as_dense_as_music_and_of_all_genres():
    batch = made_up_batches(CONFIG).batch(0)
    assert set(batch) == {"a", "b", "m"}
    assert all(phrases.mean() == pytest.approx(0.05, abs=0.005) for phrases in batch.values())


def figures_of(*flags: str, cwd: Path, **variables: str) -> tuple[dict, str]:
    """What the command wrote and printed, by small nets."""
    sizes = ("--preset=tiny", "--width=4", "--batch_size=2", "--steps=2", "--json=f.json")
    done = run_command("benchmark", *sizes, *flags, cwd=cwd, **variables)
    assert done.returncode == 0, done.stderr
    return json.loads((cwd / "f.json").read_text()), done.stdout


@pytest.mark.slow
def test_step_and_transfer_are_timed_in_turn_with_the_peer(script, tmp_path):
    parts = ("--measure=step", "--measure=transfer", "--rounds=2", "--peak_tflops=0.001")
    figures, printed = figures_of(*parts, f"--peer={script}", cwd=tmp_path, XLA_FLAGS=QUICKLY_COMPILED)
    step = figures["step"]
    assert figures["config"]["blocks"] == 10
    assert step["phrases_per_second"] == pytest.approx(2 / step["seconds"])
    assert step["share_of_peak"] == pytest.approx(step["tflops"] / 0.001)
    assert len(step["ratio"]["each"]) == 2
    assert step["ratio"]["median"] == pytest.approx(sum(step["ratio"]["each"]) / 2)
    assert step["compile_seconds"] > step["seconds"] and step["peak_memory_mib"] > 100
    assert figures["transfer"]["seconds"] < step["seconds"]
    assert figures["transfer"]["gflop_per_phrase"] < step["gflop_per_phrase"]
    assert figures["transfer"]["share_of_peak"] == pytest.approx(figures["transfer"]["tflops"] / 0.001)
    assert set(figures["peer"]["rounds"]) == set(VARIANTS)
    assert "ratio" in printed


@pytest.mark.slow
def test_loop_and_song_are_timed_as_whole_commands_are(tmp_path):
    figures, _ = figures_of("--measure=loop", "--measure=song", "--blocks=1", "--rounds=1", cwd=tmp_path)
    assert -0.9 < figures["loop"]["lost"] < 20
    song = figures["song"]
    assert all(100 < song[cache]["peak_mib"] < 2000 and song[cache]["seconds"] > 0 for cache in START)


@pytest.mark.slow
def test_a_start_is_timed_up_to_the_first_step(run_dir, demo_dir):
    """On the data of the shared run, whose classifier is kept there."""
    start = time_start(demo_dir)
    assert tuple(start) == START and 0 < start["warm"] < start["cold"]


@pytest.mark.parametrize("flag", ["--blocks=3", "--recipe=robust"])
def test_what_the_peer_decides_is_refused(flag, script, tmp_path):
    done = run_command("benchmark", "--preset=tiny", f"--peer={script}", flag, cwd=tmp_path)
    name = flag.removeprefix("--").split("=")[0]
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == f"{name} is given, but beside a peer ours has the peer's; leave it out.\n"


@pytest.mark.parametrize(
    "kind, peak",
    [
        *[("NVIDIA H100 80GB HBM3", 989.0), ("NVIDIA H100 PCIe", 756.0), ("NVIDIA A100-SXM4-80GB", 312.0)],
        *[("NVIDIA L4", 121.0), ("NVIDIA L40S", None), ("NVIDIA A10G", None), ("cpu", None)],
    ],
)
def test_a_peak_is_known_of_the_very_device_only(kind, peak):
    assert known_peak(kind) == peak


def test_a_part_can_be_measured_alone(tmp_path):
    done = run_command(
        "benchmark", "--preset=tiny", "--measure=input", "--steps=1", "--json=f.json", cwd=tmp_path
    )
    assert done.returncode == 0, done.stderr
    figures = json.loads((tmp_path / "f.json").read_text())
    assert set(figures) == {"device", "devices", "jax", "config", "memory", "input"}
    assert all(rate > 0 for rate in figures["input"]["phrases_per_second"].values())
