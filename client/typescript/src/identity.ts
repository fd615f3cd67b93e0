/** Who makes a request, as the middleware found out. */
import type { TokenIdentity } from "./validator.js";

const identities = new WeakMap<object, TokenIdentity>();

/** Notes who makes `request`. */
export function setIdentity(request: object, identity: TokenIdentity): void {
  identities.set(request, identity);
}

/**
 * Returns which token a request was let in with.
 *
 * @param request a request of Express or Fastify, or the `metadata` of a gRPC
 *   call
 * @throws Error if no `requireToken` let it in: the route is not protected
 */
export function identityOf(request: object): TokenIdentity {
  const identity = identities.get(request);
  if (!identity) throw new Error("the route does not require a token");
  return identity;
}
