/** The fake does what the service does, as far as a test can tell. */
import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { it } from "node:test";

import { status } from "@grpc/grpc-js";
import { Verdict } from "@wemasy/tokens";
import { FakeValidator } from "@wemasy/tokens/testing";

import { describeValidator } from "./support/contract.js";

describeValidator("the fake", () => {
  const validator = new FakeValidator();
  return Promise.resolve({
    validator,
    project: "projects/test",
    issue(identity) {
      const token = randomBytes(16).toString("hex");
      validator.add(token, identity);
      return Promise.resolve(token);
    },
    revoke(token) {
      validator.revoke(token);
      return Promise.resolve();
    },
  });
});

it("the fake takes a token that is added again for valid", async () => {
  const validator = new FakeValidator();
  validator.add("token");
  validator.revoke("token");
  validator.add("token");
  const { verdict } = await validator.validate("token");
  assert.equal(verdict, Verdict.VALID);
});

// A test with a slip in the token's text would not test a revocation.
it("the fake does not revoke what was never added", () => {
  assert.throws(() => {
    new FakeValidator().revoke("token");
  }, /no such token was added/);
});

it("the fake rejects while it is unavailable", async () => {
  const validator = new FakeValidator();
  validator.unavailable = true;
  await assert.rejects(validator.validate("token"), {
    code: status.UNAVAILABLE,
  });
});
