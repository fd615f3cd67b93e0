/** The token service's errors (docs/errors.md), as the browser is told them. */
import { ErrorReason, TokensError } from "@wemasy/tokens";

import type { ProblemCode } from "../api/index.js";
import { type Field, Refusal } from "./problem.js";

/** What this backend knows; a newer service may say more. */
type KnownReason = Exclude<
  ErrorReason,
  ErrorReason.UNSPECIFIED | ErrorReason.UNRECOGNIZED
>;

// What is not the person's doing is "internal" if nobody but an operator can
// mend it, and "unavailable" if it passes: whatever the page repeats is safe to
// repeat, with its request id.
const CODES: Record<KnownReason, ProblemCode> = {
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
};

// gRPC's own codes.
const CANCELLED = 1;
const INVALID_ARGUMENT = 3;
const DEADLINE_EXCEEDED = 4;
const NOT_FOUND = 5;
const ALREADY_EXISTS = 6;
const RESOURCE_EXHAUSTED = 8;
const FAILED_PRECONDITION = 9;
const ABORTED = 10;
const UNAVAILABLE = 14;

// For a call that the service did not answer: it may have done it all the same,
// so that none of these says that it was refused.
const UNANSWERED_CODES: Partial<Record<number, ProblemCode>> = {
  [CANCELLED]: "unavailable",
  [DEADLINE_EXCEEDED]: "unavailable",
  [UNAVAILABLE]: "unavailable",
};

// For a reason that is newer than this backend: so the version policy in
// CHANGELOG.md has it. "conflict" would say what the reason is, that a token was
// revoked or exists already.
const ANSWERED_CODES: Partial<Record<number, ProblemCode>> = {
  ...UNANSWERED_CODES,
  [INVALID_ARGUMENT]: "invalid",
  [FAILED_PRECONDITION]: "invalid",
  [ABORTED]: "invalid",
  [ALREADY_EXISTS]: "invalid",
  [NOT_FOUND]: "not-found",
  [RESOURCE_EXHAUSTED]: "busy",
};

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
  if (isKnown(reason)) return CODES[reason];
  const codes = reason === undefined ? UNANSWERED_CODES : ANSWERED_CODES;
  return codes[code] ?? "internal";
}

function isKnown(reason: ErrorReason | undefined): reason is KnownReason {
  return reason !== undefined && Object.hasOwn(CODES, reason);
}

// `token.scopes[3]` is a fault of `token.scopes`.
function fieldOf(path: string): Field | undefined {
  return FIELDS[path.replace(/\[\d+\]$/, "")];
}

/** Whether a call's deadline ended, and nothing that we know says how it went. */
export function isUnanswered({ code, reason }: TokensError): boolean {
  const status: number = code;
  return status === DEADLINE_EXCEEDED && !isKnown(reason);
}

/** Whether the change was made, but not every server has confirmed it. */
export function isUnconfirmed(error: TokensError): boolean {
  return error.reason === ErrorReason.CHANGE_UNCONFIRMED;
}
