/** The service's tokens, as the browser is shown them. */
import {
  RevokeReason,
  type Token as ServiceToken,
  TokenState,
} from "@wemasy/tokens";

import type {
  ListedState,
  RevokeReason as ApiReason,
  Token,
  TokenState as ApiState,
} from "../api/index.js";

// Null for what the service never says. A state that it knows and we do not is
// not active: so the version policy in CHANGELOG.md has it.
const STATES: Record<TokenState, ApiState | null> = {
  [TokenState.ACTIVE]: "active",
  [TokenState.EXPIRED]: "expired",
  [TokenState.REVOKED]: "revoked",
  [TokenState.UNRECOGNIZED]: "inactive",
  [TokenState.UNSPECIFIED]: null,
};

/** The list filter for each state. */
export const FILTERS: Record<ListedState, string> = {
  active: "state = ACTIVE",
  expired: "state = EXPIRED",
  revoked: "state = REVOKED",
};

/** The service's names of the reasons that a person may give. */
export const REASONS: Record<ApiReason, RevokeReason> = {
  unused: RevokeReason.UNUSED,
  superseded: RevokeReason.SUPERSEDED,
  compromised: RevokeReason.COMPROMISED,
  offboarded: RevokeReason.OFFBOARDED,
  other: RevokeReason.OTHER,
};

/** Throws if the reply is none that the service gives. */
export function toToken(token: ServiceToken | undefined): Token {
  const state = token && STATES[token.state];
  if (!state) throw new Error("a reply without a token, or without its state");
  return {
    id: token.name.slice(token.name.lastIndexOf("/") + 1),
    displayName: token.displayName,
    description: token.description,
    hint: token.hint,
    state,
    scopes: token.scopes,
    createTime: toTime(token.createTime),
    creator: token.creator,
    expireTime: token.expireTime?.toISOString() ?? null,
    lastUsedTime: token.lastUsedTime?.toISOString() ?? null,
    revokeTime: token.revokeTime?.toISOString() ?? null,
    oldSecretExpireTime: token.oldSecretExpireTime?.toISOString() ?? null,
    oldSecretLastUsedTime: token.oldSecretLastUsedTime?.toISOString() ?? null,
  };
}

/** A time that is always there. */
export function toTime(time: Date | undefined): string {
  if (!time) throw new Error("a reply without a time that is always there");
  return time.toISOString();
}
