/**
 * The platform's signed session: a JWT in a cookie. It alone says who is asking,
 * and for which project.
 */
import { createHmac, timingSafeEqual } from "node:crypto";
import { readFileSync } from "node:fs";

import {
  createLocalJWKSet,
  errors,
  type JSONWebKeySet,
  type JWTPayload,
  jwtVerify,
  type JWTVerifyGetKey,
} from "jose";

/** What a session says. */
export interface Person {
  /** The platform's id of the person: 1 to 128 printable ASCII characters. */
  readonly user: string;
  /** The id of the project whose tokens the person may manage. */
  readonly project: string;
  readonly expireTime: Date;
  /** What proves that a change comes from a page of this session. */
  readonly csrfToken: string;
}

/** The algorithms that a session may be signed with. */
export const ALGORITHMS = ["EdDSA", "ES256"];

/** How long a session's text may be, in characters; browsers keep no more. */
const MAX_LENGTH = 4096;

// Between the platform's clock and ours.
const CLOCK_TOLERANCE_SECONDS = 5;

/** Whether the service takes it as a project's id. */
export function isProjectId(text: string): boolean {
  return /^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/.test(text);
}

/** Whether the service takes it as a user's id. */
export function isUserId(text: string): boolean {
  return /^[\x20-\x7e]{1,128}$/.test(text);
}

/**
 * The name of the session's cookie. A browser keeps one whose name begins with
 * `__Host-` from other hosts and from plain http, so where the page is served
 * over plain http, which it may be on this machine only, it has another name.
 */
export function cookieName(origin: string): string {
  return origin.startsWith("https:")
    ? "__Host-wemasy_session"
    : "wemasy_session";
}

/** Checks sessions. */
export class Sessions {
  readonly #keys: JWTVerifyGetKey;
  readonly #audience: string;

  /** @param audience whom sessions must be meant for */
  constructor(keys: JSONWebKeySet, audience: string) {
    this.#keys = createLocalJWKSet(keys);
    this.#audience = audience;
  }

  /** Returns what a session says, or nothing if it is none that holds. */
  async read(session: string | undefined): Promise<Person | undefined> {
    if (!session || session.length > MAX_LENGTH) return undefined;
    try {
      return toPerson(await this.#verify(session), csrfTokenOf(session));
    } catch (error) {
      if (error instanceof errors.JOSEError) return undefined;
      throw error;
    }
  }

  async #verify(session: string): Promise<JWTPayload> {
    const options = {
      algorithms: ALGORITHMS,
      audience: this.#audience,
      clockTolerance: CLOCK_TOLERANCE_SECONDS,
      requiredClaims: ["exp", "sub", "project"],
    };
    try {
      return (await jwtVerify(session, this.#keys, options)).payload;
    } catch (error) {
      if (!(error instanceof errors.JWKSMultipleMatchingKeys)) throw error;
      // Two keys of a kind, as while they are rotated, and no `kid`.
      for await (const key of error) {
        try {
          return (await jwtVerify(session, key, options)).payload;
        } catch (refusal) {
          if (!(refusal instanceof errors.JWSSignatureVerificationFailed)) {
            throw refusal;
          }
        }
      }
      throw error;
    }
  }
}

function toPerson(
  { sub, exp, project }: JWTPayload,
  csrfToken: string,
): Person | undefined {
  if (sub === undefined || !isUserId(sub)) return undefined;
  if (typeof project !== "string" || !isProjectId(project)) return undefined;
  if (exp === undefined) return undefined;
  return { user: sub, project, expireTime: new Date(exp * 1000), csrfToken };
}

// Whoever does not have the session, whose signature nobody can guess, cannot
// make it; and it gives nothing of the session away. Needs no key of ours, so
// every replica and every restart agrees.
function csrfTokenOf(session: string): string {
  return createHmac("sha256", session).update("csrf").digest("base64url");
}

/** Whether a request's CSRF token is the session's. */
export function isCsrfToken(person: Person, sent: unknown): boolean {
  const wanted = Buffer.from(person.csrfToken);
  const found = Buffer.from(typeof sent === "string" ? sent : "");
  return wanted.length === found.length && timingSafeEqual(wanted, found);
}

/**
 * Reads the platform's public keys.
 *
 * @throws Error if the file is no key set, or has keys that are not public keys
 *   of the algorithms
 */
export function readKeys(file: string): JSONWebKeySet {
  let keys: unknown;
  try {
    keys = (JSON.parse(readFileSync(file, "utf8")) as { keys?: unknown }).keys;
  } catch (error) {
    // Not the parser's message, which repeats the text.
    throw new Error(
      error instanceof SyntaxError ? "is not JSON" : "cannot be read",
    );
  }
  if (!Array.isArray(keys) || keys.length === 0) throw new Error("has no keys");
  for (const key of keys as Record<string, unknown>[]) {
    if ("d" in key || "k" in key) {
      throw new Error("has a private key, want public keys only");
    }
    const form = [key.kty, key.crv].join(" ");
    if (form !== "OKP Ed25519" && form !== "EC P-256") {
      throw new Error("has another key than for EdDSA (Ed25519) or ES256");
    }
  }
  return { keys: keys as JSONWebKeySet["keys"] };
}
