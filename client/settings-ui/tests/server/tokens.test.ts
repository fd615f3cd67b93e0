/** Tokens of the service, as the browser is shown them. */
import assert from "node:assert/strict";
import { after, before, it } from "node:test";

import { type TokenService, TokenState } from "@wemasy/tokens";
import { ListTokensResponse } from "@wemasy/tokens/v1/token_service";

import type { Problem, TokenPage } from "../../api/index.js";
import { makeApp } from "../../server/app.js";
import { readConfig } from "../../server/config.js";
import { cookieName } from "../../server/session.js";
import { AUDIENCE, Issuer } from "../support/backend.js";
import { makePage } from "../support/stack.js";

const page = makePage();
let issuer: Issuer;
before(async () => (issuer = await Issuer.make()));
after(() => {
  issuer.destroy();
  page.destroy();
});

/** What GET tokens answers if the service has tokens in these states. */
async function list(states: TokenState[]) {
  const tokens = states.map((state, i) => ({
    name: `projects/demo/tokens/t${i}`,
    state,
    createTime: new Date(),
  }));
  // As it comes from the wire, where a state is a number.
  const bytes = ListTokensResponse.encode(
    ListTokensResponse.fromPartial({ tokens }),
  ).finish();
  const service: Pick<TokenService, "listTokens"> = {
    listTokens: () => Promise.resolve(ListTokensResponse.decode(bytes)),
  };
  const config = readConfig(
    [
      `--session-keys=${issuer.keys}`,
      `--session-audience=${AUDIENCE}`,
      `--page=${page.folder}`,
    ],
    {},
  );
  assert.ok(config);
  const app = await makeApp(config, service as TokenService);
  app.log.level = "silent";
  const session = await issuer.session({ user: "user-7", project: "demo" });
  return app.inject({
    url: "/projects/demo/api-access/api/tokens",
    cookies: { [cookieName(config.origin)]: session },
  });
}

// Caught: one such token, and the project's list is an error.
it("A state that is newer than the backend is inactive", async () => {
  const reply = await list([
    TokenState.ACTIVE,
    TokenState.UNRECOGNIZED,
    TokenState.EXPIRED,
    TokenState.REVOKED,
  ]);
  assert.equal(reply.statusCode, 200);
  assert.deepEqual(
    reply.json<TokenPage>().tokens.map(({ id, state }) => [id, state]),
    [
      ["t0", "active"],
      ["t1", "inactive"],
      ["t2", "expired"],
      ["t3", "revoked"],
    ],
  );
});

it("A token without a state is a fault of the service", async () => {
  const reply = await list([TokenState.ACTIVE, TokenState.UNSPECIFIED]);
  assert.equal(reply.statusCode, 500);
  assert.equal(reply.json<Problem>().code, "internal");
});
