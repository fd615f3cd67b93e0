/** All of TokenService, as the backend of a settings page uses it. */
import assert from "node:assert/strict";
import { createHash, randomUUID } from "node:crypto";
import { after, it } from "node:test";

import { credentials, status } from "@grpc/grpc-js";
import {
  AuditAction,
  ErrorReason,
  LeakedTokenOutcome,
  RevokeReason,
  TokensError,
  TokenState,
  Verdict,
} from "@wemasy/tokens";
import {
  GetTokenRequest,
  TokenServiceClient,
} from "@wemasy/tokens/v1/token_service";

import { Project, serverTarget } from "./support/tokend.js";

const project = new Project();
const { tokens, validator } = project.connection;
const actor = "user-7";

after(() => {
  project.connection.close();
});

async function verdictOn(token: string): Promise<Verdict> {
  return (await validator.validate(token)).verdict;
}

it("a creation repeated with its request id makes one token", async () => {
  const request = {
    parent: project.name,
    token: { displayName: "Once" },
    actor,
    requestId: randomUUID(),
  };
  const first = await tokens.createToken(request);
  const second = await tokens.createToken(request);
  assert.equal(second.token?.name, first.token?.name);
  assert.equal(await verdictOn(first.secret), Verdict.REVOKED);
  assert.equal(await verdictOn(second.secret), Verdict.VALID);
  const listed = await tokens.listTokens({ parent: project.name });
  assert.equal(listed.tokens.length, 1);
  await assert.rejects(
    tokens.createToken({ ...request, token: { displayName: "Another" } }),
    { reason: ErrorReason.REQUEST_ID_REUSED },
  );
});

it("a token is created, read, listed, changed, rotated, revoked", async () => {
  const expireTime = new Date(Date.now() + 90 * 86_400_000);
  const created = await tokens.createToken({
    parent: project.name,
    token: { displayName: "CI", scopes: ["b", "a"], expireTime },
    actor,
  });
  const { name, hint } = created.token ?? assert.fail();
  assert.equal(created.secret.length, 41);
  assert.equal(created.secret.slice(-4), hint);

  const read = await tokens.getToken({ name });
  assert.deepEqual(read, { token: created.token });
  assert.equal(read.token?.state, TokenState.ACTIVE);
  assert.deepEqual(read.token.scopes, ["a", "b"]);
  assert.deepEqual(read.token.expireTime, expireTime);

  const page = await tokens.listTokens({ parent: project.name, pageSize: 1 });
  assert.deepEqual(page.tokens, [read.token]);
  assert.notEqual(page.nextPageToken, "");

  const updated = await tokens.updateToken({
    token: { name, displayName: "Deploy", scopes: ["a"] },
    updateMask: ["display_name", "scopes"],
    actor,
  });
  assert.equal(updated.token?.displayName, "Deploy");
  assert.deepEqual(updated.token.scopes, ["a"]);

  const rotated = await tokens.rotateToken({
    name,
    actor,
    gracePeriod: { seconds: 60 },
  });
  assert.notEqual(rotated.secret, created.secret);
  assert.ok(!Object.keys(rotated).includes("secret"));
  assert.equal(await verdictOn(rotated.secret), Verdict.VALID);
  assert.equal(await verdictOn(created.secret), Verdict.VALID);

  const revoked = await tokens.revokeToken({
    name,
    actor,
    reason: RevokeReason.UNUSED,
  });
  assert.equal(revoked.token?.state, TokenState.REVOKED);
  assert.equal(revoked.token.revokeReason, RevokeReason.UNUSED);
  assert.ok(revoked.receipt?.changeNumber);
  assert.equal(await verdictOn(rotated.secret), Verdict.REVOKED);
  assert.equal(await verdictOn(created.secret), Verdict.REVOKED);

  const { auditEvents } = await tokens.listAuditEvents({
    parent: project.name,
  });
  assert.deepEqual(
    auditEvents
      .filter((event) => event.token === name)
      .map(({ action }) => action),
    [
      AuditAction.CREATED,
      AuditAction.UPDATED,
      AuditAction.ROTATED,
      AuditAction.REVOKED,
    ],
  );
});

it("leaked tokens are revoked, by secret and by digest", async () => {
  const [one, two] = [await project.issue(), await project.issue()];
  const digest = createHash("sha256").update(two.secret).digest();
  const { results } = await tokens.revokeLeakedTokens({
    leakedTokens: [
      { evidence: { $case: "secret", value: one.secret }, source: "github" },
      { evidence: { $case: "secretSha256", value: digest } },
      { evidence: { $case: "secret", value: "nonsense" } },
    ],
    actor,
  });
  assert.deepEqual(results, [
    { outcome: LeakedTokenOutcome.REVOKED, name: one.name },
    { outcome: LeakedTokenOutcome.REVOKED, name: two.name },
    { outcome: LeakedTokenOutcome.MALFORMED, name: "" },
  ]);
  assert.equal(await verdictOn(two.secret), Verdict.REVOKED);
});

it("a failure says why, and which fields are at fault", async () => {
  const name = `${project.name}/tokens/t00000000000000000000000000`;
  await assert.rejects(tokens.getToken({ name }), {
    name: "TokensError",
    code: status.NOT_FOUND,
    reason: ErrorReason.TOKEN_NOT_FOUND,
    metadata: { name },
  });
  const error: unknown = await tokens
    .createToken({ parent: project.name, token: { displayName: "" } })
    .catch((reason: unknown) => reason);
  assert.ok(error instanceof TokensError);
  assert.equal(error.reason, ErrorReason.FIELD_INVALID);
  assert.deepEqual(error.fieldViolations.map(({ field }) => field).sort(), [
    "actor",
    "token.display_name",
  ]);
  assert.ok(error.requestId);
});

it("the generated client works by itself", async () => {
  const { name } = await project.issue();
  const client = new TokenServiceClient(
    serverTarget(),
    credentials.createInsecure(),
  );
  const found = await new Promise((resolve, reject) => {
    client.getToken(GetTokenRequest.fromPartial({ name }), (error, reply) => {
      if (error) reject(error);
      else resolve(reply.token?.name);
    });
  });
  assert.equal(found, name);
  client.close();
});
