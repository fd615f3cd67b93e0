/** What the interceptor does with calls of a real gRPC server. */
import assert from "node:assert/strict";
import { after, before, beforeEach, describe, it } from "node:test";

import { status } from "@grpc/grpc-js";
import { type Refusal, type Requirements, Verdict } from "@wemasy/tokens";
import { requireToken } from "@wemasy/tokens/grpc";
import { FakeValidator } from "@wemasy/tokens/testing";

import { type GrpcApp, startGrpc } from "./support/grpc.js";

const GOOD = { authorization: "Bearer good" };

// Metadata, and the code and text of the refusal.
const refused: [
  name: string,
  metadata: Record<string, string>,
  code: status,
  details: string,
][] = [
  ["none", {}, status.UNAUTHENTICATED, "a valid API token is required"],
  [
    "another scheme",
    { authorization: "Basic good" },
    status.UNAUTHENTICATED,
    "a valid API token is required",
  ],
  [
    "an unknown token",
    { authorization: "Bearer bad" },
    status.UNAUTHENTICATED,
    "a valid API token is required",
  ],
  [
    "both",
    { ...GOOD, "x-api-key": "good" },
    status.INVALID_ARGUMENT,
    "more than one credential",
  ],
  [
    "joined",
    { authorization: "Bearer good,Bearer good" },
    status.INVALID_ARGUMENT,
    "more than one credential",
  ],
  [
    "joined keys",
    { "x-api-key": "good,good" },
    status.INVALID_ARGUMENT,
    "more than one credential",
  ],
  [
    "no token",
    { authorization: "Bearer" },
    status.INVALID_ARGUMENT,
    "more than one credential",
  ],
];

describe("interceptor for gRPC", () => {
  let validator: FakeValidator;
  let requirements: Requirements;
  let refusals: Refusal[];
  let app: GrpcApp;
  const rules = (): Record<string, Requirements | "open"> => ({
    "/demo.Pages/Read": requirements,
    "/demo.Pages/Watch": requirements,
    "/demo.Pages/Open": "open",
  });

  before(async () => {
    const interceptor = requireToken(
      { validate: (token, wanted) => validator.validate(token, wanted) },
      (path) => rules()[path],
      {
        // In another case and twice, neither of which counts.
        tokenHeaders: ["X-Api-Key", "X-API-KEY", "Authorization"],
        onRefused: (refusal) => refusals.push(refusal),
      },
    );
    app = await startGrpc(interceptor);
  });
  after(() => {
    app.close();
  });
  beforeEach(() => {
    validator = new FakeValidator();
    validator.add("good", { scopes: ["pages:read"] });
    requirements = {};
    refusals = [];
  });

  for (const [name, metadata, code, details] of refused) {
    it(`refuses with ${status[code]}: ${name}`, async () => {
      await assert.rejects(app.call("read", metadata), { code, details });
      await assert.rejects(app.watch(metadata), { code, details });
    });
  }

  for (const [name, metadata] of Object.entries({
    bearer: GOOD,
    "any case, and spaces": { authorization: "bEARER   good" },
    "a key": { "x-api-key": "good" },
  })) {
    it(`attaches the identity: ${name}`, async () => {
      const wanted = {
        name: "projects/test/tokens/t1",
        project: "projects/test",
        creator: "test",
        scopes: ["pages:read"],
        metadata: {},
      };
      assert.deepEqual(await app.call("read", metadata), wanted);
      assert.deepEqual(await app.watch(metadata), [wanted]);
    });
  }

  it("leaves methods alone that are open to everybody", async () => {
    assert.equal(await app.call("open"), "open to everybody");
  });

  it("a method without a rule is closed", async () => {
    const closed = await startGrpc(requireToken(validator, () => undefined));
    const warned = new Promise((resolve) => process.once("warning", resolve));
    await assert.rejects(closed.call("read", GOOD), {
      code: status.INTERNAL,
      details: "internal error",
    });
    assert.match(String(await warned), /no rule says what \/demo.Pages\/Read/);
    closed.close();
  });

  it("refuses a revoked token, and says which for the log", async () => {
    validator.revoke("good");
    await assert.rejects(app.call("read", GOOD), {
      code: status.UNAUTHENTICATED,
    });
    assert.equal(refusals[0]?.verdict, Verdict.REVOKED);
    assert.equal(refusals[0].tokenName, "projects/test/tokens/t1");
  });

  it("forbids another project, and a missing scope", async () => {
    const forbidden = {
      code: status.PERMISSION_DENIED,
      details: "the API token may not do this",
    };
    requirements = { project: "projects/other" };
    await assert.rejects(app.call("read", GOOD), forbidden);
    requirements = { scopes: ["pages:write"] };
    await assert.rejects(app.call("read", GOOD), forbidden);
  });

  it("lets nothing pass when nobody can say", async () => {
    validator.unavailable = true;
    await assert.rejects(app.call("read", GOOD), {
      code: status.UNAVAILABLE,
      details: "try again in a moment",
    });
  });

  it("ends with INTERNAL, and warns, if requirements are malformed", async () => {
    requirements = { scopes: ["NOT A SCOPE"] };
    const warned = new Promise((resolve) => process.once("warning", resolve));
    await assert.rejects(app.call("read", GOOD), {
      code: status.INTERNAL,
      details: "internal error",
    });
    assert.match(String(await warned), /malformed/);
    assert.equal(refusals[0]?.status, 500);
  });
});
