"""Patience with what takes its time."""

import time


def wait_until(condition, seconds, what):
    """Fails with `what` if the condition does not come true."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, f"{what}: not within {seconds} s"
        time.sleep(0.05)
