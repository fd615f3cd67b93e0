"""Where things are."""

import glob
import os
import pathlib
import shutil

SOURCE = pathlib.Path(__file__).resolve().parents[3]
PROTO = SOURCE / "proto"
CACHE = (
    pathlib.Path(os.environ.get("XDG_CACHE_HOME") or "~/.cache").expanduser()
    / "wemasy-tokens"
)


def binary(name: str) -> str:
    """An executable of the build under test."""
    folder = (
        os.environ.get("TOKEND_BIN_DIR")
        or os.environ.get("WEMASY_BIN_DIR")
        or SOURCE / "build" / "dev" / "bin"
    )
    path = pathlib.Path(folder) / name
    if not path.exists():
        raise FileNotFoundError(
            f"no {path}: build first, or set TOKEND_BIN_DIR"
        )
    return str(path)


def next_binary(name: str) -> str:
    """The same with one more migration, from beside the build's folder."""
    path = pathlib.Path(binary(name)).parents[1] / "next" / name
    if not path.exists():
        raise FileNotFoundError(f"no {path}: build first")
    return str(path)


def postgres(name: str) -> str:
    """A program of the newest PostgreSQL here, 15 or later."""
    found = glob.glob(f"/usr/lib/postgresql/*/bin/{name}")
    found.sort(key=lambda path: int(pathlib.Path(path).parts[4]))
    if not found:
        raise FileNotFoundError(f"no {name}: apt-get install postgresql-15")
    return found[-1]


def grpcurl() -> str:
    """grpcurl, from the cache or from PATH."""
    return _tool("grpcurl")


def h2spec() -> str:
    """h2spec, likewise."""
    return _tool("h2spec")


def _tool(name: str) -> str:
    cached = CACHE / "tools" / name
    path = str(cached) if cached.exists() else shutil.which(name)
    if not path:
        raise FileNotFoundError(f"no {name}: run scripts/install-{name}")
    return path
