/** Which token a request presents (RFC 6750, section 2.1). */

/** A header's name, in any case, and its value. */
export type HeaderField = readonly [name: string, value: string];

/**
 * Returns all that the headers present as a token: nothing if there is no
 * credential. One that is not a token, or more than one, is for isUsable to
 * refuse.
 *
 * @param tokenHeaders names of headers, besides `Authorization`, that hold a
 *   token and nothing else, as normalized returns them
 */
export function presentedTokens(
  fields: Iterable<HeaderField>,
  tokenHeaders: readonly string[],
): string[] {
  const presented: string[] = [];
  for (const [name, value] of fields) {
    const header = name.toLowerCase();
    if (header === "authorization") {
      // Other schemes are none of our business.
      if (mentionsBearer(value)) presented.push(value.replace(BEARER, ""));
    } else if (tokenHeaders.includes(header)) {
      presented.push(value);
    }
  }
  return presented;
}

/**
 * Returns the names of headers in lower case, and each once: two would be two
 * credentials. `Authorization` is read in any case, and left out.
 */
export function normalized(tokenHeaders: readonly string[] = []): string[] {
  const names = new Set(tokenHeaders.map((name) => name.toLowerCase()));
  names.delete("authorization");
  return [...names];
}

/**
 * Whether what is presented is one token. Two are refused even if they are
 * equal, since whoever comes later may choose the other one.
 */
export function isUsable(presented: string[]): presented is [string] {
  return presented.length === 1 && /^[^ \t,]+$/.test(presented[0] ?? "");
}

const BEARER = /^bearer(?: +|$)/i;

// Whether one of several values, joined by commas, is of the scheme Bearer.
function mentionsBearer(value: string): boolean {
  return value
    .split(",")
    .some((part) => BEARER.test(part.replace(/^[ \t]+/, "")));
}
