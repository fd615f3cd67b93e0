/** The page itself, as Vite built it. */
import { readFileSync } from "node:fs";
import path from "node:path";

import serveStatic from "@fastify/static";
import type { FastifyInstance } from "fastify";

import { IMMUTABLE } from "./headers.js";
import { Refusal } from "./problem.js";
import { isProjectId } from "./session.js";

/**
 * Serves the page of each project, and its files. The page has nothing of a
 * project in it, so whoever is not signed in may have it too.
 */
export async function servePage(
  app: FastifyInstance,
  folder: string,
): Promise<void> {
  const index = readFileSync(path.join(folder, "index.html"));
  app.get<{ Params: { project: string } }>(
    "/projects/:project/api-access",
    (request, reply) => {
      if (!isProjectId(request.params.project)) throw new Refusal("not-found");
      return reply.type("text/html; charset=utf-8").send(index);
    },
  );
  // Vite puts a hash of what is in a file into its name.
  await app.register(serveStatic, {
    root: path.join(folder, "assets"),
    prefix: "/assets/",
    index: false,
    cacheControl: false,
    setHeaders(reply) {
      void reply.header("cache-control", IMMUTABLE);
    },
  });
}
