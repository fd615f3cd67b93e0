/** Middleware for Express. */
import type { Request, RequestHandler } from "express";

import { normalized } from "./credential.js";
import { check, type Decision, type GuardOptions } from "./guard.js";
import { bodyOf, headersOf, tokensOf } from "./http.js";
import { setIdentity } from "./identity.js";
import type { Requirements, Validator } from "./validator.js";

/**
 * Makes middleware that lets a request pass if it presents a token that meets
 * the requirements; `identityOf(request)` then says whose. All others get 400,
 * 401, 403 or 503, or 500 if the requirements are malformed.
 *
 * What is decided holds for this request: whatever it opens, such as a
 * WebSocket or a long download, stays open when the token is revoked. Limit
 * its age.
 *
 * What the function throws goes to `next`.
 *
 * @param requirements of the route, or a function of the request that returns
 *   them; check whatever it takes from the request
 */
export function requireToken(
  validator: Validator,
  requirements: Requirements | ((request: Request) => Requirements),
  options: GuardOptions<Request> = {},
): RequestHandler {
  const { onRefused } = options;
  const tokenHeaders = normalized(options.tokenHeaders);
  return async (request, response, next) => {
    let decision: Decision;
    try {
      decision = await check(
        validator,
        tokensOf(request, tokenHeaders),
        typeof requirements === "function"
          ? requirements(request)
          : requirements,
      );
      if ("refusal" in decision) onRefused?.(decision.refusal, request);
    } catch (error) {
      next(error);
      return;
    }
    if ("identity" in decision) {
      setIdentity(request, decision.identity);
      next();
      return;
    }
    const { refusal } = decision;
    // Node's own methods, since Express's add a charset to the type.
    response.statusCode = refusal.status;
    for (const [name, value] of Object.entries(headersOf(refusal))) {
      response.setHeader(name, value);
    }
    response.end(bodyOf(refusal));
  };
}
