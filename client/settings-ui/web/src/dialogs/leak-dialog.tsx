import { useEffect, useId } from "preact/hooks";

import type { CreateRequest, Token } from "../../../api/index.js";
import type { Issued } from "../api/client.js";
import { Button, Name, Notice } from "../components/controls.js";
import { Dialog } from "../components/dialog.js";
import { FailureNotice } from "../components/failure-notice.js";
import { type MessageId, useTranslator } from "../i18n/translator.js";
import { lostScopes, replacementOf } from "../logic/creation.js";
import { isRevoked, type RevocationState } from "../logic/revocation.js";
import { useIssue } from "../page/use-issue.js";
import { whyCreationFailed } from "./create-dialog.js";

interface Props {
  token: Token;
  /** Those that the platform offers. */
  scopes: readonly string[];
  /** Has the offer read anew, as the page may be open for long. */
  onRefreshOffer: () => void;
  /** Of the token; undefined before it is begun. */
  revocation: RevocationState | undefined;
  /** Tells whether the token is revoked. */
  onRevoke: () => Promise<boolean>;
  send: (request: CreateRequest) => Promise<Issued>;
  onIssued: (issued: Issued) => void;
  /** `isUncertain`: a replacement may have been made all the same. */
  onClose: (isUncertain: boolean) => void;
}

type Progress = "pending" | "working" | "confirming" | "done";

/**
 * Revokes a token that leaked, then creates its replacement. What has failed is
 * tried again from there: a revocation does no harm twice, and the replacement
 * has one request id.
 */
export function LeakDialog(props: Props) {
  const { token, scopes, revocation, onRevoke, onRefreshOffer, onClose } =
    props;
  const translator = useTranslator();
  const textId = useId();
  const issue = useIssue(props.send, props.onIssued);
  const { failure, isUncertain } = issue;
  const isDead = isRevoked(revocation);
  const isRevoking = revocation?.status === "revoking";
  const isBusy = isRevoking || issue.isBusy;
  const revokeFailure = revocation?.status === "failed" && !isDead;
  const lost = lostScopes(token, scopes);

  useEffect(onRefreshOffer, [onRefreshOffer]);

  async function start() {
    if (!isDead && !(await onRevoke())) return;
    const reason = await issue.submit((requestId) =>
      replacementOf(token, scopes, requestId, new Date()),
    );
    if (reason?.isAboutEntries) onRefreshOffer();
  }

  function revokeProgress(): Progress {
    if (revocation?.status === "confirmed") return "done";
    if (isDead) return "confirming";
    return isRevoking ? "working" : "pending";
  }

  return (
    <Dialog
      isQuestion
      title={translator.rich("leak.title", {
        name: <Name>{token.displayName}</Name>,
      })}
      describedBy={textId}
      onDismiss={() => {
        if (!isBusy) onClose(isUncertain);
      }}
    >
      <p id={textId} class="dialog-text">
        {translator.text("leak.text")}
      </p>
      <ol class="steps" aria-live="polite">
        <Step text="leak.step.revoke" progress={revokeProgress()} />
        <Step
          text="leak.step.create"
          progress={issue.isBusy ? "working" : "pending"}
        />
      </ol>
      {lost.length > 0 && (
        <Notice kind="warning" announced="status">
          <p>{translator.text("leak.lost")}</p>
          <ul class="scopes">
            {lost.map((scope) => (
              <li key={scope}>
                <code>{scope}</code>
              </li>
            ))}
          </ul>
        </Notice>
      )}
      {revokeFailure && (
        <FailureNotice
          failure={revocation.failure}
          what={
            revocation.failure.isUncertain ? "revoke.failed" : "revoke.refused"
          }
        />
      )}
      {failure && (
        <FailureNotice
          failure={failure}
          what={isUncertain ? "leak.create.uncertain" : "leak.create.failed"}
          why={whyCreationFailed(failure)}
        />
      )}
      <div class="dialog-actions">
        <Button
          kind="plain"
          hasFirstFocus
          isBusy={isBusy}
          onPress={() => {
            onClose(isUncertain);
          }}
        >
          {translator.text(isDead ? "close" : "cancel")}
        </Button>
        <Button kind="danger" isBusy={isBusy} onPress={() => void start()}>
          {translator.text(
            issue.isBusy
              ? "leak.creating"
              : isRevoking
                ? "leak.revoking"
                : failure || revokeFailure
                  ? "retry"
                  : "leak.submit",
          )}
        </Button>
      </div>
    </Dialog>
  );
}

function Step({ text, progress }: { text: MessageId; progress: Progress }) {
  const translator = useTranslator();
  return (
    <li class={`step step-${progress}`}>
      <span>{translator.text(text)}</span>
      <span class="step-progress">{translator.text(`leak.${progress}`)}</span>
    </li>
  );
}
