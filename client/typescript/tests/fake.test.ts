/** The fake does what the service does, as far as a test can tell. */
import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { it } from "node:test";

import { status } from "@grpc/grpc-js";
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

it("the fake rejects while it is unavailable", async () => {
  const validator = new FakeValidator();
  validator.unavailable = true;
  await assert.rejects(validator.validate("token"), {
    code: status.UNAVAILABLE,
  });
});
