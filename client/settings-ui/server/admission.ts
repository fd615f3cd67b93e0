/** Who may ask for what, decided before a request's body is read. */
import type { FastifyRequest } from "fastify";

import { Refusal } from "./problem.js";
import {
  cookieName,
  isCsrfToken,
  type Person,
  type Sessions,
} from "./session.js";

/** What it is decided by. */
export interface AdmissionOptions {
  sessions: Sessions;
  /** Where the page is, from which alone changes may come. */
  origin: string;
}

declare module "fastify" {
  interface FastifyRequest {
    /** Who asks, as the session says. */
    person: Person;
  }
}

/**
 * Returns who asks, before anything else of the request is looked at.
 *
 * @throws Refusal of whoever is not signed in or asks for another project, and
 *   of a change that does not come from the page
 */
export async function admit(
  request: FastifyRequest,
  { sessions, origin }: AdmissionOptions,
): Promise<Person> {
  const isChange = request.method !== "GET" && request.method !== "HEAD";
  if (isChange && !isSameOrigin(request, origin)) {
    throw new Refusal("forbidden");
  }
  const person = await sessions.read(request.cookies[cookieName(origin)]);
  if (!person) throw new Refusal("signed-out");
  if ((request.params as { project: string }).project !== person.project) {
    throw new Refusal("not-found");
  }
  if (isChange && !isCsrfToken(person, request.headers["x-csrf-token"])) {
    throw new Refusal("forbidden");
  }
  return person;
}

// Browsers send Origin with each POST, and newer ones Sec-Fetch-Site, too; no
// page can set either.
function isSameOrigin({ headers }: FastifyRequest, origin: string): boolean {
  const site = headers["sec-fetch-site"];
  return (
    headers.origin === origin && (site === undefined || site === "same-origin")
  );
}
