/** The token service's errors (docs/errors.md), as the browser is told them. */
import { ErrorReason, TokensError } from "@wemasy/tokens";

import type { ProblemCode } from "../api/index.js";
import { type Field, Refusal } from "./problem.js";

// What is not the person's doing is "internal" if nobody but an operator can
// mend it, and "unavailable" if it passes: whatever the page repeats is safe to
// repeat, with its request id.
const CODES: Record<ErrorReason, ProblemCode> = {
  [ErrorReason.FIELD_INVALID]: "invalid",
  [ErrorReason.PAGE_TOKEN_INVALID]: "invalid",
  [ErrorReason.REQUEST_ID_REUSED]: "invalid",
  [ErrorReason.REQUEST_ID_EXPIRED]: "conflict",
  [ErrorReason.TOKEN_NOT_FOUND]: "not-found",
  [ErrorReason.TOKEN_NOT_ACTIVE]: "conflict",
  [ErrorReason.ETAG_MISMATCH]: "conflict",
  [ErrorReason.ACTIVE_TOKEN_LIMIT]: "limit",
  [ErrorReason.METADATA_LIMIT]: "metadata-limit",
  [ErrorReason.OVERLOADED]: "busy",
  [ErrorReason.LEASE_NOT_HELD]: "unavailable",
  [ErrorReason.DATABASE_UNAVAILABLE]: "unavailable",
  [ErrorReason.COMMIT_IN_DOUBT]: "unavailable",
  [ErrorReason.CHANGE_UNCONFIRMED]: "unavailable",
  [ErrorReason.DEADLINE_TOO_SHORT]: "unavailable",
  [ErrorReason.REPLICA_TOO_OLD]: "unavailable",
  [ErrorReason.CALLER_UNAUTHENTICATED]: "internal",
  [ErrorReason.ROLE_MISSING]: "internal",
  [ErrorReason.TOKEN_REFUSED]: "internal",
  [ErrorReason.INTERNAL]: "internal",
  [ErrorReason.UNSPECIFIED]: "internal",
  [ErrorReason.UNRECOGNIZED]: "internal",
};

// gRPC's own codes, for calls that the service did not answer.
const CANCELLED = 1;
const DEADLINE_EXCEEDED = 4;
const UNAVAILABLE = 14;

const FIELDS: Record<string, Field> = {
  request_id: "requestId",
  "token.display_name": "displayName",
  "token.description": "description",
  "token.scopes": "scopes",
  "token.expire_time": "expireTime",
  grace_period: "graceSeconds",
  reason: "reason",
};

/** The refusal of a request for which a call failed. */
export function toRefusal(error: TokensError): Refusal {
  const code = codeOf(error);
  if (error.reason === ErrorReason.REQUEST_ID_REUSED) {
    return new Refusal(code, { fields: ["requestId"], cause: error });
  }
  if (error.reason !== ErrorReason.FIELD_INVALID) {
    return new Refusal(code, { cause: error });
  }
  const fields = error.fieldViolations.map(({ field }) => fieldOf(field));
  // A field that the person has no part in is our fault.
  return fields.every((field) => field !== undefined)
    ? new Refusal(code, { fields, cause: error })
    : new Refusal("internal", { cause: error });
}

function codeOf({ reason, code }: TokensError): ProblemCode {
  if (reason !== undefined) return CODES[reason];
  return [CANCELLED, DEADLINE_EXCEEDED, UNAVAILABLE].includes(code)
    ? "unavailable"
    : "internal";
}

// `token.scopes[3]` is a fault of `token.scopes`.
function fieldOf(path: string): Field | undefined {
  return FIELDS[path.replace(/\[\d+\]$/, "")];
}

/** Whether a call's deadline ended before the service said how it went. */
export function isUnanswered({ code, reason }: TokensError): boolean {
  const status: number = code;
  return status === DEADLINE_EXCEEDED && reason === undefined;
}

/** Whether the change was made, but not every server has confirmed it. */
export function isUnconfirmed(error: TokensError): boolean {
  return error.reason === ErrorReason.CHANGE_UNCONFIRMED;
}
