/** A service that is away, slow, or behind mutual TLS. */
import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { describe, it } from "node:test";

import { Verdict } from "@wemasy/tokens";

import type { IssuedToken, Revocation } from "../../api/index.js";
import { startBackend } from "../support/backend.js";
import { type Answer, form, until, Visitor } from "../support/client.js";
import { Service } from "../support/service.js";
import { makePage, useStack } from "../support/stack.js";

// A person waits 10 s at most; the rest is for a machine that is busy.
const PATIENCE_MS = 15_000;

// Longer than that, so that a replica that says nothing is
// waited for in vain; short enough for a test to sit out.
const LEASE_SECONDS = 30;

describe("a service that is away", () => {
  const stack = useStack();

  it("is told at each call, and gone when it is back", async () => {
    const visitor = await Visitor.signIn(stack.backend, stack.issuer);
    const { token } = await visitor.create();
    const creation = form();
    const rotation = { requestId: randomUUID(), graceSeconds: 0 };
    const calls: [number, () => Promise<Answer>][] = [
      [200, () => visitor.get("tokens")],
      [200, () => visitor.get(`tokens/${token.id}`)],
      [201, () => visitor.post("tokens", creation)],
      [200, () => visitor.post(`tokens/${token.id}/rotate`, rotation)],
      [
        200,
        () => visitor.post(`tokens/${token.id}/revoke`, { reason: "unused" }),
      ],
    ];
    await stack.service.tell("stop");
    for (const [, call] of calls) {
      const start = performance.now();
      const { status, body } = await call();
      assert.equal(status, 503);
      assert.equal((body as { code: string }).code, "unavailable");
      assert.ok(performance.now() - start < PATIENCE_MS);
    }
    // Who is signed in is known all the same.
    assert.equal((await visitor.get("session")).status, 200);

    await stack.service.tell("start");
    await until(
      "the service is back",
      async () => (await visitor.get("tokens")).status === 200,
    );
    for (const [status, call] of calls) {
      assert.equal((await call()).status, status);
    }
  });

  it("that says nothing is not waited for longer than 10 s", async () => {
    const visitor = await Visitor.signIn(stack.backend, stack.issuer);
    const { token, secret } = await visitor.create();
    await stack.service.tell("freeze");
    const start = performance.now();
    const answers = await Promise.all([
      visitor.get("tokens"),
      visitor.get(`tokens/${token.id}`),
      visitor.post("tokens", form()),
      visitor.post(`tokens/${token.id}/rotate`, {
        requestId: randomUUID(),
        graceSeconds: 0,
      }),
      visitor.post(`tokens/${token.id}/revoke`, { reason: "unused" }),
    ]);
    const elapsed = performance.now() - start;
    await stack.service.tell("thaw");
    // Nobody knows whether the token is revoked, so nobody says so.
    for (const { status, body } of answers) {
      assert.equal(status, 503);
      assert.equal(body.code, "unavailable");
    }
    assert.ok(elapsed < PATIENCE_MS, `${elapsed} ms`);
    const revoked = await visitor.post<Revocation>(
      `tokens/${token.id}/revoke`,
      { reason: "unused" },
    );
    assert.equal(revoked.body.status, "confirmed");
    const verdict = await stack.verdict(secret);
    assert.notEqual(verdict, Verdict.VALID);
  });
});

describe("a replica that says nothing", () => {
  const stack = useStack({
    servers: 2,
    serviceFlags: [`lease-ttl=${LEASE_SECONDS}s`],
  });

  // Caught: DEADLINE_EXCEEDED of a revocation as a failure.
  it("makes a revocation wait: it is confirming, then confirmed", async () => {
    const visitor = await Visitor.signIn(stack.backend, stack.issuer);
    const { token, secret } = await visitor.create();
    const path = `tokens/${token.id}/revoke`;
    await stack.service.tell("freeze", 1);
    const start = performance.now();
    const slow = await visitor.post<Revocation>(path, { reason: "unused" });
    const elapsed = performance.now() - start;
    // It holds for the replicas that say anything.
    const verdict = await stack.verdict(secret);
    await stack.service.tell("thaw", 1);
    assert.equal(slow.status, 202);
    assert.deepEqual(slow.body, { status: "confirming", tokenId: token.id });
    assert.ok(elapsed < PATIENCE_MS, `${elapsed} ms`);
    assert.equal(verdict, Verdict.REVOKED);

    const again = await visitor.post<Revocation>(path, { reason: "unused" });
    assert.equal(again.status, 200);
    assert.equal(again.body.status, "confirmed");
  });

  it("makes new secrets wait: unavailable, then issued once", async () => {
    const visitor = await Visitor.signIn(stack.backend, stack.issuer);
    const { token } = await visitor.create();
    const creation = form();
    const rotation = { requestId: randomUUID(), graceSeconds: 0 };
    const issue = () =>
      Promise.all([
        visitor.post<IssuedToken>("tokens", creation),
        visitor.post<IssuedToken>(`tokens/${token.id}/rotate`, rotation),
      ]);
    await stack.service.tell("freeze", 1);
    const start = performance.now();
    const slow = await issue();
    const elapsed = performance.now() - start;
    await stack.service.tell("thaw", 1);
    for (const { status, text } of slow) {
      assert.equal(status, 503);
      assert.match(text, /"code":"unavailable"/);
    }
    assert.ok(elapsed < PATIENCE_MS, `${elapsed} ms`);

    const [created, rotated] = await issue();
    assert.equal(created.status, 201);
    assert.equal(rotated.status, 200);
    for (const { body } of [created, rotated]) {
      assert.equal(await stack.verdict(body.secret), Verdict.VALID);
    }
    const { tokens } = await stack.connection.tokens.listTokens({
      parent: `projects/${visitor.project}`,
    });
    assert.equal(tokens.length, 2);
  });
});

describe("mutual TLS", () => {
  const stack = useStack({ tls: true });

  it("is spoken with the service", async () => {
    const visitor = await Visitor.signIn(stack.backend, stack.issuer);
    const { token } = await visitor.create();
    const { status } = await visitor.get(`tokens/${token.id}`);
    assert.equal(status, 200);
  });

  it("is not done without", async (t) => {
    const page = makePage();
    t.after(page.destroy);
    const plain = await startBackend([
      `--tokend=${stack.service.target()}`,
      `--session-keys=${stack.issuer.keys}`,
      `--page=${page.folder}`,
    ]);
    t.after(() => plain.stop());
    const visitor = await Visitor.signIn(plain, stack.issuer);
    const { status } = await visitor.get("tokens");
    assert.equal(status, 503);
  });

  it("is not spoken with whoever is no authority's", async (t) => {
    const other = await Service.start({ tls: true });
    t.after(() => other.stop());
    const page = makePage();
    t.after(page.destroy);
    const { tls } = stack.service;
    assert.ok(tls);
    const backend = await startBackend([
      `--tokend=${other.target()}`,
      `--tokend-ca=${tls.ca}`,
      `--tokend-cert=${tls.cert}`,
      `--tokend-key=${tls.key}`,
      `--session-keys=${stack.issuer.keys}`,
      `--page=${page.folder}`,
    ]);
    t.after(() => backend.stop());
    const visitor = await Visitor.signIn(backend, stack.issuer);
    assert.equal((await visitor.get("tokens")).status, 503);
  });
});

describe("a backend that is told to stop", () => {
  const stack = useStack();

  it("answers what is under way, and ends", async (t) => {
    const page = makePage();
    t.after(page.destroy);
    const backend = await startBackend([
      `--tokend=${stack.service.target()}`,
      `--session-keys=${stack.issuer.keys}`,
      `--page=${page.folder}`,
    ]);
    t.after(() => backend.stop());
    const visitor = await Visitor.signIn(backend, stack.issuer);
    await visitor.create();
    await stack.service.tell("freeze");
    const underWay = visitor.get("tokens");
    await until("the request has come in", async () => {
      // The second is answered without the service.
      return (await visitor.get("session")).status === 200;
    });
    const stopped = backend.stop();
    await until("it is stopping", () => backend.log().includes("stopping"));
    await stack.service.tell("thaw");
    assert.equal((await underWay).status, 200);
    // Not only when the browser lets go of its connection, a minute later.
    const start = performance.now();
    assert.equal(await stopped, 0);
    assert.ok(performance.now() - start < 20_000);
  });
});
