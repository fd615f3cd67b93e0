import { useLayoutEffect, useRef } from "preact/hooks";

import { Button, KeyIcon } from "../components/controls.js";
import { FailureNotice } from "../components/failure-notice.js";
import { type MessageId, useTranslator } from "../i18n/translator.js";
import type { Revocations } from "../page/use-revocations.js";
import type { Filter, Tokens } from "../page/use-tokens.js";
import { TokenItem } from "./token-item.js";

type Props = Omit<Parameters<typeof TokenItem>[0], "token" | "revocation"> & {
  tokens: Tokens;
  revocations: Revocations;
};

export function TokenList({ tokens, revocations, onAction }: Props) {
  const translator = useTranslator();
  const { list, filter } = tokens;
  const items = useRef<HTMLUListElement>(null);
  const count = list.status === "ready" ? list.tokens.length : 0;
  const isAtEnd = list.status === "ready" && list.cursor === null;
  const isLoadingMore = list.status === "ready" && list.more === "loading";
  useFocusOnNext(items, count, isAtEnd, isLoadingMore);

  if (list.status === "loading") {
    return (
      <p class="list-state" role="status">
        {translator.text("list.loading")}
      </p>
    );
  }
  if (list.status === "failed") {
    return (
      <FailureNotice
        failure={list.failure}
        what="list.failed"
        onRetry={tokens.retry}
      />
    );
  }
  if (count === 0 && isAtEnd) return <EmptyList filter={filter} />;
  return (
    <>
      <p class="visually-hidden" role="status">
        {translator.text("list.shown", { count })}
      </p>
      <ul ref={items} class="tokens">
        {list.tokens.map((token) => (
          <TokenItem
            key={token.id}
            token={token}
            revocation={revocations.states.get(token.id)}
            onAction={onAction}
          />
        ))}
      </ul>
      {typeof list.more === "object" && (
        <FailureNotice failure={list.more} what="list.more.failed" />
      )}
      {!isAtEnd && (
        <div class="list-more">
          <Button kind="plain" isBusy={isLoadingMore} onPress={tokens.loadMore}>
            {translator.text(
              isLoadingMore
                ? "list.more.busy"
                : typeof list.more === "object"
                  ? "retry"
                  : "list.more",
            )}
          </Button>
        </div>
      )}
    </>
  );
}

/** When the button for more is gone, the focus goes to the first new token. */
function useFocusOnNext(
  items: { current: HTMLUListElement | null },
  count: number,
  isAtEnd: boolean,
  isLoading: boolean,
) {
  const before = useRef({ count, isLoading });
  useLayoutEffect(() => {
    const { current } = before;
    before.current = { count, isLoading };
    if (!current.isLoading || isLoading || !isAtEnd) return;
    const next = items.current?.children.item(current.count);
    next?.querySelector<HTMLElement>("h3")?.focus();
  }, [items, count, isAtEnd, isLoading]);
}

function EmptyList({ filter }: { filter: Filter }) {
  const translator = useTranslator();
  if (filter !== null) {
    return (
      <p class="list-state" role="status">
        {translator.text(`list.empty.${filter}`)}
      </p>
    );
  }
  return (
    <div class="list-state" role="status">
      <KeyIcon />
      <p class="list-state-title">{translator.text("list.empty.title")}</p>
      <p>{translator.text("list.empty.text")}</p>
    </div>
  );
}

const FILTERS: readonly { filter: Filter; label: MessageId }[] = [
  { filter: null, label: "list.filter.all" },
  { filter: "active", label: "list.filter.active" },
  { filter: "expired", label: "list.filter.expired" },
  { filter: "revoked", label: "list.filter.revoked" },
];

export function FilterChoice({
  filter,
  show,
}: Pick<Tokens, "filter" | "show">) {
  const translator = useTranslator();
  return (
    <fieldset class="filter">
      <legend class="visually-hidden">{translator.text("list.filter")}</legend>
      {FILTERS.map((choice) => (
        <label key={choice.label} class="filter-choice">
          <input
            type="radio"
            name="filter"
            checked={choice.filter === filter}
            onChange={() => {
              show(choice.filter);
            }}
          />
          <span>{translator.text(choice.label)}</span>
        </label>
      ))}
    </fieldset>
  );
}
