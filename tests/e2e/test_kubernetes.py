"""deploy/kubernetes, as far as one can come without a cluster: by Kubernetes'
schemas, and by running what it runs."""

import json
import os
import pathlib
import shutil
import subprocess
import urllib.request

import pytest
from harness import paths
from harness.ports import free_port
from harness.waiting import wait_until

MANIFEST = paths.SOURCE / "deploy" / "kubernetes" / "tokend.yaml"
# The oldest that has all of it, and the newest whose schemas we have.
VERSIONS = ("1.28", "1.37")
MOUNTS = "/etc/tokend"


@pytest.fixture(scope="module")
def python():
    done = subprocess.run(
        [paths.SOURCE / "tests" / "e2e" / "kubernetes" / "python-env"],
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    return pathlib.Path(done.stdout.strip(), "bin")


@pytest.fixture(scope="module")
def resources(python):
    """By kind."""
    read = "json.dump(list(yaml.safe_load_all(sys.stdin)), sys.stdout)"
    done = subprocess.run(
        [python / "python", "-c", f"import json, sys, yaml; {read}"],
        input=MANIFEST.read_text(encoding="utf-8"),
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    return {each["kind"]: each for each in json.loads(done.stdout)}


def validate(python, text, version, folder) -> subprocess.CompletedProcess:
    file = folder / "manifest.yaml"
    file.write_text(text, encoding="utf-8")
    return subprocess.run(
        [python / "kubernetes-validate", "--strict", "-k", version, file],
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize("version", VERSIONS)
def test_the_schemas_know_all_of_it(python, version, tmp_path):
    text = MANIFEST.read_text(encoding="utf-8")
    done = validate(python, text, version, tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    # The tester, tested.
    wrong = text.replace("failureThreshold:", "failureTreshold:", 1)
    assert validate(python, wrong, version, tmp_path).returncode != 0


def pod(resource) -> dict:
    return resource["spec"]["template"]["spec"]


def container(resource) -> dict:
    [found] = pod(resource)["containers"]
    return found


def environment(resource, urls: dict, folder: pathlib.Path) -> dict:
    """What a container finds, with its files in `folder`."""
    found = dict(os.environ)
    for each in container(resource)["env"]:
        if "valueFrom" in each:
            value = urls[each["valueFrom"]["secretKeyRef"]["name"]]
        else:
            value = each["value"]
        found[each["name"]] = value.replace(MOUNTS, str(folder))
    return found


def run(arguments, environment) -> subprocess.CompletedProcess:
    return subprocess.run(
        [paths.binary("tokend"), *arguments],
        env=environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@pytest.fixture
def mounts(resources, authority, tmp_path):
    """What the volumes have."""
    certificate = authority.issue("pod", "DNS:tokend.tokens.svc")
    folder = tmp_path / "mounts"
    for volume in container(resources["Deployment"])["volumeMounts"]:
        path = volume["mountPath"].removeprefix(f"{MOUNTS}/")
        (folder / path).mkdir(parents=True)
    shutil.copy(certificate.certificate, folder / "tls" / "tls.crt")
    shutil.copy(certificate.key, folder / "tls" / "tls.key")
    shutil.copy(certificate.ca, folder / "tls" / "ca.crt")
    for name, text in resources["ConfigMap"]["data"].items():
        (folder / "roles" / name).write_text(text, encoding="utf-8")
    return folder


def test_the_job_the_server_and_the_probes_run(cluster, resources, mounts):
    database = cluster.new_database()
    urls = {
        "tokend-owner": cluster.url(database, user="postgres"),
        "tokend-database": cluster.url(database),
    }
    job = resources["Job"]
    done = run(container(job)["args"], environment(job, urls, mounts))
    assert done.returncode == 0, done.stderr

    deployment = resources["Deployment"]
    settings = environment(deployment, urls, mounts)
    ports = {"7443": str(free_port()), "7480": str(free_port())}
    for name in ("TOKEND_LISTEN", "TOKEND_OPS_LISTEN"):
        _, _, port = settings[name].partition(":")
        settings[name] = f"127.0.0.1:{ports[port]}"
    probe = [
        word.replace("7443", ports["7443"]).replace(MOUNTS, str(mounts))
        for word in container(deployment)["livenessProbe"]["exec"]["command"]
    ]
    assert probe[0] == "tokend"
    ready = container(deployment)["readinessProbe"]["httpGet"]["path"]
    server = subprocess.Popen(
        [paths.binary("tokend"), *container(deployment)["args"]],
        env=settings,
        stdin=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        wait_until(
            lambda: is_ok(f"http://127.0.0.1:{ports['7480']}{ready}"),
            30,
            "readiness",
        )
        done = run(probe[1:], settings)
        assert (done.returncode, done.stdout) == (0, "serving\n"), done.stderr
        server.terminate()
        grace = pod(deployment)["terminationGracePeriodSeconds"]
        assert server.wait(grace) == 0
    finally:
        server.kill()
        server.wait()
    assert run(probe[1:], settings).returncode != 0


def is_ok(url) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=5) as answer:
            return answer.status == 200
    except OSError:
        return False


def test_what_has_to_fit_fits(resources):
    deployment = resources["Deployment"]
    named = {each["name"] for each in container(deployment)["ports"]}
    assert {each["port"] for each in rules(resources)} == named
    for kind in ("Service", "PodDisruptionBudget", "NetworkPolicy"):
        spec = resources[kind]["spec"]
        selector = spec.get("podSelector") or spec["selector"]
        labels = selector.get("matchLabels", selector)
        assert labels == deployment["spec"]["selector"]["matchLabels"], kind
    # The defaults of --lame-duck and --drain-timeout, and 10 s.
    assert pod(deployment)["terminationGracePeriodSeconds"] >= 5 + 10 + 10
    volumes = {each["name"] for each in pod(deployment)["volumes"]}
    mounts = container(deployment)["volumeMounts"]
    assert {each["name"] for each in mounts} == volumes
    server = container(deployment)
    [threads] = [
        each["value"]
        for each in server["env"]
        if each["name"] == "TOKEND_VALIDATE_THREADS"
    ]
    assert threads == server["resources"]["requests"]["cpu"]
    # Or each apply would undo what the autoscaler did.
    assert "replicas" not in deployment["spec"]


def rules(resources):
    for rule in resources["NetworkPolicy"]["spec"]["ingress"]:
        yield from rule["ports"]
