import { useCallback, useEffect, useReducer, useState } from "preact/hooks";

import type { ListedState, Token } from "../../../api/index.js";
import type { ApiClient } from "../api/client.js";
import { Failure } from "../logic/failure.js";
import { Latest } from "../logic/latest.js";
import { type TokenList, updateList } from "../logic/token-list.js";

/** Which tokens to show; null for all. */
export type Filter = ListedState | null;

export interface Tokens {
  list: TokenList;
  filter: Filter;
  show: (filter: Filter) => void;
  /** Shows that it loads, for a person who asked for it. */
  retry: () => void;
  /** Keeps what is shown until there is something newer. */
  refresh: () => void;
  loadMore: () => void;
  /** A token was changed; it may be in the list. */
  change: (token: Token) => void;
  /** A token was made: it is shown, also if the filter says otherwise. */
  add: (token: Token) => void;
}

export function useTokens(client: ApiClient): Tokens {
  const [filter, setFilter] = useState<Filter>(null);
  const [list, dispatch] = useReducer(updateList, { status: "loading" });
  const [latest] = useState(() => new Latest());

  const refresh = useCallback(async () => {
    const page = await latest.answer(() => client.tokens(filter, null));
    if (page instanceof Failure) dispatch({ type: "failed", failure: page });
    else if (page) dispatch({ type: "loaded", page });
  }, [client, filter, latest]);

  const loadMore = useCallback(async () => {
    if (list.status !== "ready" || list.more === "loading") return;
    const { cursor } = list;
    dispatch({ type: "more" });
    const page = await latest.answer(() => client.tokens(filter, cursor));
    if (page instanceof Failure) {
      dispatch({ type: "moreFailed", failure: page });
    } else if (page) dispatch({ type: "moreLoaded", page });
  }, [client, filter, latest, list]);

  useEffect(() => {
    dispatch({ type: "reset" });
    void refresh();
  }, [refresh]);

  const change = useCallback(
    (token: Token) => {
      latest.outdate();
      dispatch({ type: "changed", token });
    },
    [latest],
  );

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
      latest.outdate();
      if (filter === null || filter === token.state) {
        dispatch({ type: "made", token });
      } else setFilter(null);
    },
  };
}
