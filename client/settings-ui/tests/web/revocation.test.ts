/** Mutant that must fail here: a revocation that is confirming can fail. */
import assert from "node:assert/strict";
import { it } from "node:test";

import type { Revocation } from "../../api/index.js";
import { Failure } from "../../web/src/logic/failure.js";
import {
  followRevocation,
  isRevoked,
  type RevocationState,
} from "../../web/src/logic/revocation.js";
import { token } from "./token.js";

const CONFIRMING = { status: "confirming", tokenId: "t1" } as const;
const CONFIRMED = {
  status: "confirmed",
  token: token({ state: "revoked" }),
  confirmTime: "2026-11-28T12:00:00Z",
} as const;

/** What becomes of a revocation that is answered so, and the pauses. */
async function follow(...answers: (Revocation | Failure)[]) {
  const states: RevocationState[] = [];
  const pauses: number[] = [];
  const post = () => {
    const answer = answers.shift() ?? assert.fail("one question too many");
    if (answer instanceof Failure) return Promise.reject(answer);
    return Promise.resolve(answer);
  };
  const wait = (milliseconds: number) => {
    pauses.push(milliseconds);
    return Promise.resolve();
  };
  for await (const state of followRevocation(post, wait)) states.push(state);
  return {
    states: states.map(({ status }) => status),
    last: states.at(-1),
    pauses,
  };
}

it("a revocation that is confirmed at once", async () => {
  const { states, pauses } = await follow(CONFIRMED);
  assert.deepEqual(states, ["revoking", "confirmed"]);
  assert.deepEqual(pauses, []);
});

it("one that is not is asked about again, less and less often", async () => {
  const { states, pauses } = await follow(
    ...Array.from({ length: 6 }, () => CONFIRMING),
    CONFIRMED,
  );
  assert.deepEqual(states, ["revoking", "confirming", "confirmed"]);
  assert.deepEqual(pauses, [1000, 2000, 4000, 8000, 15_000, 15_000]);
});

for (const code of [
  "unavailable",
  "unreachable",
  "internal",
  "busy",
] as const) {
  it(`once revoked, ${code} is waited for`, async () => {
    const { states } = await follow(CONFIRMING, new Failure(code), CONFIRMED);
    assert.deepEqual(states, ["revoking", "confirming", "confirmed"]);
  });

  it(`before that, ${code} is told`, async () => {
    const { states, last } = await follow(new Failure(code));
    assert.deepEqual(states, ["revoking", "failed"]);
    assert.equal(isRevoked(last), false);
  });
}

it("once revoked, the end of the session is told, and it stays revoked", async () => {
  const { last } = await follow(CONFIRMING, new Failure("signed-out"));
  assert.equal(last?.status, "failed");
  assert.equal(isRevoked(last), true);
});
