/** The real backend, as a process, and sessions that it takes. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

import { exportJWK, generateKeyPair, type CryptoKey, SignJWT } from "jose";

const MAIN = path.resolve(import.meta.dirname, "../../server/main.js");

// A machine that is busy may take long to start a process.
const START_SECONDS = 30;

export const AUDIENCE = "api-access";

/** The platform's part: it signs sessions. */
export class Issuer {
  readonly folder = mkdtempSync(path.join(tmpdir(), "wemasy-session-"));
  /** Its public keys. */
  readonly keys = path.join(this.folder, "keys.json");

  private constructor(
    readonly privateKey: CryptoKey,
    readonly algorithm: string,
  ) {}

  static async make(algorithm: "EdDSA" | "ES256" = "ES256"): Promise<Issuer> {
    const pair = await generateKeyPair(algorithm);
    const issuer = new Issuer(pair.privateKey, algorithm);
    const keys = [await exportJWK(pair.publicKey)];
    writeFileSync(issuer.keys, JSON.stringify({ keys }));
    return issuer;
  }

  /** Signs a session of an hour; `claims` are added, or stand in place. */
  async session(
    person: { user: string; project: string },
    claims: Record<string, unknown> = {},
  ): Promise<string> {
    return new SignJWT({
      sub: person.user,
      project: person.project,
      aud: AUDIENCE,
      exp: Math.floor(Date.now() / 1000) + 3600,
      ...claims,
    })
      .setProtectedHeader({ alg: this.algorithm })
      .sign(this.privateKey);
  }

  destroy(): void {
    rmSync(this.folder, { recursive: true });
  }
}

/** A backend that runs. */
export interface Backend {
  /** As `http://127.0.0.1:12345`. */
  origin: string;
  /** What it has logged so far. */
  log(): string;
  /** Ends it, as an operator would, and returns its exit status. */
  stop(): Promise<number | null>;
}

/** Starts a backend. `flags` are added to --listen. */
export async function startBackend(flags: string[]): Promise<Backend> {
  const port = await freePort();
  const origin = `http://127.0.0.1:${port}`;
  const child = spawn(
    process.execPath,
    [MAIN, `--listen=127.0.0.1:${port}`, ...flags],
    { stdio: ["ignore", "pipe", "pipe"] },
  );
  let log = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding("utf8").on("data", (text: string) => (log += text));
  }
  const exited = once(child, "exit");
  const backend = {
    origin,
    log: () => log,
    async stop() {
      child.kill("SIGTERM");
      await exited;
      return child.exitCode;
    },
  };
  const end = Date.now() + START_SECONDS * 1000;
  while (!log.includes("serving http")) {
    if (child.exitCode !== null || Date.now() > end) {
      await backend.stop();
      throw new Error(`the backend does not start: ${log}`);
    }
    await sleep(20);
  }
  return backend;
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, "close");
  return port;
}
