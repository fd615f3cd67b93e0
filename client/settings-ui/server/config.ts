/** What the backend is told when it starts: by flags, or by the environment. */
import { existsSync, readFileSync } from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";

import { connect, type TlsFiles } from "@wemasy/tokens";
import type { JSONWebKeySet } from "jose";

import { readKeys } from "./session.js";

/** What the backend is told. */
export interface Config {
  host: string;
  port: number;
  /** Where browsers see the page, as `https://settings.example.com`. */
  origin: string;
  /** The token service: `host:port`, or what gRPC resolves. */
  tokend: string;
  tokendTls: TlsFiles | undefined;
  /** The platform's public keys; undefined for the development issuer. */
  sessionKeys: JSONWebKeySet | undefined;
  sessionAudience: string;
  /** Where people sign in, with `{project}` for which project, and `{page}` for
   * where to come back to; `{page}` alone if that is in front of the page. */
  signIn: string;
  /** The scopes on offer, in this order. */
  scopes: string[];
  /** The folder of the built page. */
  page: string;
}

interface Flag {
  /** What --help says. */
  help: string;
  /** Unset: a flag without a value. */
  value?: string;
  /** What it is without the flag. */
  otherwise?: string;
}

const FLAGS = {
  listen: {
    value: "HOST:PORT",
    otherwise: "127.0.0.1:7490",
    help: "Where to serve, over plain HTTP.",
  },
  origin: {
    value: "URL",
    help: "Where browsers see the page. https, unless on this machine. Default: http://, and the address of --listen",
  },
  tokend: {
    value: "TARGET",
    otherwise: "127.0.0.1:7443",
    help: "The token service. On this machine, or with the three files below.",
  },
  "tokend-ca": {
    value: "FILE",
    help: "Authorities that the service's certificate may be signed by. PEM.",
  },
  "tokend-cert": {
    value: "FILE",
    help: "This backend's certificate, by which the service knows it. PEM.",
  },
  "tokend-key": { value: "FILE", help: "The certificate's key. PEM." },
  "session-keys": {
    value: "FILE",
    help: "The platform's public keys, a JWK set (Ed25519 or P-256), read at the start. This or --dev-issuer is required.",
  },
  "session-audience": {
    value: "NAME",
    otherwise: "api-access",
    help: "What a session's `aud` must name.",
  },
  "sign-in": {
    value: "URL",
    otherwise: "{page}",
    help: "Where the platform signs people in, with {project}, and {page} for the address to come back to. Without, it is in front of the page.",
  },
  "dev-issuer": {
    help: "Sign in whoever asks, at /dev/sign-in. On this machine only.",
  },
  scopes: {
    value: "LIST",
    otherwise: "pages:read,pages:write,forms:read,forms:write",
    help: "The scopes to offer, a comma between: 1 to 64.",
  },
  page: {
    value: "FOLDER",
    otherwise: fileURLToPath(new URL("../page", import.meta.url)),
    help: "The built page.",
  },
} satisfies Record<string, Flag>;

type Name = keyof typeof FLAGS;
const NAMES = Object.keys(FLAGS) as Name[];

/** All that is wrong with the configuration, a line each. */
export class ConfigError extends Error {
  override readonly name = "ConfigError";

  constructor(readonly faults: readonly string[]) {
    super(faults.join("\n"));
  }
}

/** What --help prints. */
export function usage(): string {
  const lines = NAMES.map((name) => {
    const { help, value, otherwise }: Flag = FLAGS[name];
    const flag = value ? `--${name} ${value}` : `--${name}`;
    const suffix = otherwise ? ` Default: ${otherwise}` : "";
    return `  ${flag}\n      ${help}${suffix}`;
  });
  return `Serves the page Project settings → API access until SIGTERM or SIGINT.

Usage: start [FLAG...]

${lines.join("\n")}

Every --flag can also be set in the environment, as SETTINGS_UI_FLAG, such as
SETTINGS_UI_TOKEND_CA; one without a value as "true". The command line goes
first.
`;
}

/**
 * Reads the flags. Returns nothing if help is asked for.
 *
 * @throws ConfigError with all faults
 */
export function readConfig(
  args: string[],
  environment: NodeJS.ProcessEnv,
): Config | undefined {
  const given = readFlags(args, environment);
  if (!given) return undefined;

  const faults: string[] = [];
  /** Runs a check; its error is a fault of the flag. */
  const check = <T>(name: Name, read: (value: string) => T): T | undefined => {
    const value = given[name] ?? (FLAGS[name] as Flag).otherwise;
    if (value === undefined) return undefined;
    try {
      return read(value);
    } catch (error) {
      faults.push(`--${name} ${(error as Error).message}`);
      return undefined;
    }
  };

  const address = check("listen", readAddress);
  const origin =
    check("origin", readOrigin) ??
    (address && new URL(`http://${address.host}:${address.port}`).origin);
  const isDevelopment = given["dev-issuer"] !== undefined;
  const sessionKeys = check("session-keys", readKeys);
  if (address && origin) {
    if (!isLoopback(new URL(origin).hostname) && !origin.startsWith("https:")) {
      faults.push("--origin is not on this machine, want https");
    }
    if (isDevelopment && !isLoopback(address.host)) {
      faults.push("--dev-issuer wants --listen on this machine");
    }
    if (isDevelopment && !isLoopback(new URL(origin).hostname)) {
      faults.push("--dev-issuer wants --origin on this machine");
    }
  }
  if (isDevelopment === (given["session-keys"] !== undefined)) {
    faults.push("want --session-keys or --dev-issuer, and not both");
  }

  const [ca, cert, key] = (
    ["tokend-ca", "tokend-cert", "tokend-key"] as const
  ).map((name) => check(name, readable));
  const tokendTls = ca && cert && key ? { ca, cert, key } : undefined;
  if (!tokendTls && (ca ?? cert ?? key)) {
    faults.push(
      "want all of --tokend-ca, --tokend-cert and --tokend-key, or none",
    );
  }
  const tokend = check("tokend", (value) => {
    // It knows which targets are on this machine.
    if (!tokendTls) connect(value).close();
    return value;
  });
  const sessionAudience = check("session-audience", notEmpty);
  const signIn = check("sign-in", readSignIn);
  const scopes = check("scopes", readScopes);
  const page = check("page", readPage);

  if (
    faults.length > 0 ||
    !address ||
    !origin ||
    !tokend ||
    !sessionAudience ||
    !signIn ||
    !scopes ||
    !page
  ) {
    throw new ConfigError(faults);
  }
  return {
    ...address,
    origin,
    tokend,
    tokendTls,
    sessionKeys,
    sessionAudience,
    signIn,
    scopes,
    page,
  };
}

type Given = Partial<Record<Name, string>>;

// The command line goes before the environment.
function readFlags(
  args: string[],
  environment: NodeJS.ProcessEnv,
): Given | undefined {
  const faults: string[] = [];
  const given: Given = {};
  const options = Object.fromEntries([
    ["help", { type: "boolean" } as const],
    ...NAMES.map(
      (name) =>
        [
          name,
          { type: (FLAGS[name] as Flag).value ? "string" : "boolean" } as const,
        ] as const,
    ),
  ]);
  for (const name of NAMES) {
    const variable = `SETTINGS_UI_${name.toUpperCase().replaceAll("-", "_")}`;
    const value = environment[variable];
    if (value === undefined) continue;
    if ((FLAGS[name] as Flag).value) given[name] = value;
    else if (value === "true") given[name] = value;
    else if (value !== "false") faults.push(`${variable} wants true or false`);
  }
  try {
    const { values } = parseArgs({ args, options });
    if (values.help) return undefined;
    for (const name of NAMES) {
      if (values[name] !== undefined) given[name] = String(values[name]);
    }
  } catch (error) {
    // Its first sentence says what; the rest is advice for programmers.
    faults.push((error as Error).message.split(". ", 1)[0] ?? "");
  }
  if (faults.length > 0) throw new ConfigError(faults);
  return given;
}

function readAddress(value: string): { host: string; port: number } {
  const [, host, port] =
    /^(\[[0-9a-f:]+\]|[^:[\]]+):(\d{1,5})$/i.exec(value) ?? [];
  if (!host || !(Number(port) >= 1 && Number(port) <= 65535)) {
    throw new Error("wants HOST:PORT, as 127.0.0.1:7490");
  }
  return { host, port: Number(port) };
}

function readOrigin(value: string): string {
  const url = URL.canParse(value) ? new URL(value) : undefined;
  if (!url || !/^https?:$/.test(url.protocol) || url.origin !== value) {
    throw new Error(
      "wants a scheme and a host only, as https://settings.example.com",
    );
  }
  return url.origin;
}

function readSignIn(value: string): string {
  if (value !== "{page}" && !URL.canParse(value)) {
    throw new Error(
      "wants a URL, as https://example.com/sign-in?return={page}",
    );
  }
  return value;
}

function isLoopback(host: string): boolean {
  return /^(localhost|127(\.\d{1,3}){3}|\[::1\])$/.test(host);
}

function readable(file: string): string {
  try {
    readFileSync(file);
  } catch {
    throw new Error("is a file that cannot be read");
  }
  return file;
}

function notEmpty(value: string): string {
  if (value === "") throw new Error("is empty");
  return value;
}

function readScopes(value: string): string[] {
  const scopes = value.split(",").map((scope) => scope.trim());
  if (!scopes.every((scope) => /^[a-z][a-z0-9_.:/-]{0,63}$/.test(scope))) {
    throw new Error("wants scopes of 1 to 64 characters [a-z][a-z0-9_.:/-]*");
  }
  if (new Set(scopes).size !== scopes.length || scopes.length > 64) {
    throw new Error("wants at most 64 scopes, each once");
  }
  return scopes;
}

function readPage(folder: string): string {
  if (!existsSync(path.join(folder, "index.html"))) {
    throw new Error("has no index.html; run client/settings-ui/build");
  }
  return path.resolve(folder);
}
