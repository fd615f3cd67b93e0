/** Real servers with a protected route, and a client that sends any headers. */
import { once } from "node:events";
import http from "node:http";
import { createRequire } from "node:module";
import type { AddressInfo } from "node:net";

import { identityOf, type Requirements, type Validator } from "@wemasy/tokens";
import * as forExpress from "@wemasy/tokens/express";
import * as forFastify from "@wemasy/tokens/fastify";
import type { Refusal } from "@wemasy/tokens";
import express from "express";
import fastify from "fastify";

export interface App {
  url: string;
  /** How many requests came through. */
  passed: number;
  refusals: Refusal[];
  close(): Promise<void>;
}

/** What the route asks: the same of all requests, or by their query. */
type RouteRequirements =
  Requirements | ((request: { query: unknown }) => Requirements);

/** Serves `GET /`, which answers with the identity. */
export type StartApp = (
  validator: Validator,
  requirements?: RouteRequirements,
) => Promise<App>;

// In another case and twice, neither of which counts.
const TOKEN_HEADERS = ["X-Api-Key", "X-API-KEY", "Authorization"];

// It has no types of its own, and those of its successor fit.
const express4 = createRequire(import.meta.url)("express4") as typeof express;

export const frameworks: Record<string, StartApp> = {
  Express: (...args) => startExpress(express, ...args),
  "Express 4": (...args) => startExpress(express4, ...args),
  Fastify: startFastify,
};

async function startExpress(
  framework: typeof express,
  ...[validator, requirements = {}]: Parameters<StartApp>
): Promise<App> {
  const app = { passed: 0, refusals: [] as Refusal[] };
  const server = framework()
    // Else it prints the errors that we provoke.
    .set("env", "test")
    .get(
      "/",
      forExpress.requireToken(validator, requirements, {
        tokenHeaders: TOKEN_HEADERS,
        onRefused: (refusal) => app.refusals.push(refusal),
      }),
      (request, response) => {
        app.passed++;
        response.json(identityOf(request));
      },
    )
    .listen(0, "127.0.0.1");
  await once(server, "listening");
  return Object.assign(app, {
    url: urlOf(server.address() as AddressInfo),
    async close() {
      server.close();
      await once(server, "close");
    },
  });
}

async function startFastify(
  ...[validator, requirements = {}]: Parameters<StartApp>
): Promise<App> {
  const app = { passed: 0, refusals: [] as Refusal[] };
  const server = fastify();
  const onRequest = forFastify.requireToken(validator, requirements, {
    tokenHeaders: TOKEN_HEADERS,
    onRefused: (refusal) => app.refusals.push(refusal),
  });
  server.get("/", { onRequest }, (request) => {
    app.passed++;
    return identityOf(request);
  });
  await server.listen({ host: "127.0.0.1", port: 0 });
  return Object.assign(app, {
    url: urlOf(server.server.address() as AddressInfo),
    close: () => server.close(),
  });
}

export interface Answer {
  status: number;
  headers: http.IncomingHttpHeaders;
  body: string;
}

/** Asks for `url` with these headers: name, value, name, value, as they are. */
export async function ask(
  url: string,
  headers: string[] = [],
  method = "GET",
): Promise<Answer> {
  const request = http.request(url, {
    method,
    agent: false,
    headers: ["Host", new URL(url).host, ...headers],
  });
  request.end();
  const [response] = (await once(request, "response")) as [
    http.IncomingMessage,
  ];
  const body = Buffer.concat(await response.toArray()).toString();
  return { status: response.statusCode ?? 0, headers: response.headers, body };
}

/** The header that presents `token`. */
export function bearer(token: string): string[] {
  return ["Authorization", `Bearer ${token}`];
}

function urlOf({ port }: AddressInfo): string {
  return `http://127.0.0.1:${port}/`;
}
