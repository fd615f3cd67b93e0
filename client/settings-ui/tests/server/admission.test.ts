/** Who may ask for what, and what every reply has; no service is needed. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { readFileSync, writeFileSync } from "node:fs";
import { connect } from "node:net";
import path from "node:path";
import { after, before, describe, it } from "node:test";

import { decodeJwt, generateSecret, SignJWT, UnsecuredJWT } from "jose";

import type { Problem } from "../../api/index.js";
import {
  AUDIENCE,
  type Backend,
  Issuer,
  startBackend,
} from "../support/backend.js";
import { ask, form, Visitor } from "../support/client.js";
import { assertDiscreet, makePage } from "../support/stack.js";

const page = makePage();
let issuer: Issuer;
let stranger: Issuer;
let backend: Backend;
before(async () => {
  issuer = await Issuer.make("EdDSA");
  stranger = await Issuer.make("EdDSA");
  backend = await startBackend([
    // Nobody is there: who gets as far gets 503.
    "--tokend=127.0.0.1:1",
    `--session-keys=${issuer.keys}`,
    `--page=${page.folder}`,
  ]);
});
after(async () => {
  await backend.stop();
  for (const each of [issuer, stranger, page]) each.destroy();
  assertDiscreet(backend.log());
});

const person = { user: "user-7", project: "demo" };
const api = (path: string) =>
  `${backend.origin}/projects/demo/api-access/api/${path}`;
const now = () => Math.floor(Date.now() / 1000);

describe("a session", () => {
  const good: Record<string, () => Promise<string>> = {
    "of today": () => issuer.session(person),
    "with a user of 128 characters": () =>
      issuer.session({ ...person, user: "u".repeat(128) }),
    "for several audiences": () =>
      issuer.session(person, { aud: ["else", AUDIENCE] }),
  };
  for (const [kind, make] of Object.entries(good)) {
    it(`holds: ${kind}`, async () => {
      const cookie = `wemasy_session=${await make()}`;
      const { status } = await ask(api("session"), { headers: { cookie } });
      assert.equal(status, 200);
    });
  }

  const bad: Record<string, () => string | Promise<string>> = {
    "that is not there": () => "",
    "that is no JWT": () => "demo",
    "that has expired": () => issuer.session(person, { exp: now() - 10 }),
    "without an end": async () => issuer.session(person, { exp: undefined }),
    "of tomorrow": () => issuer.session(person, { nbf: now() + 3600 }),
    "for another audience": () => issuer.session(person, { aud: "else" }),
    "for no audience": () => issuer.session(person, { aud: undefined }),
    "of another key": () => stranger.session(person),
    "that was changed": async () => {
      const [head, , signature] = (await issuer.session(person)).split(".");
      const claims = {
        ...decodeJwt(await issuer.session(person)),
        sub: "root",
      };
      const body = Buffer.from(JSON.stringify(claims)).toString("base64url");
      return [head, body, signature].join(".");
    },
    "that is not signed": async () =>
      new UnsecuredJWT(decodeJwt(await issuer.session(person))).encode(),
    "with a key that both sides know": async () =>
      new SignJWT(decodeJwt(await issuer.session(person)))
        .setProtectedHeader({ alg: "HS256" })
        .sign(await generateSecret("HS256")),
    "that is too long": () =>
      issuer.session(person, { padding: "x".repeat(4096) }),
    "without a user": () => issuer.session({ ...person, user: "" }),
    "with a user of 129 characters": () =>
      issuer.session({ ...person, user: "u".repeat(129) }),
    "with a user of another script": () =>
      issuer.session({ ...person, user: "пользователь" }),
    "without a project": () => issuer.session(person, { project: undefined }),
    "with a project that is none": () =>
      issuer.session({ ...person, project: "Demo" }),
    "with a project for all": () => issuer.session({ ...person, project: "-" }),
  };
  for (const [kind, make] of Object.entries(bad)) {
    it(`does not hold: ${kind}`, async () => {
      const cookie = `wemasy_session=${await make()}`;
      for (const path of ["session", "tokens", "tokens/t1"]) {
        const answer = await ask<Problem>(api(path), { headers: { cookie } });
        assert.equal(answer.status, 401);
        assert.equal(answer.body.code, "signed-out");
      }
    });
  }

  it("is of one project", async () => {
    const visitor = await Visitor.signIn(backend, issuer, person);
    const { cookie } = visitor;
    for (const other of ["demo2", "-", "dem", "DEMO", "demo%2F"]) {
      const root = `${backend.origin}/projects/${other}/api-access/api/`;
      for (const path of ["session", "tokens", `tokens/t${"0".repeat(26)}`]) {
        const answer = await ask<Problem>(root + path, { headers: { cookie } });
        assert.equal(answer.status, 404);
        assert.equal(answer.body.code, "not-found");
      }
      const created = await ask(`${root}tokens`, {
        method: "POST",
        headers: visitor.headers(),
        body: JSON.stringify(form()),
      });
      assert.equal(created.status, 404);
    }
  });
});

// Caught: only a session with a `kid` is taken where two keys are of a kind.
describe("while keys are rotated, a session without a kid", () => {
  const people = new Map<string, Issuer>();
  let rotating: Backend;
  before(async () => {
    for (const name of ["old", "new", "forger"]) {
      people.set(name, await Issuer.make("EdDSA"));
    }
    const keys = ["old", "new"].flatMap(
      (name) =>
        (
          JSON.parse(readFileSync(of(name).keys, "utf8")) as {
            keys: unknown[];
          }
        ).keys,
    );
    const both = path.join(of("new").folder, "both.json");
    writeFileSync(both, JSON.stringify({ keys }));
    rotating = await startBackend([
      "--tokend=127.0.0.1:1",
      `--session-keys=${both}`,
      `--page=${page.folder}`,
    ]);
  });
  after(async () => {
    await rotating.stop();
    for (const each of people.values()) each.destroy();
  });

  const of = (name: string) => people.get(name) ?? assert.fail();
  async function statusOf(name: string, claims = {}): Promise<number> {
    const session = await of(name).session(person, claims);
    const { status } = await ask(
      `${rotating.origin}/projects/demo/api-access/api/session`,
      { headers: { cookie: `wemasy_session=${session}` } },
    );
    return status;
  }

  for (const name of ["old", "new"]) {
    it(`holds with the ${name} key`, async () => {
      assert.equal(await statusOf(name), 200);
    });

    it(`is looked at with the ${name} key, too`, async () => {
      assert.equal(await statusOf(name, { exp: now() - 10 }), 401);
      assert.equal(await statusOf(name, { aud: "else" }), 401);
    });
  }

  it("does not hold with a third key", async () => {
    assert.equal(await statusOf("forger"), 401);
  });
});

describe("a change", () => {
  const paths: [string, object][] = [
    ["tokens", form()],
    [
      `tokens/t${"0".repeat(26)}/rotate`,
      { requestId: form().requestId, graceSeconds: 0 },
    ],
    [`tokens/t${"0".repeat(26)}/revoke`, { reason: "unused" }],
  ];
  const foreign: Record<string, Record<string, string | undefined>> = {
    "another site": { origin: "https://evil.example" },
    "another port": { origin: "http://127.0.0.1:1" },
    "this host by another name": { origin: "http://localhost" },
    "an origin that is hidden": { origin: "null" },
    "no origin": { origin: undefined },
    "a site that the browser calls another": { "sec-fetch-site": "cross-site" },
    "a subdomain": { "sec-fetch-site": "same-site" },
    "the address bar": { "sec-fetch-site": "none" },
    "a page without the token": { "x-csrf-token": undefined },
    "a page with an empty token": { "x-csrf-token": "" },
    "a page with a token made up": { "x-csrf-token": "x".repeat(43) },
  };
  for (const [path, body] of paths) {
    for (const [kind, headers] of Object.entries(foreign)) {
      it(`is refused from ${kind}: POST ${path}`, async () => {
        const visitor = await Visitor.signIn(backend, issuer, person);
        const all = { ...visitor.headers(), ...headers };
        const answer = await ask<Problem>(api(path), {
          method: "POST",
          headers: Object.entries(all).filter(
            (each): each is [string, string] => each[1] !== undefined,
          ),
          body: JSON.stringify(body),
        });
        assert.equal(answer.status, 403);
        assert.equal(answer.body.code, "forbidden");
      });
    }

    it(`is refused with another session's token: POST ${path}`, async () => {
      const visitor = await Visitor.signIn(backend, issuer, person);
      const other = await Visitor.signIn(backend, issuer, {
        ...person,
        user: "user-8",
      });
      const answer = await visitor.post(path, body, {
        "x-csrf-token": other.csrfToken,
      });
      assert.equal(answer.status, 403);
    });

    it(`comes through from the page: POST ${path}`, async () => {
      const visitor = await Visitor.signIn(backend, issuer, person);
      for (const headers of [{}, { "sec-fetch-site": "same-origin" }]) {
        const answer = await visitor.post(path, body, headers);
        assert.equal(answer.status, 503);
        assert.equal(answer.body.code, "unavailable");
      }
    });

    it(`is JSON only: POST ${path}`, async () => {
      const visitor = await Visitor.signIn(backend, issuer, person);
      for (const type of [
        "text/plain",
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=x",
      ]) {
        const answer = await visitor.post(path, body, { "content-type": type });
        assert.equal(answer.status, 415, type);
        assert.equal(answer.body.code, "invalid");
      }
    });

    it(`is an object of the contract: POST ${path}`, async () => {
      const visitor = await Visitor.signIn(backend, issuer, person);
      for (const text of [
        "",
        "{",
        "[]",
        "null",
        "7",
        '{"__proto__": {}}',
        JSON.stringify({ ...body, more: 1 }),
      ]) {
        const answer = await visitor.post(path, text);
        assert.equal(answer.status, 400, text);
        assert.equal(answer.body.code, "invalid");
      }
    });

    it(`has at most 16 kB: POST ${path}`, async () => {
      const visitor = await Visitor.signIn(backend, issuer, person);
      const padding = " ".repeat(16 * 1024 - JSON.stringify(body).length);
      const fits = await visitor.post(path, JSON.stringify(body) + padding);
      assert.equal(fits.status, 503);
      const over = await visitor.post(
        path,
        JSON.stringify(body) + padding + " ",
      );
      assert.equal(over.status, 413);
      assert.equal(over.body.code, "invalid");
    });
  }

  it("from another site is refused before the session is looked at", async () => {
    const { status } = await ask(api("tokens"), {
      method: "POST",
      headers: { origin: "https://evil.example" },
    });
    assert.equal(status, 403);
  });

  it("needs a session", async () => {
    const { status } = await ask(api("tokens"), {
      method: "POST",
      headers: { origin: backend.origin },
    });
    assert.equal(status, 401);
  });
});

it("The page is the same for everybody, and for each project", async () => {
  for (const project of ["demo", "another"]) {
    const url = `${backend.origin}/projects/${project}/api-access`;
    const { status, text, headers } = await ask(url);
    assert.equal(status, 200);
    assert.equal(text, "<!doctype html>the page");
    assert.equal(headers.get("content-type"), "text/html; charset=utf-8");
  }
});

describe("the way to sign in", () => {
  const path = "/projects/demo/api-access/sign-in";

  it("is the platform's, and comes back to the page", async (t) => {
    const other = await startBackend([
      "--sign-in=https://a.example/in?for={project}&back={page}",
      `--session-keys=${issuer.keys}`,
      `--page=${page.folder}`,
    ]);
    t.after(() => other.stop());
    const { status, headers } = await ask(other.origin + path);
    assert.equal(status, 302);
    const back = encodeURIComponent(`${other.origin}/projects/demo/api-access`);
    const location = `https://a.example/in?for=demo&back=${back}`;
    assert.equal(headers.get("location"), location);
  });

  it("is the page, where the platform signs in before it", async () => {
    const { headers } = await ask(backend.origin + path);
    const location = `${backend.origin}/projects/demo/api-access`;
    assert.equal(headers.get("location"), location);
  });

  it("leads nowhere for a project that is none", async () => {
    for (const project of ["Demo", "%2F%2Fevil.example"]) {
      const url = `${backend.origin}/projects/${project}/api-access/sign-in`;
      const { status, headers } = await ask(url);
      assert.equal(status, 404);
      assert.equal(headers.get("location"), null);
    }
  });
});

it("GET /healthz says that the process lives, without its service", async () => {
  const { status, body } = await ask(`${backend.origin}/healthz`);
  assert.equal(status, 200);
  assert.deepEqual(body, { status: "ok" });
});

describe("the headers", () => {
  const replies: Record<string, [path: string, status: number, init?: object]> =
    {
      "the page": ["/projects/demo/api-access", 200],
      "its files": ["/assets/index-4f2a.js", 200],
      "a file that is not there": ["/assets/index-0000.js", 404],
      "a way out of the folder": ["/assets/..%2findex.html", 404],
      "a project that is none": ["/projects/Demo/api-access", 404],
      "no such path": ["/nothing", 404],
      "another method": [
        "/projects/demo/api-access",
        404,
        { method: "DELETE" },
      ],
      "a path that is no text": ["/projects/%E0%A4/api-access", 400],
      "a long path": [`/projects/${"x".repeat(500)}/api-access`, 414],
      health: ["/healthz", 200],
      "signed out": ["/projects/demo/api-access/api/tokens", 401],
      "a foreign change": [
        "/projects/demo/api-access/api/tokens",
        403,
        { method: "POST" },
      ],
      "no such call": ["/projects/demo/api-access/api/nothing", 404],
      "the sign-in for development, which is off": ["/dev/sign-in", 404],
      "the whole built page": ["/index.html", 404],
    };
  for (const [kind, [path, status, init]] of Object.entries(replies)) {
    it(`are there: ${kind}`, async () => {
      const answer = await ask<Problem>(backend.origin + path, init);
      assert.equal(answer.status, status);
      assertHeaders(
        answer.headers,
        kind === "its files"
          ? "public, max-age=31536000, immutable"
          : "no-store",
      );
      if (status >= 400) {
        const type = answer.headers.get("content-type");
        assert.equal(type, "application/problem+json");
        assert.equal(answer.body.status, status);
      }
    });
  }

  it("are there when the service is away", async () => {
    const visitor = await Visitor.signIn(backend, issuer, person);
    const answer = await visitor.get("tokens");
    assert.equal(answer.status, 503);
    assertHeaders(answer.headers, "no-store");
  });

  const malformed: [string, string, number][] = [
    ["what is not HTTP", "hello\r\n\r\n", 400],
    [
      "headers that are too long",
      `GET /healthz HTTP/1.1\r\nHost: x\r\nx: ${"x".repeat(20_000)}\r\n\r\n`,
      431,
    ],
  ];
  for (const [kind, text, status] of malformed) {
    it(`are there for ${kind}`, async () => {
      const socket = connect(Number(new URL(backend.origin).port), "127.0.0.1");
      socket.end(text);
      const reply = Buffer.concat(await socket.toArray()).toString();
      assert.match(reply, new RegExp(`^HTTP/1\\.1 ${status} `));
      const lines = reply.split("\r\n").slice(1).filter(Boolean);
      assertHeaders(
        new Headers(
          lines.map((line) => line.split(": ", 2) as [string, string]),
        ),
        "no-store",
      );
    });
  }

  function assertHeaders(headers: Headers, cache: string) {
    assert.equal(headers.get("cache-control"), cache);
    const policy = (headers.get("content-security-policy") ?? "").split("; ");
    for (const part of policy) {
      assert.match(part, /^[a-z-]+ '(self|none)'$/);
    }
    assert.ok(policy.includes("default-src 'none'"));
    assert.ok(policy.includes("script-src 'self'"));
    assert.ok(policy.includes("frame-ancestors 'none'"));
    assert.ok(policy.includes("base-uri 'none'"));
    assert.equal(headers.get("x-content-type-options"), "nosniff");
    assert.equal(headers.get("referrer-policy"), "no-referrer");
    assert.equal(headers.get("cross-origin-opener-policy"), "same-origin");
    assert.equal(headers.get("cross-origin-resource-policy"), "same-origin");
    assert.ok(headers.get("permissions-policy"));
    assert.equal(headers.get("strict-transport-security"), null);
    assert.equal(headers.get("access-control-allow-origin"), null);
  }
});

describe("behind https", () => {
  it("the cookie is one of this host alone, and browsers stay with https", async (t) => {
    const secure = await startBackend([
      "--origin=https://settings.example.com",
      `--session-keys=${issuer.keys}`,
      `--page=${page.folder}`,
    ]);
    t.after(() => secure.stop());
    const url = `${secure.origin}/projects/demo/api-access/api/session`;
    const session = await issuer.session(person);
    const statusWith = async (name: string) => {
      const headers = { cookie: `${name}=${session}` };
      return (await ask(url, { headers })).status;
    };
    assert.equal(await statusWith("__Host-wemasy_session"), 200);
    assert.equal(await statusWith("wemasy_session"), 401);
    const { headers } = await ask(`${secure.origin}/healthz`);
    assert.match(
      headers.get("strict-transport-security") ?? "",
      /^max-age=\d{8}/,
    );
  });
});

describe("the development issuer", () => {
  let development: Backend;
  before(async () => {
    development = await startBackend([
      "--dev-issuer",
      "--tokend=127.0.0.1:1",
      `--page=${page.folder}`,
    ]);
  });
  after(() => development.stop());

  it("signs in whoever asks, and goes on to the page", async () => {
    const { status, headers } = await ask(
      `${development.origin}/dev/sign-in?project=shop&user=ann`,
    );
    assert.equal(status, 302);
    assert.equal(headers.get("location"), "/projects/shop/api-access");
    const [set = ""] = headers.getSetCookie();
    assert.match(set, /; HttpOnly/);
    assert.match(set, /; SameSite=Strict/);
    assert.match(set, /; Path=\//);
    const answer = await ask<{ user: string; project: string }>(
      `${development.origin}/projects/shop/api-access/api/session`,
      { headers: { cookie: set.split(";", 1)[0] ?? "" } },
    );
    assert.equal(answer.status, 200);
    assert.equal(answer.body.user, "ann");
    assert.equal(answer.body.project, "shop");
  });

  it("is where the page leads", async () => {
    const { headers } = await ask(
      `${development.origin}/projects/shop/api-access/sign-in`,
    );
    const location = `${development.origin}/dev/sign-in?project=shop`;
    assert.equal(headers.get("location"), location);
  });

  it("takes no project or user that is none", async () => {
    for (const query of [
      "project=Shop",
      "project=..%2f",
      "user=",
      "user=a&user=b",
    ]) {
      const { status } = await ask(
        `${development.origin}/dev/sign-in?${query}`,
      );
      assert.equal(status, 400, query);
    }
  });

  it("signs nobody in under another name of this machine", async () => {
    const { port } = new URL(development.origin);
    const socket = connect(Number(port), "127.0.0.1");
    await once(socket, "connect");
    socket.end(
      `GET /dev/sign-in HTTP/1.1\r\nHost: evil.example:${port}\r\nConnection: close\r\n\r\n`,
    );
    const reply = Buffer.concat(await socket.toArray()).toString();
    assert.match(reply, /^HTTP\/1\.1 403 /);
    assert.doesNotMatch(reply, /set-cookie/i);
  });

  it("has a key of its own at each start", async () => {
    const { headers } = await ask(`${development.origin}/dev/sign-in`);
    const cookie = headers.getSetCookie()[0]?.split(";", 1)[0] ?? "";
    assert.equal(
      (await ask(api("session"), { headers: { cookie } })).status,
      401,
    );
    assert.match(development.log(), /\/dev\/sign-in/);
  });
});
