/** The page itself, as Vite built it. */
import { readFileSync } from "node:fs";
import path from "node:path";

import serveStatic from "@fastify/static";
import type { FastifyInstance } from "fastify";

import { IMMUTABLE } from "./headers.js";
import { Refusal } from "./problem.js";
import { isProjectId } from "./session.js";

/** Where the page is. */
export interface PageOptions {
  /** The folder of the built page. */
  folder: string;
  /** As browsers see it. */
  origin: string;
  /** Where people sign in: see Config. */
  signIn: string;
}

interface OfProject {
  Params: { project: string };
}

/**
 * Serves the page of each project, its files, and the way to sign in. The page
 * has nothing of a project in it, so whoever is not signed in may have it too.
 */
export async function servePage(
  app: FastifyInstance,
  { folder, origin, signIn }: PageOptions,
): Promise<void> {
  const index = readFileSync(path.join(folder, "index.html"));
  app.get<OfProject>("/projects/:project/api-access", (request, reply) => {
    pathOf(request.params);
    return reply.type("text/html; charset=utf-8").send(index);
  });
  app.get<OfProject>(
    "/projects/:project/api-access/sign-in",
    (request, reply) => {
      const page = origin + pathOf(request.params);
      if (signIn === "{page}") return reply.redirect(page);
      return reply.redirect(
        signIn
          .replaceAll("{page}", encodeURIComponent(page))
          .replaceAll("{project}", request.params.project),
      );
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

function pathOf({ project }: OfProject["Params"]): string {
  if (!isProjectId(project)) throw new Refusal("not-found");
  return `/projects/${project}/api-access`;
}
