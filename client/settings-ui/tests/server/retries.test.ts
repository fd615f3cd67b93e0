/** What is asked twice, by impatience or after a lost reply, is done once. */
import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { it } from "node:test";

import { type Token, TokenState, Verdict } from "@wemasy/tokens";

import type { IssuedToken, Revocation } from "../../api/index.js";
import { form, until, Visitor } from "../support/client.js";
import { startRelay } from "../support/relay.js";
import { useStack } from "../support/stack.js";

const LIMIT = 3;
const stack = useStack({ serviceFlags: [`max-active-tokens=${LIMIT}`] });
const signIn = () => Visitor.signIn(stack.backend, stack.issuer);

/** What the service has of a project, past the backend. */
async function liveTokens({ project }: Visitor): Promise<Token[]> {
  const { tokens } = await stack.connection.tokens.listTokens({
    parent: `projects/${project}`,
  });
  return tokens.filter(({ state }) => state === TokenState.ACTIVE);
}

async function isValid(secret: string): Promise<boolean> {
  const verdict = await stack.verdict(secret);
  return verdict === Verdict.VALID;
}

// Caught: a request id drawn for each call in place of the form's.
it("A double click makes one token", async () => {
  const visitor = await signIn();
  const body = form();
  const answers = await Promise.all([
    visitor.post<IssuedToken>("tokens", body),
    visitor.post<IssuedToken>("tokens", body),
  ]);
  assert.deepEqual(
    answers.map(({ status }) => status),
    [201, 201],
  );
  const [live, ...others] = await liveTokens(visitor);
  assert.equal(others.length, 0);
  assert.ok(live);
  const secrets = answers.map(({ body }) => body.secret);
  const valid = await Promise.all(secrets.map(isValid));
  // The later one's; the page shows the reply to what it sent last.
  assert.equal(valid.filter(Boolean).length, 1);
});

it("A lost reply to a creation costs nothing", async (t) => {
  const relay = await startRelay(stack.backend.origin);
  t.after(relay.close);
  const visitor = await signIn();
  const body = form();
  relay.loses = true;
  const lost = fetch(
    visitor.url("tokens").replace(stack.backend.origin, relay.origin),
    {
      method: "POST",
      headers: visitor.headers(),
      body: JSON.stringify(body),
    },
  );
  await assert.rejects(lost);
  const [secret = ""] = /wmsy_\w+/.exec(relay.lost) ?? [];
  assert.ok(await isValid(secret));

  const again = await visitor.post<IssuedToken>("tokens", body);
  assert.equal(again.status, 201);
  assert.equal((await liveTokens(visitor)).length, 1);
  assert.ok(await isValid(again.body.secret));
  // What was lost on its way is of no use to whoever found it.
  assert.ok(!(await isValid(secret)));
});

it("A browser that goes away before the reply leaves one token", async () => {
  const visitor = await signIn();
  const body = form();
  const abort = new AbortController();
  const lost = fetch(visitor.url("tokens"), {
    method: "POST",
    headers: visitor.headers(),
    body: JSON.stringify(body),
    signal: abort.signal,
  });
  setTimeout(() => {
    abort.abort();
  }, 5);
  await lost.catch(() => undefined);
  assert.equal((await visitor.post("tokens", body)).status, 201);
  assert.equal((await liveTokens(visitor)).length, 1);
});

it("A rotation that is asked for twice is one rotation", async () => {
  const visitor = await signIn();
  const { token, secret } = await visitor.create();
  const body = { requestId: randomUUID(), graceSeconds: 3600 };
  const path = `tokens/${token.id}/rotate`;
  const first = await visitor.post<IssuedToken>(path, body);
  const second = await visitor.post<IssuedToken>(path, body);
  assert.deepEqual([first.status, second.status], [200, 200]);
  // The secret before has its grace, the one of the lost reply has none: a
  // second rotation would have it the other way round.
  assert.ok(await isValid(secret));
  assert.ok(!(await isValid(first.body.secret)));
  assert.ok(await isValid(second.body.secret));
});

it("A form that was changed after a lost reply is told so", async () => {
  const visitor = await signIn();
  const body = form();
  await visitor.post("tokens", body);
  const answer = await visitor.post("tokens", { ...body, displayName: "B" });
  assert.equal(answer.status, 400);
  assert.deepEqual(
    answer.body.fields?.map(({ field }) => field),
    ["requestId"],
  );
});

it("A creation is not repeated once its token is revoked", async () => {
  const visitor = await signIn();
  const body = form();
  const { token } = await visitor.create(body);
  await visitor.post(`tokens/${token.id}/revoke`, { reason: "unused" });
  const answer = await visitor.post("tokens", body);
  assert.equal(answer.status, 409);
  assert.equal(answer.body.code, "conflict");
  assert.deepEqual(await liveTokens(visitor), []);
});

it("Two tabs that revoke one token are both told that it is revoked", async () => {
  const visitor = await signIn();
  const { token, secret } = await visitor.create();
  const path = `tokens/${token.id}/revoke`;
  const answers = [
    ...(await Promise.all([
      visitor.post<Revocation>(path, { reason: "unused" }),
      visitor.post<Revocation>(path, { reason: "compromised" }),
    ])),
    await visitor.post<Revocation>(path, { reason: "other" }),
  ];
  const times = answers.map(({ status, body }) => {
    assert.equal(status, 200);
    assert.equal(body.status, "confirmed");
    return body.token.revokeTime;
  });
  // The first counts.
  assert.equal(new Set(times).size, 1);
  assert.ok(!(await isValid(secret)));
});

it("A project with as many tokens as it may have gets no more", async () => {
  const visitor = await signIn();
  const { token } = await visitor.create();
  for (let i = 1; i < LIMIT; ++i) await visitor.create();
  const body = form();
  const answer = await visitor.post("tokens", body);
  assert.equal(answer.status, 409);
  assert.equal(answer.body.code, "limit");
  assert.equal((await liveTokens(visitor)).length, LIMIT);
  // With one fewer, the same form goes through.
  await visitor.post(`tokens/${token.id}/revoke`, { reason: "unused" });
  assert.equal((await visitor.post("tokens", body)).status, 201);
});

it("A refusal has the id of its line in the log", async () => {
  const visitor = await signIn();
  const { body } = await visitor.post("tokens", {});
  await until("a line of the request", () =>
    stack.backend
      .log()
      .split("\n")
      .some(
        (line) =>
          line.includes(`"requestId":"${body.requestId}"`) &&
          line.includes('"status":400'),
      ),
  );
});
