/** The backend: its routes, and what holds for each of them. */
import { randomUUID } from "node:crypto";
import { STATUS_CODES } from "node:http";

import cookie from "@fastify/cookie";
import type { TokenService } from "@wemasy/tokens";
import fastify, { type FastifyInstance, LogController } from "fastify";

import { serveApi } from "./api.js";
import type { Config } from "./config.js";
import { makeDevIssuer, serveSignIn } from "./dev-issuer.js";
import { securityHeaders } from "./headers.js";
import { servePage } from "./page.js";
import { Refusal } from "./problem.js";
import { refuse } from "./refuse.js";
import { type Person, Sessions } from "./session.js";

/** In bytes. The largest form is below 8 kB. */
const MAX_BODY = 16 * 1024;

// For a whole request to come in, in milliseconds.
const REQUEST_TIMEOUT_MS = 30_000;

/** Makes the backend, ready to listen. */
export async function makeApp(
  config: Config,
  tokens: TokenService,
): Promise<FastifyInstance> {
  const headers = securityHeaders(config.origin);
  const app = fastify({
    bodyLimit: MAX_BODY,
    requestTimeout: REQUEST_TIMEOUT_MS,
    // Nobody else may choose what our log calls a request.
    requestIdHeader: false,
    genReqId: () => randomUUID(),
    // One line for each request, below. Nothing that was sent is in it, whether
    // header, body or address, as anybody may paste a secret anywhere.
    logController: new LogController({
      disableRequestLogging: true,
      requestIdLogLabel: "requestId",
    }),
    // What comes in while we stop is answered as ever.
    return503OnClosing: false,
    logger: {
      timestamp: () => `,"time":"${new Date().toISOString()}"`,
      formatters: { level: (severity) => ({ severity }) },
      base: null,
    },
    ajv: {
      // What was sent is taken as it is, or not at all.
      customOptions: {
        coerceTypes: false,
        removeAdditional: false,
        useDefaults: false,
        allErrors: true,
      },
    },
    // A path that cannot be decoded, for which no hook runs.
    frameworkErrors: (error, request, reply) => {
      refuse(error, request, reply.headers(headers));
    },
    // What is not HTTP, or too long for it, for which there is no request.
    clientErrorHandler(error, socket) {
      if (!socket.writable) return;
      const status = error.code === "HPE_HEADER_OVERFLOW" ? 431 : 400;
      const lines = Object.entries({ ...headers, connection: "close" });
      socket.end(
        [
          `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ""}`,
          ...lines.map(([name, value]) => `${name}: ${value}`),
          "content-length: 0",
          "\r\n",
        ].join("\r\n"),
      );
    },
  });

  // JSON is all that is taken.
  app.removeContentTypeParser("text/plain");
  app.addHook("onRequest", async (_request, reply) => {
    reply.headers(headers);
  });
  // A connection that is kept would hold up the end of the process.
  let isStopping = false;
  app.addHook("preClose", (done) => {
    isStopping = true;
    done();
  });
  app.addHook("onSend", async (_request, reply) => {
    if (isStopping) reply.header("connection", "close");
  });
  app.addHook("onResponse", async (request, reply) => {
    const { method, routeOptions, log } = request;
    const person = request.person as Person | undefined;
    log.info(
      {
        method,
        route: routeOptions.url,
        project: person?.project,
        user: person?.user,
        status: reply.statusCode,
        milliseconds: Math.round(reply.elapsedTime),
      },
      "request",
    );
  });
  app.setNotFoundHandler(() => {
    throw new Refusal("not-found");
  });
  app.setErrorHandler((error, request, reply) => {
    refuse(error, request, reply);
  });

  await app.register(cookie);
  app.get("/healthz", () => ({ status: "ok" }));
  let { sessionKeys: keys, signIn } = config;
  if (!keys) {
    const issuer = await makeDevIssuer(config.sessionAudience);
    signIn = serveSignIn(app, issuer, config.origin);
    keys = issuer.keys;
  }
  const { page: folder, origin } = config;
  await servePage(app, { folder, origin, signIn });
  serveApi(app, {
    tokens,
    sessions: new Sessions(keys, config.sessionAudience),
    origin: config.origin,
    scopes: config.scopes,
  });
  return app;
}
