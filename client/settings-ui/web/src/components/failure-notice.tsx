import { useLayoutEffect, useRef } from "preact/hooks";

import { signInAddress } from "../api/address.js";
import { type MessageId, useTranslator } from "../i18n/translator.js";
import type { Failure } from "../logic/failure.js";
import { Button, Notice } from "./controls.js";

interface Props {
  failure: Failure;
  /** What did not succeed. */
  what: MessageId;
  /** Instead of the failure's own text. */
  why?: MessageId | undefined;
  onRetry?: () => void;
}

/** Says what failed and why, and what to do. */
export function FailureNotice({ failure, what, why, onRetry }: Props) {
  const translator = useTranslator();
  const notice = useRef<HTMLDivElement>(null);
  // A long form may have it below what is seen.
  useLayoutEffect(() => {
    notice.current?.scrollIntoView({ block: "nearest" });
  }, [failure]);
  return (
    <Notice kind="danger" announced="alert" noticeRef={notice}>
      <p class="notice-title">{translator.text(what)}</p>
      <p>{translator.text(why ?? `failure.${failure.code}`)}</p>
      {failure.code === "internal" && failure.reference !== "" && (
        <p class="hint">
          {translator.rich("failure.reference", {
            reference: <code>{failure.reference}</code>,
          })}
        </p>
      )}
      {failure.code === "signed-out" && (
        <p>
          <a href={signInAddress()} target="_blank" rel="noopener">
            {translator.text("signIn.again")}
          </a>
        </p>
      )}
      {onRetry && (
        <Button kind="plain" onPress={onRetry}>
          {translator.text("retry")}
        </Button>
      )}
    </Notice>
  );
}
