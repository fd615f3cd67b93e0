import { Field, Time } from "../components/controls.js";
import { useTranslator } from "../i18n/translator.js";
import type { Faults } from "../logic/creation.js";
import {
  dateRange,
  type Expiry,
  expireTimeOf,
  PRESET_DAYS,
} from "../logic/expiry.js";

const YEAR = 365;

interface Props {
  expiry: Expiry;
  fault: Faults["expiry"];
  onChange: (expiry: Expiry) => void;
}

/** Chooses when a token expires. */
export function ExpiryField({ expiry, fault, onChange }: Props) {
  const translator = useTranslator();
  const now = new Date();
  const range = dateRange(now);
  const expireTime = expireTimeOf(expiry, now);

  const faultText =
    fault === "range"
      ? translator.text("create.date.range", {
          first: translator.time(`${range.first}T12:00:00`, "day"),
          last: translator.time(`${range.last}T12:00:00`, "day"),
        })
      : fault === "missing"
        ? translator.text("create.date.missing")
        : fault && translator.text("create.expiry.refused");

  function hint() {
    if (expiry.kind === "never")
      return translator.text("create.expiry.warning");
    if (expireTime === null) return undefined;
    return translator.rich("create.expiry.on", {
      time: <Time time={expireTime} />,
    });
  }

  return (
    <>
      <Field
        label={translator.text("create.expiry")}
        hint={hint()}
        isWarning={expiry.kind === "never"}
        fault={expiry.kind === "date" ? undefined : faultText}
      >
        {(attributes) => (
          <select
            {...attributes}
            class="input"
            value={expiry.kind === "days" ? String(expiry.days) : expiry.kind}
            onChange={({ currentTarget: { value } }) => {
              if (value === "never") onChange({ kind: "never" });
              else if (value === "date") onChange({ kind: "date", date: "" });
              else onChange({ kind: "days", days: Number(value) });
            }}
          >
            {PRESET_DAYS.map((days) => (
              <option key={days} value={String(days)}>
                {days === YEAR
                  ? translator.text("create.expiry.year")
                  : translator.text("create.expiry.days", { days })}
              </option>
            ))}
            <option value="date">
              {translator.text("create.expiry.date")}
            </option>
            <option value="never">
              {translator.text("create.expiry.never")}
            </option>
          </select>
        )}
      </Field>
      {expiry.kind === "date" && (
        <Field label={translator.text("create.date")} fault={faultText}>
          {(attributes) => (
            <input
              {...attributes}
              class="input"
              type="date"
              min={range.first}
              max={range.last}
              value={expiry.date}
              onChange={({ currentTarget }) => {
                onChange({ kind: "date", date: currentTarget.value });
              }}
            />
          )}
        </Field>
      )}
    </>
  );
}
