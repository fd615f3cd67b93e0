/** Speaks to the page's backend. */
import type {
  CreateRequest,
  IssuedToken,
  ListedState,
  Problem,
  Revocation,
  RevokeRequest,
  RotateRequest,
  Session,
  Token,
  TokenPage,
} from "../../../api/index.js";
import { Failure } from "../logic/failure.js";
import { Secret } from "../logic/secret.js";

/** How long the backend may take, in milliseconds; it promises 10 s. */
const PATIENCE = 20_000;

/** A token with its secret, which only `secret` keeps. */
export interface Issued {
  token: Token;
  secret: Secret;
}

/** Everything throws a Failure and nothing else. */
export class ApiClient {
  readonly #base: string;
  /** Null when it has to be fetched anew, as after signing in again. */
  #csrfToken: string | null = null;
  /** In whose name changes are made; null as long as it is not known. */
  #user: string | null = null;

  /** `base` is where the API is, with a slash at its end. */
  constructor(base: string) {
    this.#base = base;
  }

  /** Who is signed in. From now on changes are made in their name only. */
  async session(): Promise<Session> {
    const session = await this.#ask<Session>("session", {});
    this.#csrfToken = session.csrfToken;
    this.#user = session.user;
    return session;
  }

  tokens(state: ListedState | null, cursor: string | null): Promise<TokenPage> {
    const query = new URLSearchParams();
    if (state) query.set("state", state);
    if (cursor !== null) query.set("cursor", cursor);
    return this.#ask<TokenPage>(`tokens?${query.toString()}`, {});
  }

  async create(request: CreateRequest): Promise<Issued> {
    return issued(await this.#post<IssuedToken>("tokens", request));
  }

  async rotate(id: string, request: RotateRequest): Promise<Issued> {
    const path = `tokens/${encodeURIComponent(id)}/rotate`;
    return issued(await this.#post<IssuedToken>(path, request));
  }

  revoke(id: string, request: RevokeRequest): Promise<Revocation> {
    const path = `tokens/${encodeURIComponent(id)}/revoke`;
    return this.#post<Revocation>(path, request);
  }

  async #post<Reply>(path: string, body: object): Promise<Reply> {
    const csrfToken = this.#csrfToken;
    try {
      return await this.#send<Reply>(path, body, csrfToken);
    } catch (thrown) {
      const isForbidden =
        thrown instanceof Failure && thrown.code === "forbidden";
      if (!isForbidden || csrfToken === null) throw thrown;
      // Somebody signed in anew in another tab. Nothing was done yet.
      return this.#send<Reply>(path, body, null);
    }
  }

  async #send<Reply>(
    path: string,
    body: object,
    csrfToken: string | null,
  ): Promise<Reply> {
    return this.#ask<Reply>(path, {
      method: "POST",
      headers: {
        "content-type": "application/json",
        "x-csrf-token": csrfToken ?? (await this.#renew()),
      },
      body: JSON.stringify(body),
    });
  }

  /** The CSRF token of a session that was made since, of the same person. */
  async #renew(): Promise<string> {
    const { user, csrfToken } = await this.#ask<Session>("session", {});
    if (user !== this.#user) throw new Failure("other-person");
    this.#csrfToken = csrfToken;
    return csrfToken;
  }

  async #ask<Reply>(path: string, init: RequestInit): Promise<Reply> {
    let response: Response;
    let reply: unknown;
    try {
      response = await fetch(this.#base + path, {
        ...init,
        cache: "no-store",
        redirect: "error",
        signal: AbortSignal.timeout(PATIENCE),
      });
      reply = await response.json();
    } catch {
      throw new Failure("unreachable");
    }
    if (response.ok) return reply as Reply;
    const type = response.headers.get("content-type") ?? "";
    if (!type.startsWith("application/problem+json")) {
      // Of something between here and the backend.
      throw new Failure("unreachable");
    }
    if (response.status === 401 || response.status === 403) {
      this.#csrfToken = null;
    }
    throw Failure.of(reply as Problem);
  }
}

function issued({ token, secret }: IssuedToken): Issued {
  return { token, secret: new Secret(secret) };
}
