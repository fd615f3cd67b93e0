/** What the middleware does with requests over HTTP, in each framework. */
import assert from "node:assert/strict";
import { after, before, beforeEach, describe, it } from "node:test";

import { TokensError, type Validator, Verdict } from "@wemasy/tokens";
import { FakeValidator } from "@wemasy/tokens/testing";
import { status } from "@grpc/grpc-js";

import { type App, ask, bearer, frameworks } from "./support/http.js";

const BARE = 'Bearer realm="wemasy"';

const expected = {
  400: {
    challenge: `${BARE}, error="invalid_request"`,
    body: '{"error":"more than one credential"}\n',
  },
  401: {
    challenge: `${BARE}, error="invalid_token"`,
    body: '{"error":"a valid API token is required"}\n',
  },
  403: {
    challenge: `${BARE}, error="insufficient_scope"`,
    body: '{"error":"the API token may not do this"}\n',
  },
};

// Headers, name after value, and the status of the answer; 401 without a
// credential has the bare challenge.
const credentials: [name: string, headers: string[], status: number][] = [
  ["none", [], 401],
  ["another scheme", ["Authorization", "Basic good"], 401],
  ["a longer scheme", ["Authorization", "Bearers good"], 401],
  ["a tab after the scheme", ["Authorization", "Bearer\tgood"], 401],
  ["another header", ["X-Token", "good"], 401],
  ["bearer", ["Authorization", "Bearer good"], 200],
  ["any case", ["aUTHORIZATION", "bEARER good"], 200],
  ["a run of spaces", ["Authorization", "Bearer   good"], 200],
  ["a key", ["X-Api-Key", "good"], 200],
  [
    "another scheme and a key",
    ["Authorization", "Basic a", "X-Api-Key", "good"],
    200,
  ],
  [
    "repeated",
    ["Authorization", "Bearer good", "authorization", "Bearer good"],
    400,
  ],
  ["joined", ["Authorization", "Bearer good,Bearer good"], 400],
  [
    "joined with another scheme",
    ["Authorization", "Basic a, Bearer good"],
    400,
  ],
  ["both", ["Authorization", "Bearer good", "X-Api-Key", "good"], 400],
  ["a repeated key", ["X-Api-Key", "good", "X-Api-Key", "good"], 400],
  ["joined keys", ["X-Api-Key", "good,good"], 400],
  ["no token", ["Authorization", "Bearer"], 400],
  ["an empty key", ["X-Api-Key", ""], 400],
  ["a space inside", ["Authorization", "Bearer good bad"], 400],
  ["a tab inside", ["Authorization", "Bearer good\tbad"], 400],
];

for (const [name, start] of Object.entries(frameworks)) {
  describe(`middleware for ${name}`, () => {
    let validator: FakeValidator;
    let app: App;

    before(async () => {
      // As in an application, one for all requests.
      app = await start({
        validate: (token, wanted) => validator.validate(token, wanted),
      });
    });
    after(() => app.close());
    beforeEach(() => {
      validator = new FakeValidator();
      validator.add("good", { scopes: ["pages:write", "pages:read"] });
      app.passed = 0;
      app.refusals = [];
    });

    for (const [credential, headers, wanted] of credentials) {
      it(`answers ${wanted} to credential: ${credential}`, async () => {
        const answer = await ask(app.url, headers);
        assert.equal(answer.status, wanted, answer.body);
        assert.equal(app.passed, wanted === 200 ? 1 : 0);
        if (wanted === 401) {
          assert.equal(answer.headers["www-authenticate"], BARE);
          assert.equal(answer.body, expected[401].body);
        }
        if (wanted === 400) {
          const { challenge, body } = expected[400];
          assert.equal(answer.headers["www-authenticate"], challenge);
          assert.equal(answer.body, body);
        }
      });
    }

    it("takes no token from the query", async () => {
      const answer = await ask(`${app.url}?access_token=good`);
      assert.equal(answer.status, 401);
    });

    it("attaches the identity", async () => {
      const expireTime = new Date(Date.now() + 60_000);
      validator.add("mine", {
        name: "projects/shop/tokens/t1",
        project: "projects/shop",
        creator: "user-7",
        scopes: ["b", "a"],
        metadata: { plan: "pro" },
        expireTime,
      });
      const { status: got, body } = await ask(app.url, bearer("mine"));
      assert.equal(got, 200);
      assert.deepEqual(JSON.parse(body), {
        name: "projects/shop/tokens/t1",
        project: "projects/shop",
        creator: "user-7",
        scopes: ["a", "b"],
        metadata: { plan: "pro" },
        expireTime: expireTime.toISOString(),
      });
    });

    it("refuses all tokens that do not work alike", async () => {
      validator.revoke("good");
      validator.add("old", { expireTime: new Date(0) });
      for (const token of ["good", "old", "unknown"]) {
        const {
          status: got,
          headers,
          body,
        } = await ask(app.url, bearer(token));
        assert.equal(got, 401);
        assert.equal(headers["www-authenticate"], expected[401].challenge);
        assert.equal(headers["content-type"], "application/json");
        assert.equal(headers["cache-control"], "no-store");
        assert.equal(body, expected[401].body);
      }
      assert.deepEqual(
        app.refusals.map(({ verdict, tokenName }) => [verdict, tokenName]),
        [
          [Verdict.REVOKED, "projects/test/tokens/t1"],
          [Verdict.EXPIRED, "projects/test/tokens/t2"],
          [Verdict.UNKNOWN, undefined],
        ],
      );
    });

    it("refuses a verdict that it does not know", async () => {
      const strange = await start({
        validate: () => Promise.resolve({ verdict: Verdict.UNRECOGNIZED }),
      });
      assert.equal((await ask(strange.url, bearer("good"))).status, 401);
      await strange.close();
    });

    it("lets nothing pass when nobody can say", async () => {
      validator.unavailable = true;
      const answer = await ask(app.url, bearer("good"));
      assert.equal(answer.status, 503);
      assert.equal(answer.headers["retry-after"], "1");
      assert.equal(answer.headers["www-authenticate"], undefined);
      assert.equal(answer.headers["content-type"], "application/json");
      assert.equal(answer.headers["cache-control"], "no-store");
      assert.equal(answer.body, '{"error":"try again in a moment"}\n');
      assert.equal(app.passed, 0);
      assert.ok(app.refusals[0]?.error instanceof TokensError);
    });

    it("answers HEAD without a body", async () => {
      const answer = await ask(app.url, [], "HEAD");
      assert.equal(answer.status, 401);
      assert.equal(answer.body, "");
    });

    describe("with requirements", () => {
      async function askFor(
        requirements: Parameters<typeof start>[1],
        path = "",
      ) {
        const demanding = await start(validator, requirements);
        const answer = await ask(demanding.url + path, bearer("good"));
        await demanding.close();
        return { ...answer, refusals: demanding.refusals };
      }

      it("passes a token that meets them", async () => {
        const scopes = ["pages:read", "pages:write"];
        const answer = await askFor({ scopes, project: "projects/test" });
        assert.equal(answer.status, 200);
      });

      it("forbids a token without a scope, and names those wanted", async () => {
        const scopes = ["pages:read", "pages:delete"];
        const { status: got, headers, body } = await askFor({ scopes });
        assert.equal(got, 403);
        assert.equal(
          headers["www-authenticate"],
          `${expected[403].challenge}, scope="pages:delete pages:read"`,
        );
        assert.equal(body, expected[403].body);
      });

      it("forbids a token of another project", async () => {
        const answer = await askFor({ project: "projects/other" });
        assert.equal(answer.status, 403);
        assert.equal(
          answer.headers["www-authenticate"],
          expected[403].challenge,
        );
        assert.equal(answer.body, expected[403].body);
      });

      it("takes them from a function of the request", async () => {
        const ofQuery = ({ query }: { query: unknown }) => ({
          project: `projects/${(query as { of: string }).of}`,
        });
        assert.equal((await askFor(ofQuery, "?of=test")).status, 200);
        assert.equal((await askFor(ofQuery, "?of=other")).status, 403);
      });

      // The frameworks' own answers have the error's text.
      it("answers 500 if they are malformed, and keeps why to itself", async () => {
        const warned = new Promise((resolve) =>
          process.once("warning", resolve),
        );
        const answer = await askFor({ scopes: ["NOT A SCOPE"] });
        assert.equal(answer.status, 500);
        assert.equal(answer.body, '{"error":"internal error"}\n');
        assert.equal(answer.headers["content-type"], "application/json");
        assert.equal(answer.headers["cache-control"], "no-store");
        assert.equal(answer.headers["retry-after"], undefined);
        assert.match(String(await warned), /malformed/);
        assert.match(String(answer.refusals[0]?.error), /malformed/);
      });

      it("answers 500 if their function throws", async () => {
        const answer = await askFor(() => {
          throw new Error("a bug");
        });
        assert.equal(answer.status, 500);
      });
    });

    it("answers 503 to any error but INVALID_ARGUMENT", async () => {
      const errors = [
        new Error("not gRPC's"),
        new TokensError("", status.PERMISSION_DENIED),
        new TokensError("", status.DEADLINE_EXCEEDED),
        new DOMException("aborted", "AbortError"),
      ];
      for (const error of errors) {
        const failing: Validator = { validate: () => Promise.reject(error) };
        const server = await start(failing);
        assert.equal((await ask(server.url, bearer("good"))).status, 503);
        await server.close();
      }
    });
  });
}
