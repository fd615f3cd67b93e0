import type { Token } from "../../api/index.js";

/** A token of the list, with some fields of its own. */
export function token(fields: Partial<Token> = {}): Token {
  return {
    id: "t1",
    displayName: "Backup",
    description: "",
    hint: "x3Fk",
    state: "active",
    scopes: [],
    createTime: "2026-11-01T00:00:00Z",
    creator: "user-7",
    expireTime: null,
    lastUsedTime: null,
    revokeTime: null,
    oldSecretExpireTime: null,
    oldSecretLastUsedTime: null,
    ...fields,
  };
}
