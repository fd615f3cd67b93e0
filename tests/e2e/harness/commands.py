"""The command-line clients: tokenctl and grpcurl."""

import json
import os
import subprocess

from . import evidence, paths


def tokenctl(server, *arguments, stdin="", certificate=None, env=None):
    """Runs tokenctl; secrets go by `stdin` only."""
    command = [paths.binary("tokenctl"), f"--server={server.target}"]
    if certificate:
        command += [
            f"--tls-ca={certificate.ca}",
            f"--tls-cert={certificate.certificate}",
            f"--tls-key={certificate.key}",
        ]
    done = subprocess.run(
        [*command, *arguments],
        input=stdin,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        env={**os.environ, "USER": "user-7", **(env or {})},
    )
    evidence.add_text(done.stderr)
    issues = arguments[:1] in (("create",), ("rotate",))
    if issues and done.returncode == 0 and "--help" not in arguments:
        secret = done.stdout
        if "--json" in arguments:
            secret = json.loads(secret)["secret"]
        evidence.add_secret(secret.strip())
    else:
        evidence.add_text(done.stdout)
    return done


def grpcurl(server, method, request=None, certificate=None, flags=()):
    """Makes a call by reflection; returns the exit status and the reply."""
    if certificate:
        connection = [
            *("-cacert", certificate.ca),
            *("-cert", certificate.certificate),
            *("-key", certificate.key),
        ]
    else:
        connection = ["-plaintext"]
    data = ["-d", "@"] if request is not None else []
    done = subprocess.run(
        [paths.grpcurl(), *connection, *flags, *data, server.target, *method],
        input=json.dumps(request) if request is not None else "",
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    evidence.add_text(done.stderr)
    return done
