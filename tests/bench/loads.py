"""What is called, and what calls it: one rpc of one server, driven by h2load or
by ghz."""

import pathlib
import statistics
from collections.abc import Callable, Iterator

import ghz
from measuring import h2load, spread
from messages import frame


class Load:
    """One rpc with one request, driven by h2load.

    `cpu` tells the seconds of CPU time that whatever answers has spent so far.
    """

    def __init__(
        self,
        target: str,
        cpu: Callable[[], float],
        path: str,
        request: bytes,
        folder: pathlib.Path,
    ):
        self._url = f"http://{target}{path}"
        self._cpu = cpu
        self._folder = folder
        self._body = folder / f"{path.rpartition('/')[2]}-{id(self)}.bin"
        self._body.write_bytes(frame(request))

    # tokend gives its connections to its queues in turn. With sixteen, every
    # turn finds them spread nearly alike.
    def run(self, calls: int) -> dict:
        before = self._cpu()
        seen = h2load(
            self._url,
            calls,
            self._folder,
            ["content-type: application/grpc", "te: trailers"],
            self._body,
            clients=16,
        )
        return {**seen, "cpu_us": (self._cpu() - before) / calls * 1e6}


class GhzLoad:
    """One rpc, driven by ghz. Each run takes the next of the batches of
    requests, which have the form of JSON, and sends each of it in turn."""

    def __init__(
        self,
        target: str,
        cpu: Callable[[], float],
        path: str,
        batches: Iterator[list[dict]],
        folder: pathlib.Path,
        certificate=None,
    ):
        self._target = target
        self._cpu = cpu
        self._path = path
        self._batches = batches
        self._folder = folder
        self._certificate = certificate

    def run(self, calls: int) -> dict:
        requests = next(self._batches)
        before = self._cpu()
        seen = ghz.run(
            self._target,
            self._path,
            requests,
            calls,
            self._folder,
            self._certificate,
        )
        return {**seen, "cpu_us": (self._cpu() - before) / calls * 1e6}


def medians(results: dict) -> dict:
    """Each load's figures, under names that begin with the load's."""
    return {
        f"{name}_{figure}": statistics.median(run[figure] for run in runs)
        for name, runs in results.items()
        for figure in runs[0]
    }


def ratios(results: dict, ours: str, theirs: str, figure: str, name: str):
    """The spread of a figure's ratio within a round, under that name."""
    return spread(
        name,
        [
            run[figure] / other[figure]
            for run, other in zip(results[ours], results[theirs])
        ],
    )
