/** The flags, and what is wrong with them. */
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { type AddressInfo, createServer } from "node:net";
import { tmpdir } from "node:os";
import path from "node:path";
import { after, describe, it } from "node:test";
import { promisify } from "node:util";

import { ConfigError, readConfig } from "../../server/config.js";
import { makePage } from "../support/stack.js";

const folder = mkdtempSync(path.join(tmpdir(), "wemasy-config-"));
const page = makePage();
after(() => {
  rmSync(folder, { recursive: true });
  page.destroy();
});

const file = (name: string, content: unknown) => {
  const location = path.join(folder, name);
  writeFileSync(
    location,
    typeof content === "string" ? content : JSON.stringify(content),
  );
  return location;
};
const publicKey = { kty: "OKP", crv: "Ed25519", x: "A".repeat(43) };
const keys = file("keys.json", { keys: [publicKey] });
const pem = file("a.pem", "a file");
const sound = [`--session-keys=${keys}`, `--page=${page.folder}`];

const read = (flags: string[], environment = {}) => {
  const config = readConfig(flags, environment);
  assert.ok(config);
  return config;
};

it("Little is needed, and the rest is for this machine", () => {
  assert.deepEqual(read(sound), {
    host: "127.0.0.1",
    port: 7490,
    origin: "http://127.0.0.1:7490",
    tokend: "127.0.0.1:7443",
    tokendTls: undefined,
    sessionKeys: { keys: [publicKey] },
    sessionAudience: "api-access",
    signIn: "{page}",
    scopes: ["pages:read", "pages:write", "forms:read", "forms:write"],
    page: page.folder,
  });
});

it("All flags are read", () => {
  const flags = [
    ...["--listen=[::1]:80", "--origin=https://a.example"],
    ...["--tokend=dns:///tokens:7443", `--tokend-ca=${pem}`],
    ...[`--tokend-cert=${pem}`, `--tokend-key=${pem}`],
    ...["--session-audience=me", "--scopes=b:read, a.write"],
    "--sign-in=https://a.example/in?back={page}",
  ];
  const config = read([...sound, ...flags]);
  assert.equal(config.host, "[::1]");
  assert.equal(config.port, 80);
  assert.equal(config.origin, "https://a.example");
  assert.equal(config.tokend, "dns:///tokens:7443");
  assert.deepEqual(config.tokendTls, { ca: pem, cert: pem, key: pem });
  assert.equal(config.sessionAudience, "me");
  assert.equal(config.signIn, "https://a.example/in?back={page}");
  assert.deepEqual(config.scopes, ["b:read", "a.write"]);
});

it("The environment counts, and the command line before it", () => {
  const environment = {
    SETTINGS_UI_SESSION_KEYS: keys,
    SETTINGS_UI_PAGE: page.folder,
    SETTINGS_UI_TOKEND: "localhost:1",
    SETTINGS_UI_LISTEN: "localhost:2",
    SETTINGS_UI_DEV_ISSUER: "false",
  };
  const config = read(["--listen=localhost:3"], environment);
  assert.equal(config.tokend, "localhost:1");
  assert.equal(config.port, 3);
});

it("The origin is as browsers write it", () => {
  const origins = {
    "127.0.0.1:80": "http://127.0.0.1",
    "LOCALHOST:7490": "http://localhost:7490",
    "[::1]:7490": "http://[::1]:7490",
  };
  for (const [listen, origin] of Object.entries(origins)) {
    assert.equal(read([...sound, `--listen=${listen}`]).origin, origin);
  }
});

it("The development issuer is off until it is asked for", () => {
  assert.ok(read(sound).sessionKeys);
  const flags = ["--dev-issuer", `--page=${page.folder}`];
  assert.equal(read(flags).sessionKeys, undefined);
});

describe("what is wrong is refused", () => {
  const wrong: Record<string, [flags: string[], fault: RegExp]> = {
    "no sessions at all": [[], /^want --session-keys or --dev-issuer/],
    "both kinds of sessions": [
      ["--dev-issuer", ...sound],
      /^want --session-keys or --dev-issuer/,
    ],
    "the development issuer for all to see": [
      ["--dev-issuer", "--listen=0.0.0.0:80", "--origin=https://a.example"],
      /^--dev-issuer wants --listen on this machine/,
    ],
    "the development issuer behind a proxy": [
      ["--dev-issuer", "--origin=https://a.example"],
      /^--dev-issuer wants --origin on this machine/,
    ],
    "plain http for all to see": [
      [...sound, "--listen=0.0.0.0:80"],
      /^--origin is not on this machine, want https/,
    ],
    "a plain origin": [
      [...sound, "--origin=http://a.example"],
      /^--origin is not on this machine, want https/,
    ],
    "an origin with a path": [
      [...sound, "--origin=https://a.example/"],
      /^--origin wants/,
    ],
    "an address without a port": [
      [...sound, "--listen=localhost"],
      /^--listen wants/,
    ],
    "a port that is none": [
      [...sound, "--listen=localhost:65536"],
      /^--listen wants/,
    ],
    "a service elsewhere, without TLS": [
      [...sound, "--tokend=tokens.internal:7443"],
      /^--tokend target is tokens.internal:7443, want loopback, or TLS/,
    ],
    "part of the files for TLS": [
      [...sound, `--tokend-ca=${pem}`],
      /^want all of --tokend-ca/,
    ],
    "a file that is not there": [
      [...sound, `--tokend-key=${folder}/none`],
      /^--tokend-key is a file that cannot be read/,
    ],
    "keys that are not there": [
      [`--session-keys=${folder}/none`],
      /^--session-keys cannot be read/,
    ],
    "keys that are not JSON": [
      [`--session-keys=${pem}`],
      /^--session-keys is not JSON$/,
    ],
    "a key set without keys": [
      [`--session-keys=${file("empty.json", { keys: [] })}`],
      /^--session-keys has no keys/,
    ],
    "a private key": [
      [
        `--session-keys=${file("private.json", { keys: [{ ...publicKey, d: "x" }] })}`,
      ],
      /^--session-keys has a private key/,
    ],
    "a key that both sides know": [
      [
        `--session-keys=${file("oct.json", { keys: [{ kty: "oct", k: "x" }] })}`,
      ],
      /^--session-keys has a private key/,
    ],
    "a key for RSA": [
      [`--session-keys=${file("rsa.json", { keys: [{ kty: "RSA" }] })}`],
      /^--session-keys has another key/,
    ],
    "no audience": [
      [...sound, "--session-audience="],
      /^--session-audience is/,
    ],
    "a sign-in that is no address": [
      [...sound, "--sign-in=/sign-in"],
      /^--sign-in wants/,
    ],
    "a scope that is none": [[...sound, "--scopes=A"], /^--scopes wants/],
    "a scope twice": [[...sound, "--scopes=a,a"], /^--scopes wants/],
    "a page that is not built": [
      [...sound, `--page=${folder}`],
      /^--page has no index.html/,
    ],
    "a flag that is none": [[...sound, "--port=1"], /^Unknown option '--port'/],
    "an argument": [[...sound, "serve"], /^Unexpected argument 'serve'/],
  };
  for (const [kind, [flags, fault]] of Object.entries(wrong)) {
    it(kind, () => {
      const error = faultsOf(flags);
      assert.ok(
        error.some((each) => fault.test(each)),
        error.join("; "),
      );
    });
  }

  it("all at once", () => {
    assert.equal(faultsOf(["--listen=x", "--scopes=A", ...sound]).length, 2);
  });

  it("a word in the environment that is no yes or no", () => {
    const environment = { SETTINGS_UI_DEV_ISSUER: "yes" };
    assert.deepEqual(faultsOf(sound, environment), [
      "SETTINGS_UI_DEV_ISSUER wants true or false",
    ]);
  });

  function faultsOf(flags: string[], environment = {}): readonly string[] {
    try {
      readConfig(flags, environment);
    } catch (error) {
      assert.ok(error instanceof ConfigError);
      return error.faults;
    }
    assert.fail("it was taken");
  }
});

describe("the process", () => {
  const main = path.resolve(import.meta.dirname, "../../server/main.js");
  const run = promisify(execFile);

  it("explains itself", async () => {
    const { stdout } = await run(process.execPath, [main, "--help"]);
    assert.match(stdout, /--session-keys FILE/);
    assert.match(stdout, /SETTINGS_UI_/);
  });

  it("ends with 2 and a line for each fault", async () => {
    await assert.rejects(
      run(process.execPath, [main, "--listen=x", "--scopes=A"]),
      (error: { code: number; stdout: string; stderr: string }) => {
        assert.equal(error.code, 2);
        assert.equal(error.stdout, "");
        assert.match(error.stderr, /^error: --listen wants/m);
        assert.match(error.stderr, /^error: --scopes wants/m);
        return true;
      },
    );
  });

  it("ends with 1 where its address is taken", async () => {
    const other = createServer().listen(0, "127.0.0.1");
    await once(other, "listening");
    const { port } = other.address() as AddressInfo;
    const flags = ["--dev-issuer", `--listen=127.0.0.1:${port}`];
    await assert.rejects(
      run(process.execPath, [main, ...flags, `--page=${page.folder}`]),
      { code: 1 },
    );
    other.close();
  });
});
