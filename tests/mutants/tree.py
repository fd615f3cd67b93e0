"""A copy of the tree, in which code is broken on purpose and built."""

import pathlib
import shutil
import subprocess

ROOT = pathlib.Path(__file__).resolve().parents[2]
COPY = ROOT / "build" / "mutants" / "source"
BUILD = ROOT / "build" / "mutants" / "build"


def prepare():
    """Copies the tree as it is, and configures its build."""
    shutil.rmtree(COPY, ignore_errors=True)
    names = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        check=True,
        capture_output=True,
        text=True,
    ).stdout.split("\0")
    for name in filter(None, names):
        if (ROOT / name).is_file():
            (COPY / name).parent.mkdir(parents=True, exist_ok=True)
            # With a new time, or what was built of a mutant would stay.
            shutil.copy(ROOT / name, COPY / name)
    subprocess.run(
        ["cmake", "--preset", "dev", "-B", BUILD, "--log-level=WARNING"],
        cwd=COPY,
        check=True,
        stdout=subprocess.DEVNULL,
    )


def build(*targets: str):
    done = subprocess.run(
        ["ninja", "-C", BUILD, *targets],
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        raise SystemExit(f"{targets} do not build:\n{done.stdout}")


def check(edits_by_name) -> int:
    """An exit status: whether every text to be replaced is there once."""
    stale = [
        f"{name}: its text is not once in {file}"
        for name, edits in edits_by_name.items()
        for file, old, _ in edits
        if (ROOT / file).read_text(encoding="utf-8").count(old) != 1
    ]
    for line in stale:
        print(line)
    return 1 if stale else 0


class Broken:
    """The copy with texts replaced; a context. See check() for whether they
    are there."""

    def __init__(self, edits):
        """`edits` are of a file, an old text and the new one."""
        self._clean = {}
        self._broken = {}
        for file, old, new in edits:
            path = COPY / file
            if path not in self._clean:
                self._clean[path] = path.read_text(encoding="utf-8")
                self._broken[path] = self._clean[path]
            self._broken[path] = self._broken[path].replace(old, new)

    def __enter__(self):
        for path, text in self._broken.items():
            path.write_text(text, encoding="utf-8")
        return self

    def __exit__(self, *_):
        for path, text in self._clean.items():
            path.write_text(text, encoding="utf-8")
