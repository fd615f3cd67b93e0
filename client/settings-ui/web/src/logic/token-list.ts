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
  /** A token was made that belongs into the list. */
  | { type: "made"; token: Token }
  /** Any token was changed, of the list or not. */
  | { type: "changed"; token: Token };

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
    case "made": {
      const { token } = event;
      // It is there if it was loaded before the reply to its creation came.
      const others = list.tokens.filter(({ id }) => id !== token.id);
      return { ...list, tokens: [token, ...others] };
    }
    case "changed": {
      // It stays also where the filter does not fit it any more, until the next
      // load: what a person has just changed must not vanish.
      const { token } = event;
      const tokens = list.tokens.map((other) =>
        other.id === token.id ? token : other,
      );
      return { ...list, tokens };
    }
  }
}
