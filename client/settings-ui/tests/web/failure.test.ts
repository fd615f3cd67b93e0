import assert from "node:assert/strict";
import { it } from "node:test";

import { Failure } from "../../web/src/logic/failure.js";

it("only what was entered can be corrected in a form", () => {
  for (const [code, fields, isAboutEntries] of [
    ["invalid", ["displayName"], true],
    ["invalid", ["scopes", "expireTime"], true],
    // Another request with this id may have succeeded.
    ["invalid", ["requestId"], false],
    ["invalid", ["requestId", "displayName"], false],
    ["invalid", [], false],
    ["conflict", [], false],
    ["unavailable", [], false],
  ] as const) {
    const failure = new Failure(code, { fields: [...fields] });
    assert.equal(
      failure.isAboutEntries,
      isAboutEntries,
      `${code} ${fields.join()}`,
    );
  }
});
