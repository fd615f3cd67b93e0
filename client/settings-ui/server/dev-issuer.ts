/**
 * Stands in for the platform's sign-in, to try the page and to work on it:
 * whoever asks is signed in as whom they say. For this machine only; its key is
 * made at the start and never leaves the process.
 */
import type { FastifyInstance } from "fastify";
import { exportJWK, generateKeyPair, type JSONWebKeySet, SignJWT } from "jose";

import { Refusal } from "./problem.js";
import { cookieName, isProjectId, isUserId } from "./session.js";

const ALGORITHM = "EdDSA";
const LIFETIME_SECONDS = 8 * 60 * 60;

/** An issuer of sessions. */
export interface DevIssuer {
  /** What its sessions are checked with. */
  keys: JSONWebKeySet;
  /** Returns a session. */
  issue(user: string, project: string): Promise<string>;
}

/** Makes an issuer with a key of its own. */
export async function makeDevIssuer(audience: string): Promise<DevIssuer> {
  const { publicKey, privateKey } = await generateKeyPair(ALGORITHM, {
    crv: "Ed25519",
  });
  return {
    keys: { keys: [await exportJWK(publicKey)] },
    issue: (user, project) =>
      new SignJWT({ project })
        .setProtectedHeader({ alg: ALGORITHM })
        .setSubject(user)
        .setAudience(audience)
        .setExpirationTime(`${LIFETIME_SECONDS}s`)
        .sign(privateKey),
  };
}

/**
 * Serves `GET /dev/sign-in?project=&user=`, which signs in and goes on to the
 * page. Returns its address for a `{project}`.
 */
export function serveSignIn(
  app: FastifyInstance,
  issuer: DevIssuer,
  origin: string,
): string {
  app.get<{ Querystring: Record<string, unknown> }>(
    "/dev/sign-in",
    async (request, reply) => {
      // A name of somebody else's may lead to this machine: it is not signed in.
      if (request.headers.host !== new URL(origin).host) {
        throw new Refusal("forbidden");
      }
      const { project = "demo", user = "dev-user" } = request.query;
      if (typeof project !== "string" || !isProjectId(project)) {
        throw new Refusal("invalid");
      }
      if (typeof user !== "string" || !isUserId(user)) {
        throw new Refusal("invalid");
      }
      return reply
        .setCookie(cookieName(origin), await issuer.issue(user, project), {
          path: "/",
          httpOnly: true,
          sameSite: "strict",
          secure: origin.startsWith("https:"),
        })
        .redirect(`/projects/${project}/api-access`);
    },
  );
  return `${origin}/dev/sign-in?project={project}`;
}
