/** Calls over a real channel: retries, deadlines, cancellation, TLS. */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, beforeEach, describe, it } from "node:test";

import { ServerCredentials, status } from "@grpc/grpc-js";
import {
  connect,
  type Connection,
  serviceConfig,
  Verdict,
} from "@wemasy/tokens";

import { startStandIn, type StandIn, unavailable } from "./support/service.js";

// The directory of the package, from build/tests.
const ROOT = join(import.meta.dirname, "../..");

it("the service config is the one that is deployed", () => {
  const deployed = join(ROOT, "../../deploy/service-config.json");
  assert.deepEqual(serviceConfig, JSON.parse(readFileSync(deployed, "utf8")));
});

describe("targets without TLS", () => {
  for (const target of [
    "localhost:7443",
    "127.0.0.1:7443",
    "[::1]:7443",
    "dns:///localhost:7443",
    "ipv4:127.1.2.3:7443",
    "unix:/run/tokend.sock",
  ]) {
    it(`takes ${target}`, () => {
      connect(target).close();
    });
  }
  for (const target of [
    "tokens.internal:7443",
    "10.0.0.1:7443",
    "127.0.0.1.example.com:7443",
    "dns://localhost/tokens.internal:7443",
  ]) {
    it(`refuses ${target}`, () => {
      assert.throws(() => connect(target), /want loopback, or TLS/);
    });
  }
});

describe("calls", () => {
  let service: StandIn;
  let connection: Connection;
  before(async () => {
    service = await startStandIn();
    connection = connect(service.target);
  });
  after(() => {
    connection.close();
    service.close();
  });
  beforeEach(() => {
    service.validated = [];
    service.created = [];
    service.failures = [];
    service.hangs = false;
  });

  it("asks for what the route requires", async () => {
    const { verdict } = await connection.validator.validate("secret", {
      scopes: ["b", "a"],
      project: "projects/p",
    });
    assert.equal(verdict, Verdict.VALID);
    assert.deepEqual(service.validated, [
      {
        token: "secret",
        requiredScopes: ["b", "a"],
        expectedProject: "projects/p",
        reportFreshness: false,
        watchStreamNumber: 0,
      },
    ]);
  });

  it("tries UNAVAILABLE and CANCELLED again", async () => {
    service.failures = [unavailable, { code: status.CANCELLED, details: "" }];
    const { verdict } = await connection.validator.validate("secret");
    assert.equal(verdict, Verdict.VALID);
    assert.equal(service.validated.length, 3);
  });

  it("tries no more than four times", async () => {
    service.failures = Array.from({ length: 5 }, () => unavailable);
    await assert.rejects(connection.validator.validate("secret"), {
      name: "TokensError",
      code: status.UNAVAILABLE,
      message: "Validate: UNAVAILABLE: the lease is not held",
    });
    assert.equal(service.validated.length, 4);
  });

  it("does not try other errors again", async () => {
    service.failures = [{ code: status.PERMISSION_DENIED, details: "" }];
    await assert.rejects(connection.validator.validate("secret"), {
      code: status.PERMISSION_DENIED,
    });
    assert.equal(service.validated.length, 1);
  });

  it("draws one request id for all attempts of a creation", async () => {
    service.failures = [unavailable, unavailable];
    await connection.tokens.createToken({ parent: "projects/p" });
    const ids = service.created.map(({ requestId }) => requestId);
    assert.equal(ids.length, 3);
    assert.equal(new Set(ids).size, 1);
    assert.match(ids[0] ?? "", /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/);
  });

  it("keeps the request id that it is given", async () => {
    await connection.tokens.createToken({ requestId: "mine" });
    assert.equal(service.created[0]?.requestId, "mine");
  });

  it("ends at the deadline", async () => {
    service.hangs = true;
    const options = { timeoutMs: 50 };
    await assert.rejects(connection.validator.validate("secret", {}, options), {
      name: "TokensError",
      code: status.DEADLINE_EXCEEDED,
    });
    await assert.rejects(connection.tokens.createToken({}, options), {
      code: status.DEADLINE_EXCEEDED,
    });
  });

  it("ends when it is aborted, with the signal's reason", async () => {
    service.hangs = true;
    const controller = new AbortController();
    const call = connection.validator.validate(
      "secret",
      {},
      { signal: controller.signal, timeoutMs: 600_000 },
    );
    setTimeout(() => {
      controller.abort(new Error("the client has left"));
    }, 50);
    await assert.rejects(call, { message: "the client has left" });
  });

  it("does not begin if it is aborted before", async () => {
    const options = { signal: AbortSignal.abort() };
    await assert.rejects(connection.validator.validate("secret", {}, options), {
      name: "AbortError",
    });
    assert.equal(service.validated.length, 0);
  });
});

it("nobody there is UNAVAILABLE", async () => {
  const connection = connect("127.0.0.1:1");
  await assert.rejects(connection.validator.validate("secret"), {
    name: "TokensError",
    code: status.UNAVAILABLE,
  });
  connection.close();
});

it("plaintext goes to this machine, past every proxy", async () => {
  const service = await startStandIn();
  const { grpc_proxy } = process.env;
  process.env.grpc_proxy = "http://127.0.0.1:1";
  const connection = connect(service.target);
  if (grpc_proxy === undefined) delete process.env.grpc_proxy;
  else process.env.grpc_proxy = grpc_proxy;
  const { verdict } = await connection.validator.validate("secret");
  assert.equal(verdict, Verdict.VALID);
  connection.close();
  service.close();
});

it("mutual TLS shows the server our certificate", async () => {
  const directory = mkdtempSync(join(tmpdir(), "wemasy-certs-"));
  after(() => {
    rmSync(directory, { recursive: true });
  });
  execFileSync(join(ROOT, "../../scripts/certs"), [directory], {
    stdio: "ignore",
  });
  const read = (name: string) => readFileSync(join(directory, name));
  const service = await startStandIn(
    ServerCredentials.createSsl(
      read("ca.crt"),
      [{ private_key: read("server.key"), cert_chain: read("server.crt") }],
      true,
    ),
  );
  const target = service.target.replace("127.0.0.1", "localhost");
  const connection = connect(target, {
    tls: {
      ca: join(directory, "ca.crt"),
      cert: join(directory, "gateway.crt"),
      key: join(directory, "gateway.key"),
    },
  });
  const { verdict } = await connection.validator.validate("secret");
  assert.equal(verdict, Verdict.VALID);
  connection.close();
  service.close();
});
