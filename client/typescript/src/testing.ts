/** A validator for tests of what the middleware protects: needs no server. */
import { status } from "@grpc/grpc-js";

import { TokensError } from "./error.js";
import { Verdict } from "./gen/wemasy/tokens/v1/auth_service.js";
import type {
  Requirements,
  TokenIdentity,
  Validation,
  Validator,
} from "./validator.js";

/**
 * Decides as the service does, on tokens that it is given. Any text may be a
 * token. Rejects malformed requirements, so that tests find them.
 */
export class FakeValidator implements Validator {
  /** While true, nobody can say: validate rejects with UNAVAILABLE. */
  unavailable = false;
  readonly #tokens = new Map<string, TokenIdentity>();
  readonly #revoked = new Set<string>();

  /**
   * Adds a token, and returns its identity: of the project `projects/test`,
   * without scopes, for ever, if `identity` does not say otherwise. In the place
   * of one that was added before, it is not revoked any more.
   */
  add(token: string, identity: Partial<TokenIdentity> = {}): TokenIdentity {
    const project = identity.project ?? "projects/test";
    const added = {
      name: `${project}/tokens/t${this.#tokens.size + 1}`,
      creator: "test",
      metadata: {},
      ...identity,
      project,
      scopes: [...(identity.scopes ?? [])].sort(),
    };
    this.#tokens.set(token, added);
    this.#revoked.delete(token);
    return added;
  }

  /**
   * Revokes a token: it is refused from now on.
   *
   * @throws Error if it was not added
   */
  revoke(token: string): void {
    if (!this.#tokens.has(token)) throw new Error("no such token was added");
    this.#revoked.add(token);
  }

  /** Decides on a token, as every Validator does. */
  // Async, so that it rejects and does not throw.
  // eslint-disable-next-line @typescript-eslint/require-await
  async validate(
    token: string,
    { scopes = [], project }: Requirements = {},
  ): Promise<Validation> {
    if (this.unavailable) {
      throw new TokensError("the fake is unavailable", status.UNAVAILABLE);
    }
    checkWellFormed(scopes, project);
    const identity = this.#tokens.get(token);
    if (!identity) return { verdict: Verdict.UNKNOWN };
    const refused = (verdict: Exclude<Verdict, Verdict.VALID>) => ({
      verdict,
      tokenName: identity.name,
    });
    if (this.#revoked.has(token)) return refused(Verdict.REVOKED);
    if (identity.expireTime && identity.expireTime.getTime() <= Date.now()) {
      return refused(Verdict.EXPIRED);
    }
    if (project && project !== identity.project) {
      return refused(Verdict.WRONG_PROJECT);
    }
    if (!scopes.every((scope) => identity.scopes.includes(scope))) {
      return refused(Verdict.INSUFFICIENT_SCOPE);
    }
    return { verdict: Verdict.VALID, identity };
  }
}

// The forms that token.proto gives.
const SCOPE = /^[a-z][a-z0-9_.:/-]{0,63}$/;
const PROJECT = /^projects\/[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/;

function checkWellFormed(scopes: readonly string[], project?: string): void {
  const isWellFormed =
    scopes.length <= 64 &&
    scopes.every((scope) => SCOPE.test(scope)) &&
    (!project || PROJECT.test(project));
  if (!isWellFormed) {
    throw new TokensError(
      "the requirements are malformed",
      status.INVALID_ARGUMENT,
    );
  }
}
