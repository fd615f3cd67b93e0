/**
 * What the page and its backend say to each other: JSON over HTTP, below
 * `/projects/{project}/api-access/api`.
 *
 * | request                          | body            | reply               |
 * | -------------------------------- | --------------- | ------------------- |
 * | `GET session`                    |                 | 200 Session         |
 * | `GET tokens?state=&cursor=`      |                 | 200 TokenPage       |
 * | `GET tokens/{id}`                |                 | 200 Token           |
 * | `POST tokens`                    | CreateRequest   | 201 IssuedToken     |
 * | `POST tokens/{id}/rotate`        | RotateRequest   | 200 IssuedToken     |
 * | `POST tokens/{id}/revoke`        | RevokeRequest   | 200 or 202 Revocation |
 *
 * Who is not signed in goes to `/projects/{project}/api-access/sign-in`, which
 * leads to the platform's sign-in, and from there back to the page.
 *
 * A POST needs the header `x-csrf-token` with the session's value, and comes
 * from the page's own origin. Every other reply is a Problem, as
 * `application/problem+json` (RFC 9457). Times are RFC 3339, in UTC.
 */

/** Who is signed in, and what the page has to know before it shows anything. */
export interface Session {
  /** The project's id, as in the address. */
  project: string;
  /** The platform's id of the person. */
  user: string;
  /** To be sent as `x-csrf-token`. */
  csrfToken: string;
  /** When the person has to sign in again. */
  expireTime: string;
  /** The scopes that the platform offers, in the order in which to show them. */
  scopes: string[];
}

/** `inactive`: it may not be used, and the backend does not know more. */
export type TokenState = "active" | "expired" | "revoked" | "inactive";

/** The states that a list can be of. */
export type ListedState = Exclude<TokenState, "inactive">;

/** A token of the project, without its secret. */
export interface Token {
  /** The last part of its resource name. */
  id: string;
  displayName: string;
  description: string;
  /** The last characters of its secret. */
  hint: string;
  state: TokenState;
  scopes: string[];
  createTime: string;
  creator: string;
  /** Null for never. */
  expireTime: string | null;
  /** To the minute; null for never. */
  lastUsedTime: string | null;
  /** Null if it was not revoked. */
  revokeTime: string | null;
  /** When the secret before the last rotation stops working; null if none. */
  oldSecretExpireTime: string | null;
  oldSecretLastUsedTime: string | null;
}

/** Some tokens, newest first. */
export interface TokenPage {
  tokens: Token[];
  /** To be sent as `cursor` for what follows; null at the end. */
  nextCursor: string | null;
}

export interface CreateRequest {
  /** A UUID drawn once for a form, so that sending it again makes no second
   * token. */
  requestId: string;
  displayName: string;
  description: string;
  scopes: string[];
  /** Null for a token that never expires. */
  expireTime: string | null;
}

export interface RotateRequest {
  /** A UUID drawn once for a form. */
  requestId: string;
  /** How long the old secret goes on working: 0 to 7 days. */
  graceSeconds: number;
}

/** The one reply that has a secret in it. */
export interface IssuedToken {
  token: Token;
  secret: string;
}

export type RevokeReason =
  "unused" | "superseded" | "compromised" | "offboarded" | "other";

export interface RevokeRequest {
  reason: RevokeReason;
}

/**
 * What became of a revocation. The token is revoked for good, whatever the
 * status; sending the same request again is safe, and waits again.
 */
export type Revocation =
  /** 200: nobody says valid any more. */
  | { status: "confirmed"; token: Token; confirmTime: string }
  /** 202: durable, but not every server has said so yet. Ask again. */
  | { status: "confirming"; tokenId: string };

/** Why a request was refused. */
export type ProblemCode =
  /** 400: `fields` says what is wrong. */
  | "invalid"
  /** 401: nobody is signed in, or not any more. */
  | "signed-out"
  /** 403: the request did not come from the page. */
  | "forbidden"
  /** 404: no such token or project, or not this person's. */
  | "not-found"
  /** 409: the token's state does not allow it, as it was revoked meanwhile. */
  | "conflict"
  /** 409: the project has as many live tokens as it may have. */
  | "limit"
  /** 409: the token's metadata is new, and there is no room for more. */
  | "metadata-limit"
  /** 429: too many requests. */
  | "busy"
  /** 503: the token service is away; try again. */
  | "unavailable"
  /** 500: a fault of the backend or the service. */
  | "internal";

export interface Problem {
  /** `about:blank`. */
  type: string;
  status: number;
  /** The status's own words, in English. People read the page's messages. */
  title: string;
  code: ProblemCode;
  /** For `invalid`. */
  fields?: {
    field: keyof CreateRequest | keyof RotateRequest | "reason";
    problem: string;
  }[];
  /** To be given to whoever runs the service. */
  requestId: string;
}
