"""The relays cut, delay and break what passes, as they are told."""

import socket
import threading
import time

import pytest
from network import Network


class Echo:
    """Sends back what it gets; a context."""

    def __init__(self, path):
        self._listener = socket.socket(socket.AF_UNIX)
        self._listener.bind(path)
        self._listener.listen()
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self):
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def _accept(self):
        while True:
            try:
                end, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(
                target=self._serve, args=(end,), daemon=True
            ).start()

    @staticmethod
    def _serve(end):
        with end:
            while data := end.recv(1024):
                end.sendall(data)


@pytest.fixture
def network(tmp_path):
    echo = Echo(str(tmp_path / "echo"))
    with Network() as network:
        network.open("link", str(tmp_path / "link"), str(tmp_path / "echo"))
        yield network
    echo.close()


@pytest.fixture
def end(network, tmp_path):
    with socket.socket(socket.AF_UNIX) as end:
        end.connect(str(tmp_path / "link"))
        end.settimeout(5)
        yield end


def is_silent(end) -> bool:
    end.settimeout(0.2)
    try:
        end.recv(1024)
        return False
    except TimeoutError:
        return True
    finally:
        end.settimeout(5)


def test_what_is_sent_arrives(end):
    end.sendall(b"hello")
    assert end.recv(1024) == b"hello"


def test_a_silent_connection_does_not_hear_of_its_end(network, end, tmp_path):
    end.sendall(b"hello")
    assert end.recv(1024) == b"hello"
    network.silence("link")
    end.sendall(b"hello")
    assert is_silent(end)
    with socket.socket(socket.AF_UNIX) as later:
        later.connect(str(tmp_path / "link"))
        later.settimeout(5)
        later.sendall(b"hello")
        assert later.recv(1024) == b"hello"
        network.reset_silent("link")
        with pytest.raises(ConnectionResetError):
            end.recv(1024)
        later.sendall(b"hello")
        assert later.recv(1024) == b"hello"


@pytest.mark.parametrize("held", ["hold_forward", "hold_backward"])
def test_cut(network, end, held):
    network.set("link", **{held: True})
    end.sendall(b"hello")
    assert is_silent(end)
    network.set("link", **{held: False})
    assert end.recv(1024) == b"hello"


def test_delay(network, end):
    network.set("link", delay=0.1)
    begun = time.monotonic()
    end.sendall(b"hello")
    assert end.recv(1024) == b"hello"
    assert time.monotonic() - begun >= 0.2


def test_notifications_are_held_on_the_connection_that_listens(
    network, end, tmp_path
):
    with socket.socket(socket.AF_UNIX) as listening:
        listening.connect(str(tmp_path / "link"))
        listening.settimeout(5)
        listening.sendall(b"LISTEN changes")
        assert listening.recv(1024)
        network.set("link", hold_notifications=True)
        listening.sendall(b"news")
        assert is_silent(listening)
        end.sendall(b"hello")
        assert end.recv(1024) == b"hello"
        network.set("link", hold_notifications=False)
        assert listening.recv(1024) == b"news"


def test_the_answer_to_a_commit_is_lost(network, end):
    network.set("link", lose_commits=True)
    end.sendall(b"BEGIN ISOLATION LEVEL READ COMMITTED\0")
    assert end.recv(1024)
    end.sendall(b"COMMIT\0")
    assert end.recv(1024) == b""


def test_reset_and_another_upstream(network, end, tmp_path):
    other = Echo(str(tmp_path / "other"))
    network.direct("link", str(tmp_path / "other"))
    end.sendall(b"still there")
    assert end.recv(1024) == b"still there"
    network.reset("link")
    assert end.recv(1024) == b""
    other.close()


def test_nobody_upstream(network, tmp_path):
    network.direct("link", str(tmp_path / "nobody"))
    with socket.socket(socket.AF_UNIX) as end:
        end.connect(str(tmp_path / "link"))
        assert end.recv(1024) == b""


def test_a_mistake_is_told(network):
    with pytest.raises(RuntimeError, match="nowhere"):
        network.reset("nowhere")
