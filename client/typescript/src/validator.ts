/** What deciding on a token takes: the interface that all middleware needs. */
import type { Verdict } from "./gen/wemasy/tokens/v1/auth_service.js";

/** What a route asks of a token. */
export interface Requirements {
  /** The token must have them all; at most 64. */
  readonly scopes?: readonly string[] | undefined;
  /** The project that the token must be of, `projects/{project}`; any if unset. */
  readonly project?: string | undefined;
}

/** Which token it is, and what for. Never has the secret. */
export interface TokenIdentity {
  /** The token's resource name, `projects/{project}/tokens/{token}`. */
  readonly name: string;
  /** The token's project, `projects/{project}`. */
  readonly project: string;
  /** The platform's user id of whoever created the token. */
  readonly creator: string;
  /** The token's scopes, sorted. */
  readonly scopes: readonly string[];
  /** The token's metadata. */
  readonly metadata: Readonly<Record<string, string>>;
  /** From when on the token will be refused as expired; unset for never. */
  readonly expireTime?: Date | undefined;
}

/** A decision: a token that may be used, or why it may not. */
export type Validation =
  | { readonly verdict: Verdict.VALID; readonly identity: TokenIdentity }
  | {
      readonly verdict: Exclude<Verdict, Verdict.VALID>;
      /** The token's resource name, if the service knows the token. */
      readonly tokenName?: string | undefined;
    };

/** How to make a call. */
export interface CallOptions {
  /** Ends the call early; it then rejects with the signal's reason. */
  readonly signal?: AbortSignal | undefined;
  /** How long the call may take, all attempts together. */
  readonly timeoutMs?: number | undefined;
}

/**
 * Decides whether tokens may be used. `connect()` has one that asks the
 * service; `FakeValidator` is one for tests. Any number of calls may be under
 * way at once.
 */
export interface Validator {
  /**
   * Decides whether `token`, any text, may be used. A refusal is a verdict.
   * The answer is true when it is given: do not keep it.
   *
   * Rejects if nobody could say: refuse the request then. The error's `code`
   * is INVALID_ARGUMENT if the requirements are malformed.
   */
  validate(
    token: string,
    requirements?: Requirements,
    options?: CallOptions,
  ): Promise<Validation>;
}
