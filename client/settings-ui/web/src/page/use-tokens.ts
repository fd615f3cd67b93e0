import {
  useCallback,
  useEffect,
  useReducer,
  useRef,
  useState,
} from "preact/hooks";

import type { Token, TokenState } from "../../../api/index.js";
import type { ApiClient } from "../api/client.js";
import { asFailure } from "../logic/failure.js";
import { type TokenList, updateList } from "../logic/token-list.js";

/** Which tokens to show; null for all. */
export type Filter = TokenState | null;

export interface Tokens {
  list: TokenList;
  filter: Filter;
  show: (filter: Filter) => void;
  /** Shows that it loads, for a person who asked for it. */
  retry: () => void;
  /** Keeps what is shown until there is something newer. */
  refresh: () => void;
  loadMore: () => void;
  /** A token of the list was changed. */
  change: (token: Token) => void;
  /** A token was made: it is shown, also if the filter says otherwise. */
  add: (token: Token) => void;
}

export function useTokens(client: ApiClient): Tokens {
  const [filter, setFilter] = useState<Filter>(null);
  const [list, dispatch] = useReducer(updateList, { status: "loading" });
  // An answer to an earlier question is dropped.
  const question = useRef(0);

  const refresh = useCallback(async () => {
    const asked = ++question.current;
    try {
      const page = await client.tokens(filter, null);
      if (asked === question.current) dispatch({ type: "loaded", page });
    } catch (thrown) {
      const failure = asFailure(thrown);
      if (asked === question.current) dispatch({ type: "failed", failure });
    }
  }, [client, filter]);

  const loadMore = useCallback(async () => {
    if (list.status !== "ready" || list.more === "loading") return;
    const asked = ++question.current;
    dispatch({ type: "more" });
    try {
      const page = await client.tokens(filter, list.cursor);
      if (asked === question.current) dispatch({ type: "moreLoaded", page });
    } catch (thrown) {
      const failure = asFailure(thrown);
      if (asked === question.current) dispatch({ type: "moreFailed", failure });
    }
  }, [client, filter, list]);

  useEffect(() => {
    dispatch({ type: "reset" });
    void refresh();
  }, [refresh]);

  const change = useCallback((token: Token) => {
    dispatch({ type: "changed", token });
  }, []);

  return {
    list,
    filter,
    show: setFilter,
    retry: () => {
      dispatch({ type: "reset" });
      void refresh();
    },
    refresh: () => void refresh(),
    loadMore: () => void loadMore(),
    change,
    add: (token) => {
      if (filter === null || filter === token.state) change(token);
      else setFilter(null);
    },
  };
}
