"""deploy/kubernetes, as far as one can come without a cluster: by Kubernetes'
schemas, and by running what it runs."""

import json
import os
import pathlib
import re
import shutil
import subprocess
import urllib.error
import urllib.request

import pytest
from harness import paths
from harness.ports import free_port
from harness.waiting import wait_until

MANIFEST = paths.SOURCE / "deploy" / "kubernetes" / "tokend.yaml"
GATEWAYS = paths.SOURCE / "docs" / "gateways.md"
PROMETHEUS = paths.SOURCE / "deploy" / "prometheus"
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


def parse(python, text) -> list:
    read = "json.dump(list(yaml.safe_load_all(sys.stdin)), sys.stdout)"
    done = subprocess.run(
        [python / "python", "-c", f"import json, sys, yaml; {read}"],
        input=text,
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    return json.loads(done.stdout)


@pytest.fixture(scope="module")
def resources(python):
    """By kind."""
    text = MANIFEST.read_text(encoding="utf-8")
    return {each["kind"]: each for each in parse(python, text)}


@pytest.fixture(scope="module")
def beside_gateway(python):
    """What docs/gateways.md adds to a gateway's pod."""
    text = GATEWAYS.read_text(encoding="utf-8")
    [yaml] = re.findall(
        r"^```yaml\n(initContainers:.*?)^```", text, re.MULTILINE | re.DOTALL
    )
    [found] = parse(python, yaml)
    return found


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


@pytest.mark.parametrize("version", VERSIONS)
def test_the_schemas_know_the_container_beside_a_gateway(
    python, beside_gateway, version, tmp_path
):
    gateway = {"name": "gateway", "image": "gateway:latest"}
    manifest = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "gateway"},
        "spec": {"containers": [gateway], **beside_gateway},
    }
    done = validate(python, json.dumps(manifest), version, tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_container_beside_a_gateway_answers_it(
    cluster, beside_gateway, tmp_path
):
    [sidecar] = beside_gateway["initContainers"]
    mounted = {each["name"] for each in sidecar["volumeMounts"]}
    assert mounted == {each["name"] for each in beside_gateway["volumes"]}
    database = cluster.new_database()
    owner = cluster.url(database, user="postgres")
    migrate = ("migrate", "--migrate-role=tokend", f"--database-url={owner}")
    done = run(migrate, os.environ)
    assert done.returncode == 0, done.stderr

    pod_of_it = {"spec": {"template": {"spec": {"containers": [sidecar]}}}}
    urls = {"tokend-database": cluster.url(database)}
    settings = environment(pod_of_it, urls, tmp_path)
    settings["TOKEND_OPS_LISTEN"] = "off"
    # The default of both, but on a port that is free.
    settings["TOKEND_LISTEN"] = f"127.0.0.1:{free_port()}"
    settings["TOKEND_ADDRESS"] = settings["TOKEND_LISTEN"]
    check = f"127.0.0.1:{free_port()}"
    arguments = [
        word.replace("127.0.0.1:7481", check) for word in sidecar["args"]
    ]
    assert arguments != sidecar["args"]
    startup = sidecar["startupProbe"]["exec"]["command"]
    liveness = sidecar["livenessProbe"]["exec"]["command"]
    assert startup[0] == liveness[0] == "tokend"
    server = subprocess.Popen(
        [paths.binary("tokend"), *arguments],
        env=settings,
        stdin=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        wait_until(
            lambda: run(startup[1:], settings).returncode == 0, 30, "startup"
        )
        assert run(liveness[1:], settings).returncode == 0
        challenge = challenge_of(f"http://{check}/check")
        assert "error=" not in challenge
        challenge = challenge_of(f"http://{check}/check", {"x-api-key": "no"})
        assert 'error="invalid_token"' in challenge
        server.terminate()
        assert server.wait(30) == 0
    finally:
        server.kill()
        server.wait()


def challenge_of(url, headers=None) -> str:
    """Of an answer that is 401."""
    request = urllib.request.Request(url, headers=headers or {})
    with pytest.raises(urllib.error.HTTPError) as refused:
        urllib.request.urlopen(request, timeout=5)
    assert refused.value.code == 401
    return refused.value.headers["WWW-Authenticate"]


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


def test_prometheus_finds_the_pods_under_the_job_of_the_alerts(
    python, resources
):
    text = (PROMETHEUS / "podmonitor.yaml").read_text(encoding="utf-8")
    [monitor] = parse(python, text)
    deployment = resources["Deployment"]
    labels = deployment["spec"]["template"]["metadata"]["labels"]
    selected = monitor["spec"]["selector"]["matchLabels"]
    assert selected.items() <= labels.items()
    # The job of migrations shows no metrics.
    job = resources["Job"]["spec"]["template"]["metadata"]["labels"]
    assert not selected.items() <= job.items()
    [endpoint] = monitor["spec"]["podMetricsEndpoints"]
    assert endpoint["port"] in {
        each["name"] for each in container(deployment)["ports"]
    }
    alerts = (PROMETHEUS / "alerts.yml").read_text(encoding="utf-8")
    jobs = set(re.findall(r'job="(\w+)"', alerts))
    assert jobs == {labels[monitor["spec"]["jobLabel"]]}


def rules(resources):
    for rule in resources["NetworkPolicy"]["spec"]["ingress"]:
        yield from rule["ports"]
