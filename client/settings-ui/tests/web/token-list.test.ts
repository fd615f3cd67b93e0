import assert from "node:assert/strict";
import { it } from "node:test";

import { Failure } from "../../web/src/logic/failure.js";
import {
  type ListEvent,
  type TokenList,
  updateList,
} from "../../web/src/logic/token-list.js";
import { token } from "./token.js";

function after(...events: ListEvent[]): TokenList {
  return events.reduce<TokenList>(updateList, { status: "loading" });
}

function page(ids: string[], nextCursor: string | null = null) {
  return { tokens: ids.map((id) => token({ id })), nextCursor };
}

function idsOf(list: TokenList): string[] {
  assert.equal(list.status, "ready");
  return list.tokens.map(({ id }) => id);
}

it("more tokens come after those that are there, each once", () => {
  const list = after(
    { type: "loaded", page: page(["c", "b"], "next") },
    { type: "more" },
    { type: "moreLoaded", page: page(["b", "a"]) },
  );
  assert.deepEqual(idsOf(list), ["c", "b", "a"]);
  assert.equal(list.status === "ready" && list.cursor, null);
});

it("a token that was made is the first, and one that was changed stays where it is", () => {
  const loaded = { type: "loaded", page: page(["b", "a"]) } as const;
  const made = { type: "made", token: token({ id: "c" }) } as const;
  const revoked = token({ id: "a", state: "revoked" });
  const list = after(loaded, made, { type: "changed", token: revoked });
  assert.deepEqual(idsOf(list), ["c", "b", "a"]);
  assert.equal(list.status === "ready" && list.tokens[2], revoked);
});

it("a token that was made is there once, also if it was loaded already", () => {
  const list = after(
    { type: "loaded", page: page(["b", "a"]) },
    { type: "made", token: token({ id: "b" }) },
  );
  assert.deepEqual(idsOf(list), ["b", "a"]);
});

// Caught: the token of a revocation that ends under another filter is put in.
it("a token that is not in the list does not come in by a change", () => {
  const list = after(
    { type: "loaded", page: page(["b", "a"]) },
    { type: "changed", token: token({ id: "c", state: "revoked" }) },
  );
  assert.deepEqual(idsOf(list), ["b", "a"]);
});

it("a failure to load more keeps what is there", () => {
  const failure = new Failure("unavailable");
  const list = after(
    { type: "loaded", page: page(["a"], "next") },
    { type: "more" },
    { type: "moreFailed", failure },
  );
  assert.deepEqual(idsOf(list), ["a"]);
  assert.equal(list.status === "ready" && list.more, failure);
  assert.equal(list.status === "ready" && list.cursor, "next");
});

it("a failure to load shows no list, and a change does not make it one", () => {
  const failure = new Failure("unavailable");
  const list = after(
    { type: "failed", failure },
    { type: "changed", token: token() },
  );
  assert.deepEqual(list, { status: "failed", failure });
});
