/** Why a call failed, in a form that programs can decide by. */
import { type ServiceError, status } from "@grpc/grpc-js";

import {
  ErrorReason,
  errorReasonFromJSON,
} from "./gen/wemasy/tokens/v1/errors.js";
import { BadRequest, ErrorInfo } from "./gen/google/rpc/error_details.js";
import { Status } from "./gen/google/rpc/status.js";

/** A field of a request that is not as wanted. */
export interface FieldViolation {
  /** The field's path in the request, as in the proto file. */
  readonly field: string;
  /** What was found and what is wanted. */
  readonly description: string;
}

/**
 * A call that failed. Decide by `reason`, or by `code` if there is none; the
 * message is for people. Never has a token.
 */
export class TokensError extends Error {
  override readonly name = "TokensError";

  /** @param message for people, and for their log only */
  constructor(
    message: string,
    /** gRPC's status code. */
    readonly code: status,
    /** Why, as docs/errors.md has it; unset if the service did not say. */
    readonly reason?: ErrorReason,
    /** The values that docs/errors.md names with the reason. */
    readonly metadata: Readonly<Record<string, string>> = {},
    /** The fields at fault, with FIELD_INVALID. */
    readonly fieldViolations: readonly FieldViolation[] = [],
    /** The call's id in the service's log; unset if it got no answer. */
    readonly requestId?: string,
  ) {
    super(message);
  }
}

/** The failure of the call of a method, given by its path. */
export function toTokensError(path: string, error: ServiceError): TokensError {
  const { info, badRequest } = detailsOf(error);
  return new TokensError(
    `${path.slice(path.lastIndexOf("/") + 1)}: ${status[error.code]}: ${error.details}`,
    error.code,
    info && errorReasonFromJSON(`ERROR_REASON_${info.reason}`),
    info?.metadata,
    badRequest?.fieldViolations.map(({ field, description }) => ({
      field,
      description,
    })),
    error.metadata.get("x-request-id")[0]?.toString(),
  );
}

// What cannot be read is left out: the code and the message say enough.
function detailsOf(error: ServiceError): Details {
  const [encoded] = error.metadata.get("grpc-status-details-bin");
  if (!(encoded instanceof Buffer)) return {};
  const found: Details = {};
  try {
    for (const { typeUrl, value } of Status.decode(encoded).details) {
      switch (typeUrl) {
        case "type.googleapis.com/google.rpc.ErrorInfo": {
          const info = ErrorInfo.decode(value);
          if (info.domain === "tokens.wemasy.com") found.info = info;
          break;
        }
        case "type.googleapis.com/google.rpc.BadRequest":
          found.badRequest = BadRequest.decode(value);
          break;
      }
    }
  } catch {
    return {};
  }
  return found;
}

interface Details {
  info?: ErrorInfo;
  badRequest?: BadRequest;
}
