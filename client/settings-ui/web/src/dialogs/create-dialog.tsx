import { useId, useLayoutEffect, useRef, useState } from "preact/hooks";

import type { CreateRequest } from "../../../api/index.js";
import type { Issued } from "../api/client.js";
import { Button, Field, FieldFault, Notice } from "../components/controls.js";
import { Dialog } from "../components/dialog.js";
import { FailureNotice } from "../components/failure-notice.js";
import { type MessageId, useTranslator } from "../i18n/translator.js";
import {
  type Draft,
  type Faults,
  faultsOf,
  refusedFields,
  requestOf,
  type TextFault,
  withoutFaults,
} from "../logic/creation.js";
import { DEFAULT_DAYS } from "../logic/expiry.js";
import type { Failure } from "../logic/failure.js";
import { useIssue } from "../page/use-issue.js";
import { ExpiryField } from "./expiry-field.js";

interface Props {
  scopes: readonly string[];
  send: (request: CreateRequest) => Promise<Issued>;
  onIssued: (issued: Issued) => void;
  /** `isUncertain`: a token may have been made all the same. */
  onCancel: (isUncertain: boolean) => void;
}

const EMPTY: Draft = {
  name: "",
  description: "",
  expiry: { kind: "days", days: DEFAULT_DAYS },
  scopes: [],
};

export function CreateDialog({ scopes, send, onIssued, onCancel }: Props) {
  const translator = useTranslator();
  const form = useRef<HTMLFormElement>(null);
  const submitButton = useRef<HTMLButtonElement>(null);
  const scopesId = useId();
  const [draft, setDraft] = useState(EMPTY);
  const [faults, setFaults] = useState<Faults>({});
  const issue = useIssue(send, onIssued);
  const { isBusy, isUncertain, failure } = issue;
  /** Counts those that ended, for the focus. */
  const [attempt, setAttempt] = useState(0);
  const hasFaults = Object.keys(faults).length > 0;

  // To where the first correction is needed.
  useLayoutEffect(() => {
    form.current
      ?.querySelector<HTMLElement>(
        "[aria-invalid=true], .fieldset-invalid input",
      )
      ?.focus();
  }, [attempt]);

  function change(changes: Partial<Draft>) {
    setDraft((before) => ({ ...before, ...changes }));
    setFaults((before) => withoutFaults(before, changes));
  }

  async function submit(event: Event) {
    event.preventDefault();
    if (isBusy) return;
    const found = isUncertain ? {} : faultsOf(draft, new Date());
    if (Object.keys(found).length === 0) {
      // Before its own control is disabled.
      submitButton.current?.focus();
      const reason = await issue.submit((requestId) =>
        requestOf(draft, requestId, new Date()),
      );
      if (reason) Object.assign(found, refusedFields(reason.fields));
    }
    setFaults(found);
    setAttempt((before) => before + 1);
  }

  function textFault(field: "name" | "description", fault?: TextFault) {
    if (fault?.kind === "tooLong") {
      return translator.text(`create.${field}.tooLong`, {
        count: fault.excess,
      });
    }
    if (fault?.kind === "empty") return translator.text("create.name.empty");
    return fault && translator.text(`create.${field}.refused`);
  }

  return (
    <Dialog
      title={translator.text("create.title")}
      onDismiss={() => {
        if (!isBusy) onCancel(isUncertain);
      }}
    >
      <p class="dialog-text">{translator.text("create.intro")}</p>
      {/* The page says what is wrong, in its own language. */}
      <form
        ref={form}
        noValidate
        autocomplete="off"
        onSubmit={(event) => void submit(event)}
      >
        <fieldset class="fields" disabled={isBusy || isUncertain}>
          <Field
            label={translator.text("create.name")}
            hint={translator.text("create.name.hint")}
            fault={textFault("name", faults.name)}
          >
            {(attributes) => (
              <input
                {...attributes}
                class="input"
                type="text"
                dir="auto"
                required
                autofocus
                value={draft.name}
                onInput={({ currentTarget }) => {
                  change({ name: currentTarget.value });
                }}
              />
            )}
          </Field>
          <Field
            label={translator.text("create.description")}
            hint={translator.text("create.description.hint")}
            fault={textFault("description", faults.description)}
          >
            {(attributes) => (
              <textarea
                {...attributes}
                class="input"
                rows={2}
                dir="auto"
                value={draft.description}
                onInput={({ currentTarget }) => {
                  change({ description: currentTarget.value });
                }}
              />
            )}
          </Field>
          <ExpiryField
            expiry={draft.expiry}
            fault={faults.expiry}
            onChange={(expiry) => {
              change({ expiry });
            }}
          />
          <fieldset
            class={`field ${faults.scopes ? "fieldset-invalid" : ""}`}
            aria-describedby={
              faults.scopes ? `${scopesId}-fault ${scopesId}` : scopesId
            }
          >
            <legend class="label">{translator.text("create.scopes")}</legend>
            <p id={scopesId} class="hint">
              {translator.text("create.scopes.hint")}
            </p>
            {faults.scopes && (
              <FieldFault
                id={`${scopesId}-fault`}
                text={translator.text("create.scopes.refused")}
              />
            )}
            <div class="choices">
              {scopes.map((scope) => (
                <label key={scope} class="choice">
                  <input
                    type="checkbox"
                    checked={draft.scopes.includes(scope)}
                    onChange={({ currentTarget }) => {
                      const others = draft.scopes.filter(
                        (other) => other !== scope,
                      );
                      change({
                        scopes: currentTarget.checked
                          ? [...others, scope]
                          : others,
                      });
                    }}
                  />
                  <code>{scope}</code>
                </label>
              ))}
            </div>
          </fieldset>
        </fieldset>
        {hasFaults && !isBusy && (
          <Notice kind="danger" announced="alert">
            <p>{translator.text("create.invalid")}</p>
          </Notice>
        )}
        {failure && !hasFaults && !isAboutFields(failure) && (
          <FailureNotice
            failure={failure}
            what={isUncertain ? "create.uncertain" : "create.failed"}
            why={whyCreationFailed(failure)}
          />
        )}
        <div class="dialog-actions">
          <Button
            kind="plain"
            isBusy={isBusy}
            onPress={() => {
              onCancel(isUncertain);
            }}
          >
            {translator.text("cancel")}
          </Button>
          <Button
            kind="primary"
            isSubmit
            isBusy={isBusy}
            buttonRef={submitButton}
          >
            {translator.text(
              isBusy ? "create.busy" : failure ? "retry" : "create.submit",
            )}
          </Button>
        </div>
      </form>
    </Dialog>
  );
}

function isAboutFields({ fields }: Failure): boolean {
  return Object.keys(refusedFields(fields)).length > 0;
}

/** Where the failure's own text would mislead. */
export function whyCreationFailed({ code }: Failure): MessageId | undefined {
  // A new token cannot have been revoked: its request is older than it may be.
  return code === "conflict" ? "create.tooLate" : undefined;
}
