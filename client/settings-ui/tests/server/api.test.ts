/** Each row of api/index.ts, against the real service. */
import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { describe, it } from "node:test";

import { Verdict } from "@wemasy/tokens";

import type {
  IssuedToken,
  Problem,
  Revocation,
  Session,
  Token,
  TokenPage,
} from "../../api/index.js";
import { form, Visitor } from "../support/client.js";
import { useStack } from "../support/stack.js";

const stack = useStack({ flags: ["--scopes=pages:read,pages:write"] });
const signIn = (person = {}) =>
  Visitor.signIn(stack.backend, stack.issuer, person);

it("GET session says who is signed in, and what is on offer", async () => {
  const visitor = await signIn({ user: "user-8" });
  const { status, body } = await visitor.get<Session>("session");
  assert.equal(status, 200);
  assert.deepEqual(body, {
    project: visitor.project,
    user: "user-8",
    csrfToken: visitor.csrfToken,
    expireTime: body.expireTime,
    scopes: ["pages:read", "pages:write"],
  });
  const remaining = Date.parse(body.expireTime) - Date.now();
  assert.ok(remaining > 3500e3 && remaining <= 3600e3);
});

describe("POST tokens", () => {
  it("makes a token that works, in the name of the person", async () => {
    const visitor = await signIn({ user: "user-8" });
    const expireTime = new Date(Date.now() + 90 * 86400e3).toISOString();
    const { token, secret } = await visitor.create({
      displayName: "CI deploy",
      description: "Two\nlines",
      scopes: ["pages:write", "pages:read"],
      expireTime,
    });
    assert.deepEqual(token, {
      id: token.id,
      displayName: "CI deploy",
      description: "Two\nlines",
      hint: secret.slice(-4),
      state: "active",
      scopes: ["pages:read", "pages:write"],
      createTime: token.createTime,
      creator: "user-8",
      expireTime,
      lastUsedTime: null,
      revokeTime: null,
      oldSecretExpireTime: null,
      oldSecretLastUsedTime: null,
    } satisfies Token);
    assert.ok(Math.abs(Date.parse(token.createTime) - Date.now()) < 60e3);
    const answer = await stack.connection.validator.validate(secret);
    assert.equal(answer.verdict, Verdict.VALID);
    assert.equal(answer.identity.project, `projects/${visitor.project}`);
    assert.equal(answer.identity.creator, "user-8");
  });

  it("takes its project and its actor from the session alone", async () => {
    const visitor = await signIn();
    const other = await signIn({ project: "somebody-elses" });
    for (const extra of [
      { parent: "projects/somebody-elses" },
      { project: "somebody-elses" },
      { actor: "admin" },
    ]) {
      const { status, body } = await visitor.post("tokens", {
        ...form(),
        ...extra,
      });
      assert.equal(status, 400);
      assert.equal(body.code, "invalid");
    }
    const { body } = await other.get<TokenPage>("tokens");
    assert.deepEqual(body.tokens, []);
  });

  const names = {
    markup: '<img src=x onerror="alert(1)">&amp;</script>',
    "100 emoji": "👩🏽".repeat(50),
    "right-to-left text": "مفتاح النشر",
    "directions overridden": "a\u202eb",
  };
  for (const [kind, displayName] of Object.entries(names)) {
    it(`keeps a name of ${kind} as it is`, async () => {
      const visitor = await signIn();
      const { token } = await visitor.create({ displayName });
      assert.equal(token.displayName, displayName);
      const { body } = await visitor.get<TokenPage>("tokens");
      assert.equal(body.tokens[0]?.displayName, displayName);
    });
  }

  const wrong: [string, Record<string, unknown>, string[]][] = [
    ["no name", { displayName: "" }, ["displayName"]],
    ["101 characters", { displayName: "x".repeat(101) }, ["displayName"]],
    ["a control character", { displayName: "a\u0007" }, ["displayName"]],
    ["half a character", { displayName: "a\ud83d" }, ["displayName"]],
    ["a name of another type", { displayName: 7 }, ["displayName"]],
    ["no field of that name", { displayName: undefined }, ["displayName"]],
    ["a long description", { description: "x".repeat(1001) }, ["description"]],
    ["a scope not on offer", { scopes: ["admin"] }, ["scopes"]],
    ["a scope twice", { scopes: ["pages:read", "pages:read"] }, ["scopes"]],
    [
      "a time that has passed",
      { expireTime: "2020-01-01T00:00:00Z" },
      ["expireTime"],
    ],
    [
      "a time too far off",
      { expireTime: "2150-01-01T00:00:00Z" },
      ["expireTime"],
    ],
    ["a leap second", { expireTime: "2028-12-31T23:59:60Z" }, ["expireTime"]],
    ["no time at all", { expireTime: "tomorrow" }, ["expireTime"]],
    ["no UUID", { requestId: "7" }, ["requestId"]],
    [
      "a UUID that is not random",
      { requestId: "00000000-0000-1000-8000-000000000000" },
      ["requestId"],
    ],
    [
      "several faults",
      { displayName: "", description: "x".repeat(1001) },
      ["displayName", "description"],
    ],
  ];
  for (const [fault, fields, names] of wrong) {
    it(`names the field for ${fault}, and does not repeat it`, async () => {
      const visitor = await signIn();
      const { status, text, body, headers } = await visitor.post("tokens", {
        ...form(),
        ...fields,
      });
      assert.equal(status, 400);
      assert.equal(headers.get("content-type"), "application/problem+json");
      assert.deepEqual(body, {
        type: "about:blank",
        status: 400,
        title: "Bad Request",
        code: "invalid",
        fields: body.fields,
        requestId: body.requestId,
      });
      assert.deepEqual(
        body.fields?.map(({ field }) => field),
        names,
      );
      for (const value of Object.values(fields)) {
        if (typeof value !== "string" || value.length < 4) continue;
        // Nor as another would write it: a time's date is enough.
        assert.ok(!text.includes(value.slice(0, 10)), text);
      }
      assert.match(body.requestId, /^[0-9a-f-]{36}$/);
      assert.deepEqual(
        (await visitor.get<TokenPage>("tokens")).body.tokens,
        [],
      );
    });
  }
});

describe("GET tokens", () => {
  it("lists newest first, twenty at a time", async () => {
    const visitor = await signIn();
    const names = Array.from({ length: 45 }, (_, i) => `Token ${i}`);
    for (const displayName of names) await visitor.create({ displayName });
    const found: string[] = [];
    const sizes: number[] = [];
    let cursor: string | null = "";
    while (cursor !== null) {
      const { status, body }: { status: number; body: TokenPage } =
        await visitor.get<TokenPage>(
          `tokens?state=&cursor=${encodeURIComponent(cursor)}`,
        );
      assert.equal(status, 200);
      sizes.push(body.tokens.length);
      found.push(...body.tokens.map(({ displayName }) => displayName));
      cursor = body.nextCursor;
    }
    assert.deepEqual(sizes, [20, 20, 5]);
    assert.deepEqual(found, names.toReversed());
  });

  it("leaves a secret out of the log, wherever it was pasted", async () => {
    const visitor = await signIn();
    const { secret } = await visitor.create();
    for (const path of [
      `tokens/${secret}`,
      secret,
      `tokens?cursor=${secret}`,
    ]) {
      assert.ok((await visitor.get(path)).status >= 400);
    }
    const body = form({ displayName: secret, scopes: [secret] });
    assert.equal((await visitor.post("tokens", body)).status, 400);
    // useStack looks for it in the log.
  });

  it("has no secret in it", async () => {
    const visitor = await signIn();
    const { secret, token } = await visitor.create();
    for (const path of ["tokens", `tokens/${token.id}`]) {
      const { text } = await visitor.get(path);
      assert.ok(!text.includes(secret));
    }
  });

  it("filters by state, past pages that the filter left empty", async () => {
    const visitor = await signIn();
    const { token } = await visitor.create();
    await visitor.post(`tokens/${token.id}/revoke`, { reason: "unused" });
    // The service looks at 200 tokens for a page of 20.
    await createMany(visitor, 401);
    const list = async (state: string) =>
      (await visitor.get<TokenPage>(`tokens?state=${state}`)).body;
    assert.deepEqual(
      (await list("revoked")).tokens.map(({ id }) => id),
      [token.id],
    );
    assert.equal((await list("active")).tokens.length, 20);
    assert.deepEqual(await list("expired"), { tokens: [], nextCursor: null });
  });

  /** Past the backend, many at a time. */
  async function createMany({ project }: Visitor, count: number) {
    const request = {
      parent: `projects/${project}`,
      token: { displayName: "One of many" },
      actor: "user-7",
    };
    for (let left = count; left > 0; left -= 40) {
      await Promise.all(
        Array.from({ length: Math.min(left, 40) }, () =>
          stack.connection.tokens.createToken(request),
        ),
      );
    }
  }

  for (const query of [
    "state=bogus",
    "state=active&state=expired",
    "cursor=x",
    `cursor=${"x".repeat(1025)}`,
  ]) {
    it(`refuses ?${query.slice(0, 40)}`, async () => {
      const visitor = await signIn();
      const { status, body } = await visitor.get(`tokens?${query}`);
      assert.equal(status, 400);
      assert.equal(body.code, "invalid");
    });
  }

  it("refuses another project's cursor", async () => {
    const visitor = await signIn();
    for (let i = 0; i < 21; ++i) await visitor.create();
    const { body } = await visitor.get<TokenPage>("tokens");
    assert.ok(body.nextCursor);
    const other = await signIn();
    const answer = await other.get(
      `tokens?cursor=${encodeURIComponent(body.nextCursor)}`,
    );
    assert.equal(answer.status, 400);
  });
});

it("GET tokens/{id} shows the token", async () => {
  const visitor = await signIn();
  const { token } = await visitor.create();
  const { status, body } = await visitor.get<Token>(`tokens/${token.id}`);
  assert.equal(status, 200);
  assert.deepEqual(body, token);
});

describe("POST tokens/{id}/rotate", () => {
  it("gives a new secret, and the old one its grace", async () => {
    const visitor = await signIn();
    const created = await visitor.create();
    const { status, body } = await visitor.post<IssuedToken>(
      `tokens/${created.token.id}/rotate`,
      { requestId: randomUUID(), graceSeconds: 3600 },
    );
    assert.equal(status, 200);
    assert.equal(body.token.id, created.token.id);
    assert.equal(body.token.hint, body.secret.slice(-4));
    assert.notEqual(body.secret, created.secret);
    assert.ok(body.token.oldSecretExpireTime);
    const grace = Date.parse(body.token.oldSecretExpireTime) - Date.now();
    assert.ok(grace > 3500e3 && grace < 3700e3);
    assert.equal(await stack.verdict(created.secret), Verdict.VALID);
    assert.equal(await stack.verdict(body.secret), Verdict.VALID);
  });

  it("ends the old secret at once, without grace", async () => {
    const visitor = await signIn();
    const created = await visitor.create();
    const { body } = await visitor.post<IssuedToken>(
      `tokens/${created.token.id}/rotate`,
      { requestId: randomUUID(), graceSeconds: 0 },
    );
    assert.equal(body.token.oldSecretExpireTime, null);
    assert.notEqual(await stack.verdict(created.secret), Verdict.VALID);
  });

  it("refuses a grace out of bounds", async () => {
    const visitor = await signIn();
    const { token } = await visitor.create();
    for (const graceSeconds of [-1, 604801, 0.5, "60"]) {
      const { status, body } = await visitor.post(`tokens/${token.id}/rotate`, {
        requestId: randomUUID(),
        graceSeconds,
      });
      assert.equal(status, 400);
      assert.deepEqual(
        body.fields?.map(({ field }) => field),
        ["graceSeconds"],
      );
    }
  });

  it("is a conflict for a token that was revoked meanwhile", async () => {
    const visitor = await signIn();
    const { token } = await visitor.create();
    await visitor.post(`tokens/${token.id}/revoke`, { reason: "unused" });
    const { status, body } = await visitor.post(`tokens/${token.id}/rotate`, {
      requestId: randomUUID(),
      graceSeconds: 0,
    });
    assert.equal(status, 409);
    assert.equal(body.code, "conflict");
  });
});

describe("POST tokens/{id}/revoke", () => {
  for (const reason of [
    "unused",
    "superseded",
    "compromised",
    "offboarded",
    "other",
  ]) {
    it(`ends a token that is ${reason}, and says when`, async () => {
      const visitor = await signIn({ user: "user-9" });
      const { token, secret } = await visitor.create();
      const { status, body } = await visitor.post<Revocation>(
        `tokens/${token.id}/revoke`,
        { reason },
      );
      assert.equal(status, 200);
      assert.equal(body.status, "confirmed");
      assert.equal(body.token.state, "revoked");
      assert.ok(body.token.revokeTime);
      assert.ok(
        Date.parse(body.confirmTime) >= Date.parse(body.token.revokeTime),
      );
      assert.equal(await stack.verdict(secret), Verdict.REVOKED);
      const kept = await stack.connection.tokens.getToken({
        name: `projects/${visitor.project}/tokens/${token.id}`,
      });
      assert.equal(kept.token?.revoker, "user-9");
      assert.equal(
        kept.token.revokeReason,
        `REVOKE_REASON_${reason.toUpperCase()}`,
      );
    });
  }

  it("wants a reason that it knows", async () => {
    const visitor = await signIn();
    const { token, secret } = await visitor.create();
    for (const body of [{}, { reason: "bored" }, { reason: "leak_reported" }]) {
      const answer = await visitor.post(`tokens/${token.id}/revoke`, body);
      assert.equal(answer.status, 400);
      assert.equal(answer.body.fields?.[0]?.field, "reason");
    }
    assert.equal(await stack.verdict(secret), Verdict.VALID);
  });
});

describe("a token that is not the session's project's", () => {
  const paths: ["GET" | "POST", string, object?][] = [
    ["GET", ""],
    ["POST", "/rotate", { requestId: randomUUID(), graceSeconds: 0 }],
    ["POST", "/revoke", { reason: "unused" }],
  ];
  for (const [method, suffix, body] of paths) {
    it(`is not found: ${method} tokens/{id}${suffix}`, async () => {
      const owner = await signIn();
      const { token, secret } = await owner.create();
      const other = await signIn();
      const unknown = `t${"0".repeat(26)}`;
      const answers: Problem[] = [];
      for (const id of [token.id, unknown, "t1", "-", "..%2F..%2Fhealthz"]) {
        const path = `tokens/${id}${suffix}`;
        const answer = await (method === "GET"
          ? other.get(path)
          : other.post(path, body));
        assert.equal(answer.status, 404, path);
        answers.push({ ...answer.body, requestId: "" });
      }
      // Nor does the answer tell them apart.
      for (const answer of answers) assert.deepEqual(answer, answers[0]);
      assert.equal(await stack.verdict(secret), Verdict.VALID);
    });
  }
});
