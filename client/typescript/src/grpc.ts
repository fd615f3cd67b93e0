/** An interceptor for servers of grpc-js. */
import {
  type Metadata,
  ServerInterceptingCall,
  type ServerInterceptor,
  ServerListenerBuilder,
  status,
  type StatusObject,
} from "@grpc/grpc-js";

import { type HeaderField, normalized, presentedTokens } from "./credential.js";
import { check, type GuardOptions } from "./guard.js";
import { setIdentity } from "./identity.js";
import type { Requirements, Validator } from "./validator.js";

const CODES = {
  400: status.INVALID_ARGUMENT,
  401: status.UNAUTHENTICATED,
  403: status.PERMISSION_DENIED,
  500: status.INTERNAL,
  503: status.UNAVAILABLE,
} as const;

/**
 * Makes an interceptor that lets a call pass if it presents a token that meets
 * the requirements; `identityOf(call.metadata)` then says whose. All others
 * end with INVALID_ARGUMENT, UNAUTHENTICATED, PERMISSION_DENIED or UNAVAILABLE
 * before a message is read. The token comes as in HTTP: metadata
 * `authorization`, value `Bearer ...`.
 *
 * What is decided holds for this call: a stream stays open when the token is
 * revoked. Limit its age.
 *
 * If the requirements are malformed, or the function throws or returns none,
 * the call ends with INTERNAL, and the process warns of the error.
 *
 * Of several `authorization` headers Node's HTTP/2 gives only the first to
 * anybody, so that a repeated one is not refused here.
 *
 * @param requirements of all methods, or a function of a method's path, such
 *   as `/demo.Pages/Read`, that returns them, or "open" if the method needs no
 *   token, such as health; undefined closes it, so that none is open by oversight
 */
export function requireToken(
  validator: Validator,
  requirements:
    Requirements | ((path: string) => Requirements | "open" | undefined),
  options: GuardOptions<string> = {},
): ServerInterceptor {
  const { onRefused } = options;
  const tokenHeaders = normalized(options.tokenHeaders);

  // Resolves to the status to end the call with, or to nothing.
  async function refusalOf(
    path: string,
    metadata: Metadata,
  ): Promise<Pick<StatusObject, "code" | "details"> | undefined> {
    const wanted =
      typeof requirements === "function" ? requirements(path) : requirements;
    if (wanted === "open") return undefined;
    if (!wanted) throw new Error(`no rule says what ${path} needs of a token`);
    const presented = presentedTokens(
      fieldsOf(metadata, ["authorization", ...tokenHeaders]),
      tokenHeaders,
    );
    const decision = await check(validator, presented, wanted);
    if ("identity" in decision) {
      setIdentity(metadata, decision.identity);
      return undefined;
    }
    const { refusal } = decision;
    onRefused?.(refusal, path);
    return { code: CODES[refusal.status], details: refusal.message };
  }

  return ({ path }, call) =>
    new ServerInterceptingCall(call, {
      start(next) {
        const listener = new ServerListenerBuilder()
          .withOnReceiveMetadata((metadata, proceed) => {
            refusalOf(path, metadata).then(
              (refusal) => {
                if (refusal) call.sendStatus(refusal);
                else proceed(metadata);
              },
              (error: unknown) => {
                process.emitWarning(
                  error instanceof Error ? error : String(error),
                );
                call.sendStatus({
                  code: status.INTERNAL,
                  details: "internal error",
                });
              },
            );
          })
          .build();
        next(listener);
      },
    });
}

function fieldsOf(metadata: Metadata, names: string[]): HeaderField[] {
  return names.flatMap((name) =>
    metadata.get(name).map((value) => [name, value.toString()] as const),
  );
}
