/** When tokens expire. Times are RFC 3339, in UTC. */

const DAY = 24 * 60 * 60 * 1000;
/** What the service allows. */
const MAX_YEARS = 10;
/**
 * How long a replacement may live. The service allows 3653 days by its own
 * clock, which may be behind.
 */
const MAX_REPLACEMENT_LIFETIME = 3652 * DAY;
/** What is chosen at first. */
export const DEFAULT_DAYS = 90;
/** The presets, in days. */
export const PRESET_DAYS = [7, 30, DEFAULT_DAYS, 365] as const;

export type Expiry =
  | { kind: "days"; days: number }
  /** To the end of a day of the person's calendar, `YYYY-MM-DD`. */
  | { kind: "date"; date: string }
  | { kind: "never" };

/** `YYYY-MM-DD` in the person's time zone, as date inputs want it. */
function asDate(time: Date): string {
  const digits = (value: number, length: number) =>
    String(value).padStart(length, "0");
  return [
    digits(time.getFullYear(), 4),
    digits(time.getMonth() + 1, 2),
    digits(time.getDate(), 2),
  ].join("-");
}

/** The first moment after a day; null if the text is no day. */
function endOf(date: string): Date | null {
  const [, year, month, day] = /^(\d{4})-(\d\d)-(\d\d)$/.exec(date) ?? [];
  if (year === undefined) return null;
  const end = new Date(Number(year), Number(month) - 1, Number(day));
  // Days such as 31 February are moved by Date.
  if (asDate(end) !== date) return null;
  end.setDate(end.getDate() + 1);
  return end;
}

/** The days from which `date` may be chosen: today to ten years ahead. */
export function dateRange(now: Date): { first: string; last: string } {
  const last = new Date(now);
  last.setFullYear(last.getFullYear() + MAX_YEARS);
  // The end of that day would be too late.
  last.setDate(last.getDate() - 1);
  return { first: asDate(now), last: asDate(last) };
}

export type DateFault = "missing" | "range";

export function faultOf(expiry: Expiry, now: Date): DateFault | null {
  if (expiry.kind !== "date") return null;
  if (!endOf(expiry.date)) return "missing";
  const { first, last } = dateRange(now);
  return expiry.date < first || expiry.date > last ? "range" : null;
}

/** Null for never, and for a date that is none. */
export function expireTimeOf(expiry: Expiry, now: Date): string | null {
  switch (expiry.kind) {
    case "days":
      return new Date(now.getTime() + expiry.days * DAY).toISOString();
    case "date":
      return endOf(expiry.date)?.toISOString() ?? null;
    case "never":
      return null;
  }
}

/**
 * When a token's replacement expires: it lives as long as the token would, which
 * may be longer than the service allows at once, if its end was moved.
 */
export function replacementExpireTime(
  { createTime, expireTime }: { createTime: string; expireTime: string | null },
  now: Date,
): string | null {
  if (expireTime === null) return null;
  const lifetime = Date.parse(expireTime) - Date.parse(createTime);
  const allowed = Math.min(lifetime, MAX_REPLACEMENT_LIFETIME);
  return new Date(now.getTime() + allowed).toISOString();
}
