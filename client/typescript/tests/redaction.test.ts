/** Whatever of ours is logged, no token is in it. */
import assert from "node:assert/strict";
import { after, before, it } from "node:test";
import { inspect } from "node:util";

import { status } from "@grpc/grpc-js";
import {
  connect,
  type Connection,
  type Refusal,
  TokenService,
} from "@wemasy/tokens";
import { requireToken } from "@wemasy/tokens/grpc";
import { FakeValidator } from "@wemasy/tokens/testing";

import { startGrpc } from "./support/grpc.js";
import { ask, bearer, frameworks } from "./support/http.js";
import { startStandIn, type StandIn } from "./support/service.js";

// Also what the stand-in issues.
const SECRET = "secret";

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

function assertHidden(value: unknown) {
  assert.ok(value);
  const texts = [
    inspect(value, { depth: Infinity, getters: true }),
    JSON.stringify(value),
    // eslint-disable-next-line @typescript-eslint/no-base-to-string
    String(value),
    value instanceof Error ? (value.stack ?? "") : "",
  ];
  for (const text of texts) assert.doesNotMatch(text, new RegExp(SECRET));
}

it("not in a connection, nor in what it answers", async () => {
  assertHidden(await connection.validator.validate(SECRET));
  assertHidden(connection.validator);
  assertHidden(connection.tokens);
  assert.ok(connection.tokens instanceof TokenService);
});

it("not in the error of a call", async () => {
  const failures = [
    { code: status.INTERNAL, details: "a text" },
    { code: status.INVALID_ARGUMENT, details: "a text" },
  ];
  for (const failure of failures) {
    service.failures = [failure];
    assertHidden(
      await connection.validator.validate(SECRET).catch((e: unknown) => e),
    );
  }
  service.hangs = true;
  const brief = { timeoutMs: 20 };
  assertHidden(
    await connection.validator
      .validate(SECRET, {}, brief)
      .catch((e: unknown) => e),
  );
  service.hangs = false;
  const closed = connect(service.target);
  closed.close();
  assertHidden(
    await closed.validator.validate(SECRET).catch((e: unknown) => e),
  );
});

it("not in the error of a request that cannot be written", async () => {
  const evidence = { $case: "secretSha256", value: SECRET };
  const request = { leakedTokens: [{ evidence }] };
  const error: unknown = await connection.tokens
    .revokeLeakedTokens(request as object)
    .catch((e: unknown) => e);
  assert.ok(error instanceof Error);
  assertHidden(error);
});

it("not in the reply that issues it, but by its name", async () => {
  const reply = await connection.tokens.createToken({ parent: "projects/p" });
  assert.equal(reply.secret, SECRET);
  assertHidden(reply);
  assertHidden({ ...reply });
});

it("not in the fake, nor in its answers", async () => {
  const fake = new FakeValidator();
  assertHidden(fake.add(SECRET));
  assertHidden(await fake.validate(SECRET));
  fake.revoke(SECRET);
  assertHidden(await fake.validate(SECRET));
  fake.unavailable = true;
  assertHidden(await fake.validate(SECRET).catch((e: unknown) => e));
  assertHidden(fake);
});

it("not in what is told of a refusal", async () => {
  const fake = new FakeValidator();
  fake.add(SECRET);
  fake.revoke(SECRET);
  for (const start of Object.values(frameworks)) {
    const app = await start(fake);
    const { body } = await ask(app.url, bearer(SECRET));
    await ask(app.url, [...bearer(SECRET), "X-Api-Key", SECRET]);
    assert.equal(app.refusals.length, 2);
    assertHidden(app.refusals);
    assertHidden(body);
    await app.close();
  }
  const refusals: [Refusal, string][] = [];
  const app = await startGrpc(
    requireToken(
      fake,
      {},
      { onRefused: (...refusal) => refusals.push(refusal) },
    ),
  );
  const error: unknown = await app
    .call("read", { authorization: `Bearer ${SECRET}` })
    .catch((e: unknown) => e);
  assertHidden(error);
  assert.equal(refusals.length, 1);
  assertHidden(refusals);
  app.close();
});
