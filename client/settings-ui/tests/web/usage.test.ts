import assert from "node:assert/strict";
import { it } from "node:test";

import { unusedDays } from "../../web/src/logic/usage.js";
import { token } from "./token.js";

const NOW = new Date("2026-11-28T12:00:00Z");

/** A time that many days ago, less some minutes. */
function ago(days: number, minutes = 0): string {
  return new Date(
    NOW.getTime() - days * 86_400_000 + minutes * 60_000,
  ).toISOString();
}

for (const [name, fields, days] of [
  ["used today", { createTime: ago(200), lastUsedTime: ago(0) }, null],
  [
    "used a moment less than 90 days ago",
    { createTime: ago(200), lastUsedTime: ago(90, 1) },
    null,
  ],
  ["used 90 days ago", { createTime: ago(200), lastUsedTime: ago(90) }, 90],
  ["never used, and new", { createTime: ago(89), lastUsedTime: null }, null],
  ["never used, and old", { createTime: ago(120), lastUsedTime: null }, 120],
  [
    "revoked",
    { createTime: ago(120), lastUsedTime: null, state: "revoked" },
    null,
  ],
  [
    "expired",
    { createTime: ago(120), lastUsedTime: null, state: "expired" },
    null,
  ],
] as const) {
  it(`a token that is ${name}`, () => {
    assert.equal(unusedDays(token(fields), NOW), days);
  });
}
