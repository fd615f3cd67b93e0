"""The ways to serve an rpc that gRPC offers, and what else tokend has set,
beside tokend's own choice: each variant differs from it in one thing at most.

All of them serve the empty rpc, each in a process of its own that has nothing
else to do, so that a ratio is as large as it can be.
"""

import contextlib
import ctypes.util
import dataclasses
import pathlib

from harness.ports import free_port
from loads import Load, medians, ratios
from measuring import cpu_seconds
from messages import EMPTY
from open_loop import Generator
from world import running

# What others are compared with: as tokend is on two processors.
SHIPPED = "shipped"
# The libraries, as the linker knows them, and the packages that have them.
MALLOCS = {
    "jemalloc": "libjemalloc2",
    "mimalloc": "libmimalloc2.0",
    "tcmalloc_minimal": "libtcmalloc-minimal4",
}


@dataclasses.dataclass(frozen=True)
class Variant:
    flags: tuple[str, ...] = ()
    model: str = "queues"
    # Of MALLOCS, or glibc's own.
    malloc: str | None = "jemalloc"


VARIANTS = {
    SHIPPED: Variant(),
    # The same once more: how far from 1 the others' ratios are by chance.
    "again": Variant(),
    "model_callback": Variant(model="callback"),
    "model_sync": Variant(model="sync"),
    "model_1_queue": Variant(("--queues=1",)),
    "model_2_queues_2_threads": Variant(("--threads-per-queue=2",)),
    # As if each rpc had queues of its own.
    "model_2_idle_queues": Variant(("--idle-queues=2",)),
    # With the threads of gRPC's callback API, and no call for them.
    "model_health_service": Variant(("--health-service",)),
    "model_posted_1": Variant(("--posted=1",)),
    "model_deadlock_detection": Variant(("--deadlock-detection",)),
    "model_plain_options": Variant(("--plain-options",)),
    "malloc_glibc": Variant(malloc=None),
    "malloc_mimalloc": Variant(malloc="mimalloc"),
    "malloc_tcmalloc": Variant(malloc="tcmalloc_minimal"),
}


def measure(world, quick: bool) -> dict:
    # Many short turns: what a call of one server costs differs by as much as a
    # third from one turn to the next.
    rounds, calls = (2, 5_000) if quick else (31, 7_500)
    paced_rounds = 2 if quick else 11
    with contextlib.ExitStack() as stack:
        targets = {
            name: stack.enter_context(serving(variant))
            for name, variant in VARIANTS.items()
        }
        loads = {
            name: Load(*target, EMPTY, b"", world.folder)
            for name, target in targets.items()
        }
        pairs = take_turns_in_pairs(loads, rounds, calls)
        paced_loads = {
            name: PacedLoad(*target, world.folder)
            for name, target in targets.items()
        }
        paced_pairs = take_turns_in_pairs(paced_loads, paced_rounds, calls)
    figures = medians(
        {SHIPPED: [run for pair in pairs.values() for run in pair[SHIPPED]]}
    )
    for name, pair in pairs.items():
        figures |= medians({name: pair[name]})
        for figure, key in (("cpu_us", "cpu"), ("throughput", "throughput")):
            figures |= ratios(
                pair, name, SHIPPED, figure, f"{name}_{key}_vs_{SHIPPED}"
            )
    for name, pair in paced_pairs.items():
        for figure, key in (("cpu_us", "cpu"), ("p50_us", "p50")):
            figures |= ratios(
                pair, name, SHIPPED, figure, f"{name}_paced_{key}_vs_{SHIPPED}"
            )
    return figures


class PacedLoad:
    """The empty rpc, called at random times, as gateways do."""

    # A quarter of what the machine can do, or less.
    CALLS_PER_SECOND = 10_000

    def __init__(self, target, cpu, folder):
        self._cpu = cpu
        self._generator = Generator(target, EMPTY, folder)
        self._generator.write([b""])
        self._turn = 0

    def run(self, calls: int) -> dict:
        self._turn += 1
        seconds = calls / self.CALLS_PER_SECOND
        return self._generator.open_with_cpu(
            self._cpu, self.CALLS_PER_SECOND, seconds, self._turn
        )


def take_turns_in_pairs(loads: dict, rounds: int, calls: int) -> dict:
    """Each variant's runs, and those of the shipped one right before or after
    them: a round of all is longer than the machine keeps its speed."""
    for load in loads.values():
        load.run(calls)
    pairs = {name: {name: [], SHIPPED: []} for name in loads if name != SHIPPED}
    for index in range(rounds):
        for pair in pairs.values():
            # Who comes first changes, too.
            for name in sorted(pair, reverse=index % 2 == 1):
                pair[name].append(loads[name].run(calls))
    return pairs


@contextlib.contextmanager
def serving(variant: Variant):
    """The address of a server that is such a variant, and what tells its CPU
    time."""
    port = free_port()
    preload = library(variant.malloc) if variant.malloc else ""
    with running(
        "server_models",
        f"--port={port}",
        f"--model={variant.model}",
        *variant.flags,
        LD_PRELOAD=preload,
    ) as server:
        # What cannot be preloaded is left out, with no more than a warning.
        maps = pathlib.Path(f"/proc/{server.pid}/maps").read_text("utf-8")
        loaded = [malloc for malloc in MALLOCS if f"/lib{malloc}." in maps]
        if loaded != [variant.malloc] * bool(variant.malloc):
            raise RuntimeError(f"{loaded} in a server, want {variant.malloc}")
        yield f"127.0.0.1:{port}", lambda: cpu_seconds(server.pid)


def library(malloc: str) -> str:
    """The name by which the loader finds it."""
    name = ctypes.util.find_library(malloc)
    if not name:
        raise FileNotFoundError(
            f"no lib{malloc} here: install Debian's {MALLOCS[malloc]},"
            " or run scripts/install-deps"
        )
    return name


def require_libraries():
    """Raises FileNotFoundError, which says what to install."""
    for malloc in MALLOCS:
        library(malloc)
