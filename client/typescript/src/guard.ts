/** What becomes of a request: one contract for HTTP and gRPC. */
import { status } from "@grpc/grpc-js";

import { isUsable } from "./credential.js";
import { Verdict } from "./gen/wemasy/tokens/v1/auth_service.js";
import type {
  Requirements,
  TokenIdentity,
  Validation,
  Validator,
} from "./validator.js";

/** Settings of all middleware. */
export interface GuardOptions<Request> {
  /**
   * Names of headers, in any case, that hold a token and nothing else, such as
   * `x-api-key`. `Authorization: Bearer` is always read.
   */
  readonly tokenHeaders?: readonly string[] | undefined;
  /** Is told of every refusal, for a log; over gRPC with the method's path. */
  readonly onRefused?:
    ((refusal: Refusal, request: Request) => void) | undefined;
}

/** A request that was refused, and why. Never has the token. */
export interface Refusal {
  /** The status of the response over HTTP. */
  readonly status: 400 | 401 | 403 | 500 | 503;
  /** What the caller is told: the same whatever is wrong with a token. */
  readonly message: string;
  /** The value of `WWW-Authenticate` (RFC 6750, section 3); unset from 500. */
  readonly challenge?: string;
  /** What was decided; unset if nobody was asked, or nobody could say. */
  readonly verdict?: Verdict;
  /** The token's resource name, if the service knows the token. */
  readonly tokenName?: string | undefined;
  /** Why nobody could say, with 503; what is malformed, with 500. */
  readonly error?: unknown;
}

/** The outcome of a check. */
export type Decision =
  { readonly identity: TokenIdentity } | { readonly refusal: Refusal };

const REALM = 'Bearer realm="wemasy"';

const MESSAGES = {
  400: "more than one credential",
  401: "a valid API token is required",
  403: "the API token may not do this",
  500: "internal error",
  503: "try again in a moment",
} as const;

/**
 * Decides on what a request presents. Malformed requirements are a fault of
 * the route, of which the process warns: nobody need listen to refusals.
 */
export async function check(
  validator: Validator,
  presented: string[],
  requirements: Requirements,
): Promise<Decision> {
  if (presented.length === 0) return refuse(401);
  if (!isUsable(presented)) return refuse(400, `error="invalid_request"`);
  let validation: Validation;
  try {
    validation = await validator.validate(presented[0], requirements);
  } catch (error) {
    if (isInvalidArgument(error)) {
      process.emitWarning(error);
      return failed(500, error);
    }
    return failed(503, error);
  }
  if (validation.verdict === Verdict.VALID) {
    return { identity: validation.identity };
  }
  return refuse(...answerTo(validation.verdict, requirements), validation);
}

function answerTo(
  verdict: Verdict,
  { scopes = [] }: Requirements,
): [status: 401 | 403, parameters: string] {
  switch (verdict) {
    case Verdict.WRONG_PROJECT:
      return [403, `error="insufficient_scope"`];
    case Verdict.INSUFFICIENT_SCOPE: {
      // What would do is the route's, which is no secret.
      const wanted = [...new Set(scopes)].sort().join(" ");
      return [403, `error="insufficient_scope", scope="${wanted}"`];
    }
    default:
      return [401, `error="invalid_token"`];
  }
}

function refuse(
  httpStatus: 400 | 401 | 403,
  parameters?: string,
  known?: Pick<Refusal, "verdict" | "tokenName">,
): Decision {
  const refusal: Refusal = {
    status: httpStatus,
    message: MESSAGES[httpStatus],
    challenge: parameters ? `${REALM}, ${parameters}` : REALM,
    ...known,
  };
  return { refusal };
}

function failed(httpStatus: 500 | 503, error: unknown): Decision {
  const message = MESSAGES[httpStatus];
  return { refusal: { status: httpStatus, message, error } };
}

function isInvalidArgument(error: unknown): error is Error {
  return (
    error instanceof Error &&
    "code" in error &&
    error.code === status.INVALID_ARGUMENT
  );
}
