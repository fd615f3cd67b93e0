import assert from "node:assert/strict";
import { describe, it } from "node:test";

import {
  type Draft,
  faultsOf,
  lostScopes,
  refusedFields,
  replacementOf,
  requestOf,
  withoutFaults,
} from "../../web/src/logic/creation.js";
import { token } from "./token.js";

const NOW = new Date("2026-11-28T10:30:00Z");

function draft(changes: Partial<Draft> = {}): Draft {
  return {
    name: "Backup",
    description: "",
    expiry: { kind: "never" },
    scopes: [],
    ...changes,
  };
}

describe("faultsOf", () => {
  it("wants a name that is more than white space", () => {
    for (const name of ["", "   ", "\t"]) {
      assert.deepEqual(faultsOf(draft({ name }), NOW), {
        name: { kind: "empty" },
      });
    }
  });

  it("counts characters as the service does", () => {
    for (const name of [
      "x".repeat(100),
      "😀".repeat(100),
      ` ${"x".repeat(100)} `,
    ]) {
      assert.deepEqual(faultsOf(draft({ name }), NOW), {});
    }
    assert.deepEqual(faultsOf(draft({ name: "😀".repeat(102) }), NOW), {
      name: { kind: "tooLong", excess: 2 },
    });
    assert.deepEqual(
      faultsOf(draft({ description: "x".repeat(1000) }), NOW),
      {},
    );
    assert.deepEqual(faultsOf(draft({ description: "x".repeat(1001) }), NOW), {
      description: { kind: "tooLong", excess: 1 },
    });
  });

  it("wants a day where one is chosen", () => {
    const expiry = { kind: "date", date: "" } as const;
    assert.deepEqual(faultsOf(draft({ expiry }), NOW), { expiry: "missing" });
  });
});

it("a fault is gone when its field is changed, and no other is", () => {
  const faults = { name: { kind: "empty" }, expiry: "missing" } as const;
  assert.deepEqual(withoutFaults(faults, { name: "B" }), { expiry: "missing" });
});

it("what the service refuses is told at its field", () => {
  const fields = ["displayName", "description", "expireTime", "scopes"];
  assert.deepEqual(refusedFields(fields), {
    name: { kind: "refused" },
    description: { kind: "refused" },
    expiry: "refused",
    scopes: "refused",
  });
  assert.deepEqual(refusedFields(["requestId"]), {});
});

it("a request has what was entered, without white space around it", () => {
  const entered = draft({
    name: " Backup ",
    description: "\nRuns at three.\n",
    expiry: { kind: "days", days: 7 },
    scopes: ["pages:read"],
  });
  assert.deepEqual(requestOf(entered, "id", NOW), {
    requestId: "id",
    displayName: "Backup",
    description: "Runs at three.",
    scopes: ["pages:read"],
    expireTime: "2026-12-05T10:30:00.000Z",
  });
});

it("a replacement has the scopes that are on offer, and no others", () => {
  const leaked = token({ scopes: ["pages:read", "shop:read"] });
  const offer = ["pages:write", "pages:read"];
  assert.deepEqual(lostScopes(leaked, offer), ["shop:read"]);
  assert.deepEqual(replacementOf(leaked, offer, "id", NOW), {
    requestId: "id",
    displayName: leaked.displayName,
    description: leaked.description,
    scopes: ["pages:read"],
    expireTime: null,
  });
});
