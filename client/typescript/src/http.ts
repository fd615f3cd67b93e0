/** What the middleware for HTTP has in common. */
import type { IncomingMessage } from "node:http";

import { type HeaderField, presentedTokens } from "./credential.js";
import type { Refusal } from "./guard.js";

/**
 * Returns what a request presents. Reads the raw headers, as Node keeps only
 * the first of several `Authorization` in the others.
 */
export function tokensOf(
  { rawHeaders }: Pick<IncomingMessage, "rawHeaders">,
  tokenHeaders: readonly string[],
): string[] {
  const fields: HeaderField[] = [];
  for (let i = 0; i < rawHeaders.length; i += 2) {
    fields.push([rawHeaders[i] ?? "", rawHeaders[i + 1] ?? ""]);
  }
  return presentedTokens(fields, tokenHeaders);
}

/** The headers of the response to a request that is refused. */
export function headersOf(refusal: Refusal): Record<string, string> {
  return {
    "Content-Type": "application/json",
    "Cache-Control": "no-store",
    ...(refusal.challenge && { "WWW-Authenticate": refusal.challenge }),
    ...(refusal.status === 503 && { "Retry-After": "1" }),
  };
}

/** The body of the response to a request that is refused. */
export function bodyOf(refusal: Refusal): string {
  return `${JSON.stringify({ error: refusal.message })}\n`;
}
