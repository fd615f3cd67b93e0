"""Prints, ten times a second, which servers Envoy asks, and how often it has.

Runs in the network of Envoy's container, where Envoy's statistics are. Each
line is a JSON object: `time` of the monotonic clock, `healthy` with the number
of checks sent to each server that is asked now, and `counters` of all servers.
"""

import json
import time
import urllib.request

ADMIN = "http://127.0.0.1:9901"


def read(path: str) -> dict:
    with urllib.request.urlopen(ADMIN + path, timeout=5) as response:
        return json.load(response)


def healthy() -> dict:
    (cluster,) = (
        each
        for each in read("/clusters?format=json")["cluster_statuses"]
        if each["name"] == "tokend"
    )
    return {
        host["hostname"]: next(
            int(each.get("value", 0))
            for each in host["stats"]
            if each["name"] == "rq_total"
        )
        # Otherwise it says also why not.
        for host in cluster.get("host_statuses", ())
        if host["health_status"] == {"eds_health_status": "HEALTHY"}
    }


def counters() -> dict:
    stats = read("/stats?format=json&type=Counters&filter=^cluster.tokend[.]")
    return {
        each["name"].removeprefix("cluster.tokend."): each["value"]
        for each in stats["stats"]
        if "name" in each
    }


while True:
    line = {
        "time": time.monotonic(),
        "healthy": healthy(),
        "counters": counters(),
    }
    print(json.dumps(line), flush=True)
    time.sleep(0.1)
