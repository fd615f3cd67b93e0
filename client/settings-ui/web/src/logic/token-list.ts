/** The tokens that the page shows. */
import type { Token, TokenPage } from "../../../api/index.js";
import type { Failure } from "./failure.js";

export type TokenList =
  | { status: "loading" }
  | { status: "failed"; failure: Failure }
  | {
      status: "ready";
      tokens: readonly Token[];
      /** Null at the end. */
      cursor: string | null;
      /** How loading what follows goes. */
      more: "idle" | "loading" | Failure;
    };

export type ListEvent =
  | { type: "reset" }
  | { type: "failed"; failure: Failure }
  | { type: "loaded"; page: TokenPage }
  | { type: "more" }
  | { type: "moreFailed"; failure: Failure }
  | { type: "moreLoaded"; page: TokenPage }
  /** A token was made or changed. */
  | { type: "changed"; token: Token };

function replaceOrPrepend(tokens: readonly Token[], token: Token): Token[] {
  const isShown = tokens.some(({ id }) => id === token.id);
  if (!isShown) return [token, ...tokens];
  return tokens.map((other) => (other.id === token.id ? token : other));
}

export function updateList(list: TokenList, event: ListEvent): TokenList {
  switch (event.type) {
    case "reset":
      return { status: "loading" };
    case "failed":
      return { status: "failed", failure: event.failure };
    case "loaded": {
      const { tokens, nextCursor } = event.page;
      return { status: "ready", tokens, cursor: nextCursor, more: "idle" };
    }
  }
  // Without a list there is nothing to change: the next load shows it.
  if (list.status !== "ready") return list;
  switch (event.type) {
    case "more":
      return { ...list, more: "loading" };
    case "moreFailed":
      return { ...list, more: event.failure };
    case "moreLoaded": {
      // A token that was made meanwhile is there already.
      const known = new Set(list.tokens.map(({ id }) => id));
      const next = event.page.tokens.filter(({ id }) => !known.has(id));
      return {
        status: "ready",
        tokens: [...list.tokens, ...next],
        cursor: event.page.nextCursor,
        more: "idle",
      };
    }
    case "changed":
      return { ...list, tokens: replaceOrPrepend(list.tokens, event.token) };
  }
}
