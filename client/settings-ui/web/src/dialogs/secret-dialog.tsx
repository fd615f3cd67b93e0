import { useId, useLayoutEffect, useRef, useState } from "preact/hooks";

import type { Issued } from "../api/client.js";
import {
  Button,
  CheckIcon,
  Name,
  Notice,
  Time,
} from "../components/controls.js";
import { Dialog } from "../components/dialog.js";
import { isolated, useTranslator } from "../i18n/translator.js";
import { useLeaveWarning } from "../page/use-leave-warning.js";

/** How the secret came to be. */
export type SecretKind = "created" | "rotated" | "replaced";

interface Props {
  issued: Issued;
  kind: SecretKind;
  onClose: () => void;
}

/** Shows a secret, this once. */
export function SecretDialog({ issued, kind, onClose }: Props) {
  const translator = useTranslator();
  const { token, secret } = issued;
  const field = useRef<HTMLTextAreaElement>(null);
  const onceId = useId();
  const [copy, setCopy] = useState<"none" | "copied" | "refused">("none");
  const [isLeaving, setLeaving] = useState(false);
  const isCopied = copy === "copied";
  useLeaveWarning(!isCopied);

  // The secret is written into the field itself, so that no element of the
  // virtual DOM, and no attribute, ever has it.
  useLayoutEffect(() => {
    const element = field.current;
    if (element) element.value = secret.reveal();
    return () => {
      if (element) element.value = "";
      secret.wipe();
    };
  }, [secret]);

  // A page that goes into the back-forward cache comes back without it.
  // From when it is shown, not from the next frame on.
  useLayoutEffect(() => {
    const hide = () => {
      if (field.current) field.current.value = "";
      secret.wipe();
      onClose();
    };
    addEventListener("pagehide", hide);
    return () => {
      removeEventListener("pagehide", hide);
    };
  }, [secret, onClose]);

  async function copySecret() {
    try {
      await navigator.clipboard.writeText(secret.reveal());
      setCopy("copied");
    } catch {
      // The browser, or the person, does not allow it.
      field.current?.focus();
      field.current?.select();
      setCopy("refused");
    }
  }

  function close() {
    if (isCopied) onClose();
    else setLeaving(true);
  }

  return (
    <Dialog
      title={translator.text(`secret.${kind}.title`)}
      describedBy={onceId}
      onDismiss={close}
    >
      <p class="dialog-name">
        <Name>{token.displayName}</Name>
      </p>
      <p id={onceId} class="dialog-text">
        {translator.text("secret.once")}
      </p>
      <div class="secret">
        <textarea
          ref={field}
          class="secret-field"
          aria-label={translator.text("secret.label", {
            name: isolated(token.displayName),
          })}
          readOnly
          rows={1}
          dir="ltr"
          autocomplete="off"
          spellcheck={false}
          onFocus={({ currentTarget }) => {
            currentTarget.select();
          }}
          onCopy={({ currentTarget }) => {
            if (isAllSelected(currentTarget)) setCopy("copied");
          }}
        />
        <Button kind="primary" hasFirstFocus onPress={() => void copySecret()}>
          {translator.text("secret.copy")}
        </Button>
      </div>
      <p role="status" class="copy-status">
        {copy === "copied" && (
          <span class="copied">
            <CheckIcon />
            {translator.text("secret.copied")}
          </span>
        )}
        {copy === "refused" && translator.text("secret.selected")}
      </p>
      <Notice kind="info">
        <ul class="plain-list">
          <li>{translator.text("secret.advice.share")}</li>
          <li>{translator.text("secret.advice.keep")}</li>
          {kind === "rotated" && (
            <li>
              {token.oldSecretExpireTime === null
                ? translator.text("secret.oldGone")
                : translator.rich("secret.oldEnd", {
                    time: <Time time={token.oldSecretExpireTime} />,
                  })}
            </li>
          )}
        </ul>
      </Notice>
      <div class="dialog-actions">
        <Button kind="plain" onPress={close}>
          {translator.text("done")}
        </Button>
      </div>
      {isLeaving && (
        <LeaveQuestion
          onStay={() => {
            setLeaving(false);
          }}
          onLeave={onClose}
        />
      )}
    </Dialog>
  );
}

/** Part of a secret is of no use to anybody. */
function isAllSelected(field: HTMLTextAreaElement): boolean {
  const { selectionStart, selectionEnd, value } = field;
  return selectionStart === 0 && selectionEnd === value.length;
}

function LeaveQuestion(props: { onStay: () => void; onLeave: () => void }) {
  const translator = useTranslator();
  const textId = useId();
  return (
    <Dialog
      isQuestion
      title={translator.text("leave.title")}
      describedBy={textId}
      onDismiss={props.onStay}
    >
      <p id={textId} class="dialog-text">
        {translator.text("leave.text")}
      </p>
      <div class="dialog-actions">
        <Button kind="plain" hasFirstFocus onPress={props.onStay}>
          {translator.text("leave.stay")}
        </Button>
        <Button kind="danger" onPress={props.onLeave}>
          {translator.text("leave.close")}
        </Button>
      </div>
    </Dialog>
  );
}
