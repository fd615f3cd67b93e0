/** Which tokens are hardly missed. */
import type { Token } from "../../../api/index.js";

const DAY = 24 * 60 * 60 * 1000;
/** After how many days without use the page advises to revoke. */
const UNUSED_DAYS = 90;

/**
 * For how many days an active token was not used, counted from its creation if
 * it never was; null if that is too short to speak of.
 */
export function unusedDays(
  { state, createTime, lastUsedTime }: Token,
  now: Date,
): number | null {
  if (state !== "active") return null;
  const since = Date.parse(lastUsedTime ?? createTime);
  const days = Math.floor((now.getTime() - since) / DAY);
  return days >= UNUSED_DAYS ? days : null;
}
