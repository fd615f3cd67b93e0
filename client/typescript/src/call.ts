/** gRPC calls as promises. */
import {
  type Client,
  Metadata,
  type MethodDefinition,
  type requestCallback,
} from "@grpc/grpc-js";

import { toTokensError } from "./error.js";
import type { CallOptions } from "./validator.js";

/**
 * Calls a method once; the channel's service config says what is tried again.
 * Rejects with a TokensError, or with the signal's reason if that ended it.
 */
export async function call<Request, Response>(
  client: Client,
  method: MethodDefinition<Request, Response>,
  request: Request,
  { signal, timeoutMs }: CallOptions & { timeoutMs: number },
): Promise<Response> {
  signal?.throwIfAborted();
  // An outcome, so that an error is made here and its stack has our callers.
  const [error, response] = await new Promise<Outcome<Response>>((resolve) => {
    const underway = client.makeUnaryRequest(
      method.path,
      method.requestSerialize,
      method.responseDeserialize,
      request,
      new Metadata(),
      { deadline: Date.now() + timeoutMs },
      (...outcome) => {
        signal?.removeEventListener("abort", cancel);
        resolve(outcome);
      },
    );
    const cancel = () => {
      underway.cancel();
    };
    signal?.addEventListener("abort", cancel, { once: true });
  });
  if (!error) return response as Response;
  signal?.throwIfAborted();
  throw toTokensError(method.path, error);
}

type Outcome<Response> = Parameters<requestCallback<Response>>;
