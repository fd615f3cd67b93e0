from .ports import free_port


def test_gives_no_port_twice_in_a_while():
    ports = [free_port() for _ in range(200)]
    assert len(set(ports)) == len(ports)
