/** From an error to the reply that refuses the request. */
import { TokensError } from "@wemasy/tokens";
import type { FastifyError, FastifyReply, FastifyRequest } from "fastify";

import { type Field, isField, Refusal } from "./problem.js";
import { toRefusal } from "./service-errors.js";

/** Refuses a request for an error, whatever it is. */
export function refuse(
  error: unknown,
  { id: requestId, log }: FastifyRequest,
  reply: FastifyReply,
): void {
  const refusal = asRefusal(error);
  if (refusal.status >= 500) {
    const cause = refusal.cause;
    const service = cause instanceof TokensError ? cause : undefined;
    // The id under which the service's log has it.
    const serviceRequestId = service?.requestId;
    log.error({ serviceRequestId, err: cause }, "request failed");
  }
  const problem = JSON.stringify(refusal.toProblem(requestId));
  // As bytes, since Fastify adds a character set to the type of a text.
  void reply
    .code(refusal.status)
    .header("content-type", "application/problem+json")
    .send(Buffer.from(problem));
}

function asRefusal(error: unknown): Refusal {
  if (error instanceof Refusal) return error;
  if (error instanceof TokensError) return toRefusal(error);
  const { statusCode: status, validation } = error as Partial<FastifyError>;
  // Fastify's own: a body of another form, too long, or not JSON.
  return status !== undefined && status >= 400 && status < 500
    ? new Refusal("invalid", { status, fields: fieldsOf(validation) })
    : new Refusal("internal", { cause: error });
}

// Where a schema did not fit: `/scopes/3` is a fault of `scopes`. What the
// contract does not have is left out.
function fieldsOf(validation: FastifyError["validation"] = []): Field[] {
  return validation
    .map(({ instancePath, params }) =>
      instancePath === ""
        ? String(params.missingProperty)
        : (instancePath.split("/")[1] ?? ""),
    )
    .filter(isField);
}
