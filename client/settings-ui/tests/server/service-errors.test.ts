/** Every error of the service, as the browser is told it. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";

import { ErrorReason, TokensError } from "@wemasy/tokens";

import type { ProblemCode } from "../../api/index.js";
import { isUnanswered, toRefusal } from "../../server/service-errors.js";

// gRPC's status codes.
const CODES = {
  CANCELLED: 1,
  UNKNOWN: 2,
  INVALID_ARGUMENT: 3,
  DEADLINE_EXCEEDED: 4,
  NOT_FOUND: 5,
  ALREADY_EXISTS: 6,
  PERMISSION_DENIED: 7,
  RESOURCE_EXHAUSTED: 8,
  FAILED_PRECONDITION: 9,
  ABORTED: 10,
  OUT_OF_RANGE: 11,
  UNIMPLEMENTED: 12,
  INTERNAL: 13,
  UNAVAILABLE: 14,
  DATA_LOSS: 15,
  UNAUTHENTICATED: 16,
} as const;

// What comes of a reason that a newer service says.
const NEWER = [ErrorReason.UNRECOGNIZED, ErrorReason.UNSPECIFIED] as const;

function failure(
  code: keyof typeof CODES,
  reason?: ErrorReason,
  fields: string[] = [],
): TokensError {
  return new TokensError(
    "CreateToken: a text of the service",
    // eslint-disable-next-line @typescript-eslint/no-unsafe-enum-assignment -- the enum is grpc-js', which is no package of ours
    CODES[code],
    reason,
    { name: "projects/p/tokens/t" },
    fields.map((field) => ({ field, description: "is wrong" })),
  );
}

describe("a reason", () => {
  const told: Record<
    Exclude<ErrorReason, (typeof NEWER)[number]>,
    [status: number, code: ProblemCode]
  > = {
    [ErrorReason.FIELD_INVALID]: [400, "invalid"],
    [ErrorReason.PAGE_TOKEN_INVALID]: [400, "invalid"],
    [ErrorReason.REQUEST_ID_REUSED]: [400, "invalid"],
    [ErrorReason.REQUEST_ID_EXPIRED]: [409, "conflict"],
    [ErrorReason.TOKEN_NOT_FOUND]: [404, "not-found"],
    [ErrorReason.TOKEN_NOT_ACTIVE]: [409, "conflict"],
    [ErrorReason.ETAG_MISMATCH]: [409, "conflict"],
    [ErrorReason.ACTIVE_TOKEN_LIMIT]: [409, "limit"],
    [ErrorReason.METADATA_LIMIT]: [409, "metadata-limit"],
    [ErrorReason.OVERLOADED]: [429, "busy"],
    [ErrorReason.LEASE_NOT_HELD]: [503, "unavailable"],
    [ErrorReason.DATABASE_UNAVAILABLE]: [503, "unavailable"],
    [ErrorReason.COMMIT_IN_DOUBT]: [503, "unavailable"],
    [ErrorReason.CHANGE_UNCONFIRMED]: [503, "unavailable"],
    [ErrorReason.DEADLINE_TOO_SHORT]: [503, "unavailable"],
    [ErrorReason.REPLICA_TOO_OLD]: [503, "unavailable"],
    [ErrorReason.CALLER_UNAUTHENTICATED]: [500, "internal"],
    [ErrorReason.ROLE_MISSING]: [500, "internal"],
    [ErrorReason.TOKEN_REFUSED]: [500, "internal"],
    [ErrorReason.INTERNAL]: [500, "internal"],
  };
  for (const [reason, [status, code]] of Object.entries(told)) {
    it(`${reason} is ${status} ${code}`, () => {
      const refusal = toRefusal(failure("UNKNOWN", reason as ErrorReason));
      assert.equal(refusal.status, status);
      assert.equal(refusal.code, code);
      // Nothing of the service's own words.
      const problem = JSON.stringify(refusal.toProblem("id"));
      assert.doesNotMatch(problem, /a text|projects/);
    });
  }
});

// Caught: "internal", by which a form takes a refusal for an uncertain end.
describe("a reason that is newer than the backend", () => {
  const told: Record<keyof typeof CODES, ProblemCode> = {
    CANCELLED: "unavailable",
    UNKNOWN: "internal",
    INVALID_ARGUMENT: "invalid",
    DEADLINE_EXCEEDED: "unavailable",
    NOT_FOUND: "not-found",
    ALREADY_EXISTS: "invalid",
    PERMISSION_DENIED: "internal",
    RESOURCE_EXHAUSTED: "busy",
    FAILED_PRECONDITION: "invalid",
    ABORTED: "invalid",
    OUT_OF_RANGE: "internal",
    UNIMPLEMENTED: "internal",
    INTERNAL: "internal",
    UNAVAILABLE: "unavailable",
    DATA_LOSS: "internal",
    UNAUTHENTICATED: "internal",
  };
  for (const [code, expected] of Object.entries(told)) {
    for (const reason of NEWER) {
      it(`is ${expected} with ${code}: ${reason}`, () => {
        const error = failure(code as keyof typeof CODES, reason, ["name"]);
        const refusal = toRefusal(error);
        assert.equal(refusal.code, expected);
        assert.deepEqual(refusal.fields, []);
      });
    }
  }
});

describe("a call without an answer of the service", () => {
  const told: Partial<Record<keyof typeof CODES, ProblemCode>> = {
    CANCELLED: "unavailable",
    DEADLINE_EXCEEDED: "unavailable",
    UNAVAILABLE: "unavailable",
    // gRPC's own: a reply that is too long, of a change that was made.
    RESOURCE_EXHAUSTED: "internal",
    UNKNOWN: "internal",
    INTERNAL: "internal",
  };
  for (const [code, expected] of Object.entries(told)) {
    it(`${code} is ${expected}`, () => {
      const refusal = toRefusal(failure(code as keyof typeof CODES));
      assert.equal(refusal.code, expected);
    });
  }
});

it("a deadline that ended says nothing of the change, but for a reason that does", () => {
  for (const [code, reason, expected] of [
    ["DEADLINE_EXCEEDED", undefined, true],
    ["DEADLINE_EXCEEDED", ErrorReason.UNRECOGNIZED, true],
    ["DEADLINE_EXCEEDED", ErrorReason.UNSPECIFIED, true],
    ["DEADLINE_EXCEEDED", ErrorReason.CHANGE_UNCONFIRMED, false],
    ["DEADLINE_EXCEEDED", ErrorReason.DEADLINE_TOO_SHORT, false],
    ["UNAVAILABLE", ErrorReason.UNRECOGNIZED, false],
  ] as const) {
    const error = failure(code, reason);
    assert.equal(isUnanswered(error), expected, `${code} ${reason}`);
  }
});

describe("a field of the service", () => {
  const invalid = (...fields: string[]) =>
    toRefusal(failure("INVALID_ARGUMENT", ErrorReason.FIELD_INVALID, fields));

  it("has the contract's name, once", () => {
    const { code, fields } = invalid(
      "request_id",
      "token.display_name",
      "token.description",
      "token.scopes[0]",
      "token.scopes[63]",
      "token.scopes",
      "token.expire_time",
      "grace_period",
      "reason",
    );
    assert.equal(code, "invalid");
    assert.deepEqual(fields, [
      "requestId",
      "displayName",
      "description",
      "scopes",
      "expireTime",
      "graceSeconds",
      "reason",
    ]);
  });

  it("that the person has no part in is our fault", () => {
    for (const field of ["actor", "parent", "token.metadata[a]", "comment"]) {
      assert.equal(invalid("token.display_name", field).code, "internal");
    }
  });

  it("is the request id, where that was used before", () => {
    const error = failure("INVALID_ARGUMENT", ErrorReason.REQUEST_ID_REUSED);
    assert.deepEqual(toRefusal(error).fields, ["requestId"]);
  });
});
