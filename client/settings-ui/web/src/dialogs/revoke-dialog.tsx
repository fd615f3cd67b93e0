import { useId, useState } from "preact/hooks";

import type { RevokeReason, Token } from "../../../api/index.js";
import { Button, Field, Name, Notice, Time } from "../components/controls.js";
import { Dialog } from "../components/dialog.js";
import { FailureNotice } from "../components/failure-notice.js";
import { useTranslator } from "../i18n/translator.js";
import { isRevoked, type RevocationState } from "../logic/revocation.js";

const REASONS: readonly RevokeReason[] = [
  "unused",
  "superseded",
  "compromised",
  "offboarded",
  "other",
];

interface Props {
  token: Token;
  /** Undefined before it is begun. */
  state: RevocationState | undefined;
  onRevoke: (reason: RevokeReason) => void;
  /** Revoke it and make another one. */
  onReplace: () => void;
  onClose: () => void;
}

export function RevokeDialog(props: Props) {
  const { token, state, onRevoke, onReplace, onClose } = props;
  const translator = useTranslator();
  const textId = useId();
  const [reason, setReason] = useState<RevokeReason>("unused");
  const isBusy = state?.status === "revoking";

  if (state && isRevoked(state)) {
    return (
      <Dialog
        key="result"
        title={translator.text(
          state.status === "confirmed"
            ? "revoke.confirmed.title"
            : "revoke.confirming.title",
        )}
        onDismiss={onClose}
      >
        <Result
          token={token}
          state={state}
          onRetry={() => {
            onRevoke(reason);
          }}
        />
        <div class="dialog-actions">
          <Button kind="primary" hasFirstFocus onPress={onClose}>
            {translator.text("close")}
          </Button>
        </div>
      </Dialog>
    );
  }
  return (
    <Dialog
      key="question"
      isQuestion
      title={translator.rich("revoke.title", {
        name: <Name>{token.displayName}</Name>,
      })}
      describedBy={textId}
      onDismiss={() => {
        if (!isBusy) onClose();
      }}
    >
      <p id={textId} class="dialog-text">
        {translator.text("revoke.text")}
      </p>
      <Field label={translator.text("revoke.reason")}>
        {(attributes) => (
          <select
            {...attributes}
            class="input"
            value={reason}
            onChange={({ currentTarget }) => {
              setReason(currentTarget.value as RevokeReason);
            }}
          >
            {REASONS.map((each) => (
              <option key={each} value={each}>
                {translator.text(`revoke.reason.${each}`)}
              </option>
            ))}
          </select>
        )}
      </Field>
      {reason === "compromised" && !isBusy && (
        <Notice kind="info" announced="status">
          <p>{translator.text("revoke.replace.hint")}</p>
          <Button kind="plain" onPress={onReplace}>
            {translator.text("revoke.replace")}
          </Button>
        </Notice>
      )}
      {state?.status === "failed" && (
        <FailureNotice
          failure={state.failure}
          what={state.failure.isUncertain ? "revoke.failed" : "revoke.refused"}
        />
      )}
      <div class="dialog-actions">
        <Button kind="plain" hasFirstFocus isBusy={isBusy} onPress={onClose}>
          {translator.text("cancel")}
        </Button>
        <Button
          kind="danger"
          isBusy={isBusy}
          onPress={() => {
            onRevoke(reason);
          }}
        >
          {translator.text(
            isBusy
              ? "revoke.busy"
              : state?.status === "failed"
                ? "retry"
                : "revoke.submit",
          )}
        </Button>
      </div>
    </Dialog>
  );
}

interface ResultProps {
  token: Token;
  state: RevocationState;
  onRetry: () => void;
}

/** What became of a revocation; read out when it changes. */
function Result({ token, state, onRetry }: ResultProps) {
  const translator = useTranslator();
  const name = <Name>{token.displayName}</Name>;
  if (state.status === "failed") {
    const { failure } = state;
    return (
      <FailureNotice
        failure={failure}
        what="revoke.stopped"
        onRetry={onRetry}
      />
    );
  }
  const isConfirmed = state.status === "confirmed";
  return (
    <Notice kind={isConfirmed ? "success" : "info"} announced="status">
      <p>
        {isConfirmed
          ? translator.rich("revoke.confirmed.text", {
              name,
              time: <Time time={state.confirmTime} precision="second" />,
            })
          : translator.rich("revoke.confirming.text", { name })}
      </p>
    </Notice>
  );
}
