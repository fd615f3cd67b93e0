/** Small parts that dialogs and the list are made of. */
import type { ComponentChildren, Ref } from "preact";
import { useId } from "preact/hooks";

import { useTranslator } from "../i18n/translator.js";

interface ButtonProps {
  kind: "primary" | "danger" | "plain" | "quiet" | "quiet-danger";
  /** Does nothing, but keeps the focus. */
  isBusy?: boolean;
  isSubmit?: boolean;
  hasFirstFocus?: boolean;
  label?: string;
  describedBy?: string;
  buttonRef?: Ref<HTMLButtonElement>;
  onPress?: () => void;
  children: ComponentChildren;
}

export function Button(props: ButtonProps) {
  const { isBusy = false, onPress } = props;
  return (
    <button
      ref={props.buttonRef ?? null}
      type={props.isSubmit ? "submit" : "button"}
      class={`button button-${props.kind}`}
      aria-disabled={isBusy}
      aria-label={props.label}
      aria-describedby={props.describedBy}
      autofocus={props.hasFirstFocus}
      onClick={() => {
        if (!isBusy) onPress?.();
      }}
    >
      {props.children}
    </button>
  );
}

interface FieldProps {
  label: string;
  hint?: ComponentChildren;
  /** The hint warns. */
  isWarning?: boolean;
  /** What is wrong with what was entered. */
  fault?: string | undefined;
  /** Makes the control, with its id and the ids of what describes it. */
  children: (attributes: {
    id: string;
    "aria-describedby": string | undefined;
    "aria-invalid": boolean;
  }) => ComponentChildren;
}

export function Field(props: FieldProps) {
  const { label, hint, isWarning = false, fault, children } = props;
  const id = useId();
  const described = [fault && `${id}-fault`, hint && `${id}-hint`]
    .filter(Boolean)
    .join(" ");
  return (
    <div class="field">
      <label for={id} class="label">
        {label}
      </label>
      {children({
        id,
        "aria-describedby": described === "" ? undefined : described,
        "aria-invalid": fault !== undefined,
      })}
      {fault && <FieldFault id={`${id}-fault`} text={fault} />}
      {hint && (
        <p id={`${id}-hint`} class={isWarning ? "hint hint-warning" : "hint"}>
          {isWarning && <WarningIcon />}
          <span>{hint}</span>
        </p>
      )}
    </div>
  );
}

export function FieldFault({ id, text }: { id: string; text: string }) {
  return (
    <p id={id} class="fault">
      <WarningIcon />
      {text}
    </p>
  );
}

interface NoticeProps {
  kind: "info" | "warning" | "danger" | "success";
  /** Read out when it appears: at once, or when there is time. */
  announced?: "alert" | "status";
  noticeRef?: Ref<HTMLDivElement>;
  children: ComponentChildren;
}

export function Notice(props: NoticeProps) {
  const { kind, announced, noticeRef, children } = props;
  return (
    <div
      ref={noticeRef ?? null}
      class={`notice notice-${kind}`}
      role={announced}
    >
      <NoticeIcon kind={kind} />
      <div class="notice-text">{children}</div>
    </div>
  );
}

function NoticeIcon({ kind }: Pick<NoticeProps, "kind">) {
  if (kind === "success") return <CheckIcon />;
  return kind === "info" ? <InfoIcon /> : <WarningIcon />;
}

/** A name or a text that people chose: its direction is its own. */
export function Name({ children }: { children: string }) {
  return <bdi class="name">{children}</bdi>;
}

interface TimeProps {
  /** RFC 3339. */
  time: string;
  precision?: "day" | "minute" | "second";
}

export function Time({ time, precision = "minute" }: TimeProps) {
  const translator = useTranslator();
  return <time dateTime={time}>{translator.time(time, precision)}</time>;
}

function Icon({ children }: { children: ComponentChildren }) {
  return (
    <svg class="icon" viewBox="0 0 20 20" aria-hidden="true">
      {children}
    </svg>
  );
}

/** A sign in a circle. */
function RoundIcon({ path }: { path: string }) {
  return (
    <Icon>
      <circle cx="10" cy="10" r="8" />
      <path d={path} />
    </Icon>
  );
}

export function CheckIcon() {
  return <RoundIcon path="m6.5 10.5 2.5 2.5 4.5-5.5" />;
}

function InfoIcon() {
  return <RoundIcon path="M10 9.2v5M10 6v.2" />;
}

function WarningIcon() {
  return <RoundIcon path="M10 5.8v5M10 13.8v.2" />;
}

export function KeyIcon() {
  return (
    <Icon>
      <circle cx="6.5" cy="13.5" r="3.5" />
      <path d="m9 11 7.5-7.5M13 7l2.5 2.5" />
    </Icon>
  );
}
