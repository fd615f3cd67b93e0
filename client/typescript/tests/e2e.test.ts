/** Protected endpoints, with a real server behind them. */
import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";

import { status } from "@grpc/grpc-js";
import { connect } from "@wemasy/tokens";
import { requireToken } from "@wemasy/tokens/grpc";

import { describeValidator } from "./support/contract.js";
import { startGrpc } from "./support/grpc.js";
import { ask, bearer, frameworks } from "./support/http.js";
import { Project, serverTarget } from "./support/tokend.js";

// Well-formed, and never issued: see docs/token-format.md.
const UNKNOWN = "wmsy_0000000000000000000000000000000S6bjG";

const target = serverTarget();
const project = new Project();
const other = new Project();
const { validator } = project.connection;
const nobody = connect("127.0.0.1:1");
const requirements = { scopes: ["pages:read"], project: project.name };

after(() => {
  for (const { connection } of [project, other]) connection.close();
  nobody.close();
});

describeValidator("the service", () => {
  const names = new Map<string, string>();
  return Promise.resolve({
    validator,
    project: project.name,
    async issue(fields) {
      const { name, secret } = await project.issue(fields);
      names.set(secret, name);
      return secret;
    },
    revoke: (token) => project.revoke({ name: names.get(token) ?? "" }),
  });
});

for (const [framework, start] of Object.entries(frameworks)) {
  it(`a token's life at an endpoint of ${framework}`, async () => {
    const app = await start(validator, requirements);
    const statusOf = async (...headers: string[]) =>
      (await ask(app.url, headers)).status;

    const token = await project.issue({
      scopes: ["pages:read", "pages:write"],
      metadata: { plan: "pro" },
    });
    const answer = await ask(app.url, bearer(token.secret));
    assert.equal(answer.status, 200);
    assert.deepEqual(JSON.parse(answer.body), {
      name: token.name,
      project: project.name,
      creator: "user-7",
      scopes: ["pages:read", "pages:write"],
      metadata: { plan: "pro" },
    });
    await project.revoke(token);
    assert.equal(await statusOf(...bearer(token.secret)), 401);

    const foreign = await other.issue({ scopes: ["pages:read"] });
    assert.equal(await statusOf(...bearer(foreign.secret)), 403);
    const weak = await project.issue({ scopes: ["pages:write"] });
    assert.equal(await statusOf(...bearer(weak.secret)), 403);
    const [two, one] = [bearer(weak.secret), bearer(UNKNOWN)];
    assert.equal(await statusOf(...two, ...two), 400);
    assert.equal(await statusOf(), 401);
    assert.equal(await statusOf(...bearer("malformed")), 401);
    assert.equal(await statusOf(...bearer("not-\u00e4scii")), 401);
    assert.equal(await statusOf(...one), 401);
    await app.close();
  });

  it(`${framework} answers 503 while the service is away`, async () => {
    const app = await start(nobody.validator);
    assert.equal((await ask(app.url, bearer(UNKNOWN))).status, 503);
    await app.close();
  });

  it(`${framework} answers 500 if its requirements are malformed`, async () => {
    const app = await start(validator, { scopes: ["NOT A SCOPE"] });
    assert.equal((await ask(app.url, bearer(UNKNOWN))).status, 500);
    await app.close();
  });
}

it("a token's life at a method of gRPC", async () => {
  const app = await startGrpc(
    requireToken(validator, requirements, { tokenHeaders: ["x-api-key"] }),
  );
  const read = (token: string, metadata = {}) =>
    app.call("read", { authorization: `Bearer ${token}`, ...metadata });

  const token = await project.issue({ scopes: ["pages:read"] });
  assert.deepEqual(await read(token.secret), {
    name: token.name,
    project: project.name,
    creator: "user-7",
    scopes: ["pages:read"],
    metadata: {},
  });
  await project.revoke(token);
  const unauthenticated = { code: status.UNAUTHENTICATED };
  await assert.rejects(read(token.secret), unauthenticated);

  const denied = { code: status.PERMISSION_DENIED };
  const foreign = await other.issue({ scopes: ["pages:read"] });
  await assert.rejects(read(foreign.secret), denied);
  const weak = await project.issue({ scopes: ["pages:write"] });
  await assert.rejects(read(weak.secret), denied);
  await assert.rejects(read(weak.secret, { "x-api-key": weak.secret }), {
    code: status.INVALID_ARGUMENT,
  });
  await assert.rejects(app.call("read"), unauthenticated);
  await assert.rejects(read("malformed"), unauthenticated);
  await assert.rejects(read(UNKNOWN), unauthenticated);
  app.close();

  const away = await startGrpc(requireToken(nobody.validator, {}));
  await assert.rejects(
    away.call("read", { authorization: `Bearer ${UNKNOWN}` }),
    { code: status.UNAVAILABLE },
  );
  away.close();
});

describe("the example", () => {
  let example: ChildProcess;
  let url: string;
  before(async () => {
    const program = join(import.meta.dirname, "../example/server.js");
    example = spawn(process.execPath, [program], {
      env: { ...process.env, WEMASY_TOKENS_TARGET: target, PORT: "0" },
      stdio: ["ignore", "pipe", "inherit"],
    });
    assert.ok(example.stdout);
    const [line] = (await once(example.stdout, "data")) as [Buffer];
    url = /http:\S+/.exec(line.toString())?.[0] ?? "";
  });
  after(() => example.kill());

  it("lets a token in, and not without", async () => {
    const { secret } = await project.issue({ scopes: ["pages:read"] });
    const { status: got, body } = await ask(url, bearer(secret));
    assert.equal(got, 200);
    assert.match(body, new RegExp(project.name));
    assert.equal((await ask(url)).status, 401);
  });
});
