/**
 * The form of requests, as JSON schemas. What a value may be is the service's
 * to say, but for what it does not know: which scopes are on offer.
 */
import type {
  CreateRequest,
  ListedState,
  RevokeRequest,
  RotateRequest,
} from "../api/index.js";
import { FILTERS, REASONS } from "./tokens.js";

/** The query of a list. */
export interface ListQuery {
  /** Without, or empty: tokens in all states. */
  state?: ListedState | "";
  /** What a page before had as its `nextCursor`. */
  cursor?: string;
}

export const listQuery = {
  type: "object",
  properties: {
    state: { enum: ["", ...Object.keys(FILTERS)] },
    cursor: { type: "string", maxLength: 1024 },
  },
};

// Version 4 is what the service takes.
const requestId = {
  type: "string",
  pattern:
    "^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$",
};

// Half of a surrogate pair is no character, and has no form in UTF-8.
const text = { type: "string", pattern: "^\\P{Cs}*$" };

/** The bodies of the changes. */
export const bodies = {
  create: (scopes: string[]) =>
    body<CreateRequest>({
      requestId,
      displayName: text,
      description: text,
      scopes: {
        type: "array",
        items: { enum: scopes },
        uniqueItems: true,
      },
      expireTime: { type: ["string", "null"], format: "date-time" },
    }),
  rotate: body<RotateRequest>({
    requestId,
    graceSeconds: { type: "integer", minimum: 0, maximum: 604800 },
  }),
  revoke: body<RevokeRequest>({ reason: { enum: Object.keys(REASONS) } }),
};

// All fields are required, and there are no others.
function body<T>(properties: Record<keyof T, object>) {
  return {
    type: "object",
    properties,
    required: Object.keys(properties),
    additionalProperties: false,
  };
}
