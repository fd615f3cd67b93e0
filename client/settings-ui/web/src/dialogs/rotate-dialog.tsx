import { useId, useState } from "preact/hooks";

import type { RotateRequest, Token } from "../../../api/index.js";
import type { Issued } from "../api/client.js";
import { Button, Field, Name } from "../components/controls.js";
import { Dialog } from "../components/dialog.js";
import { FailureNotice } from "../components/failure-notice.js";
import { useTranslator } from "../i18n/translator.js";
import { useIssue } from "../page/use-issue.js";

/** How long the old secret may go on working, in seconds. */
const GRACE_SECONDS = [0, 3600, 86_400, 604_800] as const;
type GraceSeconds = (typeof GRACE_SECONDS)[number];
/** Long enough to bring the new secret to the integration. */
const DEFAULT_GRACE: GraceSeconds = 86_400;

interface Props {
  token: Token;
  send: (request: RotateRequest) => Promise<Issued>;
  onIssued: (issued: Issued) => void;
  /** `isUncertain`: the token may have a new secret all the same. */
  onCancel: (isUncertain: boolean) => void;
}

export function RotateDialog({ token, send, onIssued, onCancel }: Props) {
  const translator = useTranslator();
  const textId = useId();
  const [graceSeconds, setGrace] = useState<GraceSeconds>(DEFAULT_GRACE);
  const issue = useIssue(send, onIssued);
  const { isBusy, isUncertain, failure } = issue;
  const isAtOnce = graceSeconds === 0;

  return (
    <Dialog
      title={translator.rich("rotate.title", {
        name: <Name>{token.displayName}</Name>,
      })}
      describedBy={textId}
      onDismiss={() => {
        if (!isBusy) onCancel(isUncertain);
      }}
    >
      <div id={textId} class="dialog-text">
        <p>{translator.text("rotate.text")}</p>
        {token.oldSecretExpireTime !== null && (
          <p>{translator.text("rotate.replaces")}</p>
        )}
      </div>
      <fieldset class="fields" disabled={isBusy || isUncertain}>
        <Field
          label={translator.text("rotate.grace")}
          hint={translator.text(
            isAtOnce ? "rotate.grace.0.warning" : "rotate.grace.hint",
          )}
          isWarning={isAtOnce}
        >
          {(attributes) => (
            <select
              {...attributes}
              class="input"
              value={String(graceSeconds)}
              onChange={({ currentTarget: { value } }) => {
                setGrace(Number(value) as GraceSeconds);
              }}
            >
              {GRACE_SECONDS.map((seconds) => (
                <option key={seconds} value={String(seconds)}>
                  {translator.text(`rotate.grace.${seconds}`)}
                </option>
              ))}
            </select>
          )}
        </Field>
      </fieldset>
      {failure && (
        <FailureNotice
          failure={failure}
          what={isUncertain ? "rotate.uncertain" : "rotate.failed"}
          why={
            isUncertain && failure.code === "conflict"
              ? "rotate.tooLate"
              : undefined
          }
        />
      )}
      <div class="dialog-actions">
        <Button
          kind="plain"
          hasFirstFocus
          isBusy={isBusy}
          onPress={() => {
            onCancel(isUncertain);
          }}
        >
          {translator.text("cancel")}
        </Button>
        <Button
          kind="primary"
          isBusy={isBusy}
          onPress={() => {
            void issue.submit((requestId) => ({ requestId, graceSeconds }));
          }}
        >
          {translator.text(
            isBusy ? "rotate.busy" : failure ? "retry" : "rotate.submit",
          )}
        </Button>
      </div>
    </Dialog>
  );
}
