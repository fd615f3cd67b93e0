/** What a request is refused with: RFC 9457, as the contract has it. */
import { STATUS_CODES } from "node:http";

import type {
  CreateRequest,
  Problem,
  ProblemCode,
  RevokeRequest,
  RotateRequest,
} from "../api/index.js";

/** The fields of requests. */
export type Field =
  keyof CreateRequest | keyof RotateRequest | keyof RevokeRequest;

// What is said of a field does not depend on its value, so that no value can
// come back.
const WANTED: Record<Field, string> = {
  requestId: "want a random UUID that was used for no other request",
  displayName:
    "want 1 to 100 characters, no control characters, no white space at either end",
  description:
    "want at most 1000 characters, no control characters but line feeds",
  scopes: "want scopes that are on offer, each once",
  expireTime: "want null, or an RFC 3339 time within the next ten years",
  graceSeconds: "want a whole number of seconds, 0 to 604800",
  reason: "want unused, superseded, compromised, offboarded or other",
};

/** Whether the contract has a field of this name. */
export function isField(name: string): name is Field {
  return Object.hasOwn(WANTED, name);
}

const STATUSES: Record<ProblemCode, number> = {
  invalid: 400,
  "signed-out": 401,
  forbidden: 403,
  "not-found": 404,
  conflict: 409,
  limit: 409,
  "metadata-limit": 409,
  busy: 429,
  unavailable: 503,
  internal: 500,
};

/** Thrown to refuse a request. */
export class Refusal extends Error {
  override readonly name = "Refusal";
  readonly code: ProblemCode;
  readonly status: number;
  /** Each once. */
  readonly fields: readonly Field[];

  constructor(
    code: ProblemCode,
    {
      fields = [],
      status = STATUSES[code],
      cause,
    }: { fields?: Iterable<Field>; status?: number; cause?: unknown } = {},
  ) {
    super(code, { cause });
    this.code = code;
    this.status = status;
    this.fields = [...new Set(fields)];
  }

  /** The reply's body. */
  toProblem(requestId: string): Problem {
    const { code, status } = this;
    const fields = this.fields.map((field) => ({
      field,
      problem: WANTED[field],
    }));
    return {
      type: "about:blank",
      status,
      title: STATUS_CODES[status] ?? "Error",
      code,
      ...(fields.length > 0 && { fields }),
      requestId,
    };
  }
}
