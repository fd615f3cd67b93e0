/**
 * Client of the WEMASY API token service. Middleware is in
 * `@wemasy/tokens/express`, `/fastify` and `/grpc`, a validator for tests in
 * `@wemasy/tokens/testing`, and the code of the protos, with gRPC's own
 * clients, in `@wemasy/tokens/v1/token_service` and its like.
 */
export { connect, Connection } from "./connect.js";
export type { ConnectOptions, TlsFiles } from "./connect.js";
export { TokensError } from "./error.js";
export type { FieldViolation } from "./error.js";
export { AuditAction } from "./gen/wemasy/tokens/v1/audit.js";
export type { AuditEvent } from "./gen/wemasy/tokens/v1/audit.js";
export { Verdict } from "./gen/wemasy/tokens/v1/auth_service.js";
export { ErrorReason } from "./gen/wemasy/tokens/v1/errors.js";
export { RevokeReason, TokenState } from "./gen/wemasy/tokens/v1/token.js";
export type { RevocationReceipt, Token } from "./gen/wemasy/tokens/v1/token.js";
export { LeakedTokenOutcome } from "./gen/wemasy/tokens/v1/token_service.js";
export type { GuardOptions, Refusal } from "./guard.js";
export { identityOf } from "./identity.js";
export { serviceConfig } from "./service-config.js";
export { TokenService } from "./token-service.js";
export type {
  CallOptions,
  Requirements,
  TokenIdentity,
  Validation,
  Validator,
} from "./validator.js";
