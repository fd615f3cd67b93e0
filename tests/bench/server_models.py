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
from measuring import cpu_seconds, take_turns
from messages import EMPTY
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
    "model_posted_1": Variant(("--posted=1",)),
    "model_deadlock_detection": Variant(("--deadlock-detection",)),
    "model_plain_options": Variant(("--plain-options",)),
    "malloc_glibc": Variant(malloc=None),
    "malloc_mimalloc": Variant(malloc="mimalloc"),
    "malloc_tcmalloc": Variant(malloc="tcmalloc_minimal"),
}


def measure(world, quick: bool) -> dict:
    rounds, calls = (2, 10_000) if quick else (15, 20_000)
    with contextlib.ExitStack() as stack:
        loads = {
            name: stack.enter_context(serving(variant, world.folder))
            for name, variant in VARIANTS.items()
        }
        results = take_turns(loads, rounds, calls)
    figures = medians(results)
    for name in VARIANTS:
        if name == SHIPPED:
            continue
        for figure, key in (("cpu_us", "cpu"), ("throughput", "throughput")):
            figures |= ratios(
                results, name, SHIPPED, figure, f"{name}_{key}_vs_{SHIPPED}"
            )
    return figures


@contextlib.contextmanager
def serving(variant: Variant, folder: pathlib.Path):
    """The load of a server that is such a variant."""
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
        yield Load(
            f"127.0.0.1:{port}",
            lambda: cpu_seconds(server.pid),
            EMPTY,
            b"",
            folder,
        )


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
