/** The connection to the service. */
import { readFileSync } from "node:fs";

import {
  type ChannelCredentials,
  type ChannelOptions,
  Client,
  credentials,
} from "@grpc/grpc-js";

import { call } from "./call.js";
import {
  AuthServiceService,
  ValidateRequest,
  type ValidateResponse,
  Verdict,
} from "./gen/wemasy/tokens/v1/auth_service.js";
import { serviceConfig } from "./service-config.js";
import { TokenService } from "./token-service.js";
import type {
  CallOptions,
  Requirements,
  TokenIdentity,
  Validation,
  Validator,
} from "./validator.js";

// All attempts together. An answer takes well below a millisecond; what is
// left is for a new connection and for another server.
const VALIDATE_TIMEOUT_MS = 2_000;

const CHANNEL_OPTIONS: ChannelOptions = {
  "grpc.service_config": JSON.stringify(serviceConfig),
  // Changes that wait must not take up the connection that Validate needs.
  "grpc.use_local_subchannel_pool": 1,
  "grpc.initial_reconnect_backoff_ms": 100,
  "grpc.max_reconnect_backoff_ms": 2_000,
  // Servers take a ping every 10 s, also without calls.
  "grpc.keepalive_time_ms": 30_000,
  "grpc.keepalive_timeout_ms": 5_000,
  "grpc.keepalive_permit_without_calls": 1,
};

/** Paths of PEM files for mutual TLS. */
export interface TlsFiles {
  /** The authorities that the server's certificate may be signed by. */
  readonly ca: string;
  /** This client's certificate, which says who it is. */
  readonly cert: string;
  /** The certificate's key. */
  readonly key: string;
}

/** How to connect. */
export interface ConnectOptions {
  /**
   * Read once, now: when they are renewed, connect anew. Without, the target
   * must be on this machine.
   */
  readonly tls?: TlsFiles | undefined;
}

/**
 * A connection to the service, for the whole process. Connects with the first
 * call, and anew whenever that is needed.
 */
export class Connection {
  /** Decides on tokens. A call may take 2 s if it does not say otherwise. */
  readonly validator: Validator;
  /** Creates, lists, changes and revokes tokens. A call may take 40 s. */
  readonly tokens: TokenService;
  readonly #clients: readonly Client[];

  /**
   * For credentials that are not in files; otherwise use connect().
   *
   * @param options of the channels, besides this package's own
   */
  constructor(
    target: string,
    channelCredentials: ChannelCredentials,
    options: ChannelOptions = {},
  ) {
    const all = { ...CHANNEL_OPTIONS, ...options };
    const auth = new Client(target, channelCredentials, all);
    const tokens = new Client(target, channelCredentials, all);
    this.validator = new ServiceValidator(auth);
    this.tokens = new TokenService(tokens);
    this.#clients = [auth, tokens];
  }

  /** Ends the connection. Calls made afterwards fail. */
  close(): void {
    for (const client of this.#clients) client.close();
  }
}

/**
 * Opens a connection to the service.
 *
 * @param target `host:port`, or another name that gRPC resolves, such as
 *   `dns:///tokens.internal:7443`; all its addresses are used in turn
 * @throws Error if a file cannot be read, or if there is no TLS and the target
 *   is not on this machine
 */
export function connect(
  target: string,
  options: ConnectOptions = {},
): Connection {
  const { tls } = options;
  if (tls) {
    const channelCredentials = credentials.createSsl(
      readFileSync(tls.ca),
      readFileSync(tls.key),
      readFileSync(tls.cert),
    );
    return new Connection(target, channelCredentials);
  }
  if (!isOnThisMachine(target)) {
    throw new Error(`target is ${target}, want loopback, or TLS`);
  }
  return new Connection(target, credentials.createInsecure(), {
    // A proxy may be on another machine.
    "grpc.enable_http_proxy": 0,
  });
}

function isOnThisMachine(target: string): boolean {
  return /^(unix:.+|(dns:(\/\/\/)?|ipv[46]:)?(localhost|127(\.\d{1,3}){3}|\[::1\])(:\d+)?)$/i.test(
    target,
  );
}

class ServiceValidator implements Validator {
  readonly #client: Client;

  constructor(client: Client) {
    this.#client = client;
  }

  async validate(
    token: string,
    { scopes, project }: Requirements = {},
    { signal, timeoutMs = VALIDATE_TIMEOUT_MS }: CallOptions = {},
  ): Promise<Validation> {
    const request = ValidateRequest.fromPartial({
      token,
      requiredScopes: [...(scopes ?? [])],
      expectedProject: project ?? "",
    });
    const response = await call(
      this.#client,
      AuthServiceService.validate,
      request,
      { signal, timeoutMs },
    );
    if (response.verdict !== Verdict.VALID) {
      return {
        verdict: response.verdict,
        tokenName: response.token || undefined,
      };
    }
    return { verdict: Verdict.VALID, identity: toIdentity(response) };
  }
}

function toIdentity(response: ValidateResponse): TokenIdentity {
  const { token, project, creator, scopes, metadata, expireTime } = response;
  return { name: token, project, creator, scopes, metadata, expireTime };
}
