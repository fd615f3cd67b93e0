/** Everything that a test of the whole needs, for as long as its file runs. */
import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { after, before } from "node:test";

import type { Connection, Verdict } from "@wemasy/tokens";

import { type Backend, Issuer, startBackend } from "./backend.js";
import { confidences } from "./client.js";
import { Service, type ServiceOptions } from "./service.js";

/** What runs. */
export interface Stack {
  service: Service;
  /** To ask the service past the backend. */
  connection: Connection;
  issuer: Issuer;
  backend: Backend;
  /** What the service says of a secret, as a gateway asks. */
  verdict: (secret: string) => Promise<Verdict>;
}

/**
 * Starts a service and a backend before the tests of this file, and ends them
 * after it. In the end the backend's log must be free of secrets.
 *
 * @param flags of the backend, in addition
 */
export function useStack(
  options: ServiceOptions & { flags?: string[]; serviceFlags?: string[] } = {},
): Stack {
  const { serviceFlags = [], flags = [], ...rest } = options;
  const stack = {
    verdict: async (secret) =>
      (await stack.connection.validator.validate(secret)).verdict,
  } as Stack;
  // What has started is ended, however far that came.
  const cleanups: (() => unknown)[] = [];
  let backend: Backend | undefined;
  before(async () => {
    const page = makePage();
    cleanups.push(page.destroy);
    stack.service = await Service.start({ ...rest, flags: serviceFlags });
    cleanups.push(() => stack.service.stop());
    stack.connection = stack.service.connect();
    cleanups.push(() => {
      stack.connection.close();
    });
    stack.issuer = await Issuer.make();
    cleanups.push(() => {
      stack.issuer.destroy();
    });
    const { tls } = stack.service;
    backend = await startBackend([
      `--tokend=${stack.service.target()}`,
      `--session-keys=${stack.issuer.keys}`,
      `--page=${page.folder}`,
      ...(tls
        ? [
            `--tokend-ca=${tls.ca}`,
            `--tokend-cert=${tls.cert}`,
            `--tokend-key=${tls.key}`,
          ]
        : []),
      ...flags,
    ]);
    stack.backend = backend;
    cleanups.push(() => backend?.stop());
  });
  after(async () => {
    for (const cleanup of cleanups.toReversed()) await cleanup();
    if (!backend) return;
    assert.equal(await backend.stop(), 0);
    assertDiscreet(backend.log());
  });
  return stack;
}

/** A log must not have a secret, a session or a CSRF token in it. */
export function assertDiscreet(log: string): void {
  assert.ok(confidences.size > 0, "there was nothing to find");
  for (const confidence of confidences) {
    assert.ok(!log.includes(confidence), `the log has ${confidence}`);
  }
}

/** A page in place of the built one, for tests of the backend alone. */
export function makePage(): { folder: string; destroy: () => void } {
  const folder = mkdtempSync(path.join(tmpdir(), "wemasy-page-"));
  mkdirSync(path.join(folder, "assets"));
  writeFileSync(path.join(folder, "index.html"), "<!doctype html>the page");
  writeFileSync(path.join(folder, "assets/index-4f2a.js"), "// a script");
  return {
    folder,
    destroy() {
      rmSync(folder, { recursive: true });
    },
  };
}
