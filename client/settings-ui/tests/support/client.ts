/** Asks a backend as the page does, and as it would not. */
import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";

import type {
  CreateRequest,
  IssuedToken,
  Problem,
  Session,
} from "../../api/index.js";
import type { Backend, Issuer } from "./backend.js";

export interface Answer<T = unknown> {
  status: number;
  headers: Headers;
  text: string;
  /** The body; a Problem where it was refused. */
  body: T;
}

/** What must be in no log: the secrets, sessions and CSRF tokens so far. */
export const confidences = new Set<string>();

/** Makes a request as it is told. */
export async function ask<T = unknown>(
  url: string,
  init: RequestInit = {},
): Promise<Answer<T>> {
  const reply = await fetch(url, { redirect: "manual", ...init });
  const text = await reply.text();
  const type = reply.headers.get("content-type") ?? "";
  const body = (/[/+]json/.test(type) ? JSON.parse(text) : undefined) as T;
  for (const value of Object.values<unknown>(body ?? {})) {
    if (typeof value === "string" && value.startsWith("wmsy_")) {
      confidences.add(value);
    }
  }
  return { status: reply.status, headers: reply.headers, text, body };
}

/** A person at a page of a project. */
export class Visitor {
  readonly user: string;
  readonly project: string;
  /** The session's cookie, as a header. */
  cookie = "";
  csrfToken = "";
  readonly #backend: Backend;

  private constructor(backend: Backend, project: string, user: string) {
    this.#backend = backend;
    this.project = project;
    this.user = user;
  }

  /** Signs in; without a project, to one of the test's own. */
  static async signIn(
    backend: Backend,
    issuer: Issuer,
    { project = `p-${randomUUID().slice(0, 8)}`, user = "user-7" } = {},
  ): Promise<Visitor> {
    const visitor = new Visitor(backend, project, user);
    const token = await issuer.session({ project, user });
    visitor.cookie = `wemasy_session=${token}`;
    const session = await visitor.get<Session>("session");
    visitor.csrfToken = session.body.csrfToken;
    confidences.add(token).add(visitor.csrfToken);
    return visitor;
  }

  url(path: string): string {
    const { origin } = this.#backend;
    return `${origin}/projects/${this.project}/api-access/api/${path}`;
  }

  get<T = Problem>(path: string): Promise<Answer<T>> {
    return ask<T>(this.url(path), { headers: { cookie: this.cookie } });
  }

  /** POSTs as the page does; `headers` are added, or stand in place. */
  post<T = Problem>(
    path: string,
    body: unknown,
    headers: Record<string, string> = {},
  ): Promise<Answer<T>> {
    return ask<T>(this.url(path), {
      method: "POST",
      headers: { ...this.headers(), ...headers },
      body: typeof body === "string" ? body : JSON.stringify(body),
    });
  }

  /** The headers of the page's own POST. */
  headers(): Record<string, string> {
    return {
      cookie: this.cookie,
      origin: this.#backend.origin,
      "x-csrf-token": this.csrfToken,
      "content-type": "application/json",
    };
  }

  /** Creates a token. */
  async create(fields: Partial<CreateRequest> = {}): Promise<IssuedToken> {
    const { status, body } = await this.post<IssuedToken>(
      "tokens",
      form(fields),
    );
    assert.equal(status, 201);
    return body;
  }
}

/** Waits for something to become true. */
export async function until(
  what: string,
  isTrue: () => boolean | Promise<boolean>,
  seconds = 30,
): Promise<void> {
  const end = Date.now() + seconds * 1000;
  while (!(await isTrue())) {
    assert.ok(Date.now() < end, `not within ${seconds} s: ${what}`);
    await sleep(50);
  }
}

/** A form that is filled in. */
export function form(fields: Partial<CreateRequest> = {}): CreateRequest {
  return {
    requestId: randomUUID(),
    displayName: "Deploy",
    description: "",
    scopes: ["pages:read"],
    expireTime: null,
    ...fields,
  };
}
