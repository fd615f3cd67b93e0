"""Calls by open_loop, the load generator of ours."""

import contextlib
import json
import pathlib
import subprocess

from messages import frame
from world import program


class Generator:
    """One path of a server, called by open_loop."""

    def __init__(self, target: str, path: str, folder: pathlib.Path):
        self._target = target
        self._path = path
        self._file = folder / f"{path.rpartition('/')[2]}-{id(self)}.frames"

    def write(self, messages):
        """They are sent in turn from now on."""
        self._file.write_bytes(b"".join(map(frame, messages)))

    def closed(self, in_flight: int, calls: int) -> dict:
        with self._run(
            "closed", f"--in-flight={in_flight}", f"--calls={calls}"
        ) as seen:
            pass
        return seen

    def open(self, rate: float, seconds: float, seed: int) -> dict:
        with self.opened(rate, seconds, seed) as seen:
            pass
        return seen

    def open_with_cpu(self, cpu, *arguments) -> dict:
        """open, and what a call took of what `cpu` counts, in microseconds."""
        before = cpu()
        seen = self.open(*arguments)
        return {**seen, "cpu_us": (cpu() - before) / seen["answered"] * 1e6}

    def opened(self, rate: float, seconds: float, seed: int):
        """The same beside what the context does. It yields a dictionary, which
        is filled in the end."""
        return self._run(
            "open", f"--rate={rate}", f"--seconds={seconds}", f"--seed={seed}"
        )

    def idle(self, calls: int, seed: int) -> dict:
        with self._run("idle", f"--calls={calls}", f"--seed={seed}") as seen:
            pass
        return seen

    @contextlib.contextmanager
    def _run(self, *arguments):
        seen = {}
        with subprocess.Popen(
            [
                program("open_loop"),
                *(self._target, self._path, self._file),
                *arguments,
            ],
            stdout=subprocess.PIPE,
            text=True,
        ) as process:
            try:
                yield seen
                text = process.stdout.read()
            except BaseException:
                process.kill()
                raise
        if process.returncode != 0:
            raise RuntimeError(f"open_loop failed for {self._path}")
        seen.update(json.loads(text))
