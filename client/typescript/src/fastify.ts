/** A hook for Fastify. */
import type { FastifyReply, FastifyRequest } from "fastify";

import { normalized } from "./credential.js";
import { check, type GuardOptions } from "./guard.js";
import { bodyOf, headersOf, tokensOf } from "./http.js";
import { setIdentity } from "./identity.js";
import type { Requirements, Validator } from "./validator.js";

/**
 * Makes an `onRequest` hook that lets a request pass if it presents a token
 * that meets the requirements; `identityOf(request)` then says whose. All
 * others get 400, 401, 403 or 503, or 500 if the requirements are malformed,
 * before a body is read.
 *
 * What is decided holds for this request: whatever it opens, such as a
 * WebSocket or a long download, stays open when the token is revoked. Limit
 * its age.
 *
 * Throws what the function throws.
 *
 * @param requirements of the route, or a function of the request that returns
 *   them; check whatever it takes from the request
 */
export function requireToken(
  validator: Validator,
  requirements: Requirements | ((request: FastifyRequest) => Requirements),
  options: GuardOptions<FastifyRequest> = {},
): (request: FastifyRequest, reply: FastifyReply) => Promise<unknown> {
  const { onRefused } = options;
  const tokenHeaders = normalized(options.tokenHeaders);
  return async (request, reply) => {
    const decision = await check(
      validator,
      tokensOf(request.raw, tokenHeaders),
      typeof requirements === "function" ? requirements(request) : requirements,
    );
    if ("identity" in decision) {
      setIdentity(request, decision.identity);
      return;
    }
    const { refusal } = decision;
    onRefused?.(refusal, request);
    // As bytes, since Fastify adds a charset to the type of a text.
    return reply
      .code(refusal.status)
      .headers(headersOf(refusal))
      .send(Buffer.from(bodyOf(refusal)));
  };
}
