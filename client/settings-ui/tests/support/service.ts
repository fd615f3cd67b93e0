/** The real token service, with a PostgreSQL of its own. */
import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import path from "node:path";
import { createInterface, type Interface } from "node:readline";

import { connect, type Connection, type TlsFiles } from "@wemasy/tokens";

const ROOT = path.resolve(import.meta.dirname, "../../../../..");

export interface ServiceOptions {
  /** How many servers on the database. */
  servers?: number;
  /** Whether they want mutual TLS. */
  tls?: boolean;
  /** Flags of `tokend serve`, without dashes: `max-active-tokens=2`. */
  flags?: string[];
}

/** Some servers; tests/e2e/harness/serve.py runs them. */
export class Service {
  /** `host:port` of each server. */
  readonly targets: string[] = [];
  /** What calls them with TLS. */
  tls: TlsFiles | undefined;
  readonly #process: ChildProcess;
  readonly #exit: Promise<unknown>;
  readonly #lines: AsyncIterator<string>;
  readonly #reader: Interface;

  private constructor({ servers = 1, tls, flags = [] }: ServiceOptions) {
    const environment = execFileSync(path.join(ROOT, "scripts/python-env"), {
      encoding: "utf8",
    }).trim();
    this.#process = spawn(
      path.join(environment, "bin/python"),
      [
        ...["-m", "harness.serve", `--servers=${servers}`],
        ...(tls ? ["--tls"] : []),
        ...flags,
      ],
      {
        cwd: path.join(ROOT, "tests/e2e"),
        env: { ...process.env, PYTHONDONTWRITEBYTECODE: "1" },
        stdio: ["pipe", "pipe", "inherit"],
      },
    );
    this.#exit = once(this.#process, "exit");
    const { stdout } = this.#process;
    if (!stdout) throw new Error("no standard output");
    this.#reader = createInterface(stdout);
    this.#lines = this.#reader[Symbol.asyncIterator]();
  }

  /** Returns when the servers serve. */
  static async start(options: ServiceOptions = {}): Promise<Service> {
    const service = new Service(options);
    const { targets, call } = (await service.#answer()) as {
      targets: string[];
      call: { ca: string; certificate: string; key: string } | null;
    };
    service.targets.push(...targets);
    if (call) {
      service.tls = { ca: call.ca, cert: call.certificate, key: call.key };
    }
    return service;
  }

  /** The address of server `i`. */
  target(i = 0): string {
    const target = this.targets[i];
    if (!target) throw new Error(`there is no server ${i}`);
    return target;
  }

  /** A connection to server `i`, to ask it past the backend. */
  connect(i = 0): Connection {
    return connect(this.target(i), { tls: this.tls });
  }

  /** Starts server `i` again, ends it, stops it amidst what it does, or lets
   * it go on. Returns when that is done. */
  async tell(
    command: "start" | "stop" | "freeze" | "thaw",
    i = 0,
  ): Promise<void> {
    this.#process.stdin?.write(`${command} ${i}\n`);
    const { error } = (await this.#answer()) as { error?: string };
    if (error) throw new Error(`${command} ${i}: ${error}`);
  }

  /** Ends everything and takes it away. */
  async stop(): Promise<void> {
    this.#process.stdin?.end();
    await this.#exit;
    this.#reader.close();
  }

  async #answer(): Promise<unknown> {
    const line = await this.#lines.next();
    if (line.done) throw new Error("the servers did not start; see above");
    return JSON.parse(line.value);
  }
}
