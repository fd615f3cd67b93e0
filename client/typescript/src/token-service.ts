/** The life cycle of tokens, for the backend of a settings page. */
import { randomUUID } from "node:crypto";

import type { Client } from "@grpc/grpc-js";

import { call } from "./call.js";
import {
  CreateTokenRequest,
  type CreateTokenResponse,
  type DeepPartial,
  GetTokenRequest,
  type GetTokenResponse,
  ListAuditEventsRequest,
  type ListAuditEventsResponse,
  ListTokensRequest,
  type ListTokensResponse,
  RevokeLeakedTokensRequest,
  type RevokeLeakedTokensResponse,
  RevokeTokenRequest,
  type RevokeTokenResponse,
  RotateTokenRequest,
  type RotateTokenResponse,
  TokenServiceService as methods,
  UpdateTokenRequest,
  type UpdateTokenResponse,
} from "./gen/wemasy/tokens/v1/token_service.js";
import type { CallOptions } from "./validator.js";

// A change waits for every server, at worst for as long as a lease.
const TIMEOUT_MS = 40_000;

/**
 * The rpcs of TokenService as promises; token_service.proto says what each
 * does. All reject with a TokensError. Any number of calls may be under way at
 * once.
 */
export class TokenService {
  readonly #client: Client;

  /** @param client whose channel has the service config */
  constructor(client: Client) {
    this.#client = client;
  }

  /**
   * Creates a token and returns its secret, this once. To be safe to repeat
   * after a lost reply, give a `requestId`; without, one is drawn, and only
   * the channel's own retries are safe.
   *
   * The reply's `secret` is not enumerable, so that nobody logs it along with
   * the rest: hand it on by its name.
   */
  async createToken(
    request: DeepPartial<CreateTokenRequest>,
    options?: CallOptions,
  ): Promise<CreateTokenResponse> {
    const message = CreateTokenRequest.fromPartial(request);
    message.requestId ||= randomUUID();
    return hideSecret(await this.#call(methods.createToken, message, options));
  }

  /** Returns a token. */
  getToken(
    request: DeepPartial<GetTokenRequest>,
    options?: CallOptions,
  ): Promise<GetTokenResponse> {
    const message = GetTokenRequest.fromPartial(request);
    return this.#call(methods.getToken, message, options);
  }

  /** Returns a page of a project's tokens, newest first. */
  listTokens(
    request: DeepPartial<ListTokensRequest>,
    options?: CallOptions,
  ): Promise<ListTokensResponse> {
    const message = ListTokensRequest.fromPartial(request);
    return this.#call(methods.listTokens, message, options);
  }

  /** Changes the fields of a token that `updateMask` names. */
  updateToken(
    request: DeepPartial<UpdateTokenRequest>,
    options?: CallOptions,
  ): Promise<UpdateTokenResponse> {
    const message = UpdateTokenRequest.fromPartial(request);
    return this.#call(methods.updateToken, message, options);
  }

  /**
   * Revokes a token for good. Once this has resolved, every validation refuses
   * the token.
   */
  revokeToken(
    request: DeepPartial<RevokeTokenRequest>,
    options?: CallOptions,
  ): Promise<RevokeTokenResponse> {
    const message = RevokeTokenRequest.fromPartial(request);
    return this.#call(methods.revokeToken, message, options);
  }

  /**
   * Replaces a token's secret and returns the new one, this once. `requestId`
   * and the reply's `secret` are as with createToken.
   */
  async rotateToken(
    request: DeepPartial<RotateTokenRequest>,
    options?: CallOptions,
  ): Promise<RotateTokenResponse> {
    const message = RotateTokenRequest.fromPartial(request);
    message.requestId ||= randomUUID();
    return hideSecret(await this.#call(methods.rotateToken, message, options));
  }

  /** Revokes tokens by their secrets, or by the SHA-256 of their secrets. */
  revokeLeakedTokens(
    request: DeepPartial<RevokeLeakedTokensRequest>,
    options?: CallOptions,
  ): Promise<RevokeLeakedTokensResponse> {
    const message = RevokeLeakedTokensRequest.fromPartial(request);
    return this.#call(methods.revokeLeakedTokens, message, options);
  }

  /** Returns a page of the audit trail, oldest first. */
  listAuditEvents(
    request: DeepPartial<ListAuditEventsRequest>,
    options?: CallOptions,
  ): Promise<ListAuditEventsResponse> {
    const message = ListAuditEventsRequest.fromPartial(request);
    return this.#call(methods.listAuditEvents, message, options);
  }

  #call<Request, Response>(
    method: Parameters<typeof call<Request, Response>>[1],
    request: Request,
    { signal, timeoutMs = TIMEOUT_MS }: CallOptions = {},
  ): Promise<Response> {
    return call(this.#client, method, request, { signal, timeoutMs });
  }
}

function hideSecret<Response extends { secret: string }>(
  response: Response,
): Response {
  return Object.defineProperty(response, "secret", { enumerable: false });
}
