/** What every validator does: the fake's tests are worth what it is. */
import assert from "node:assert/strict";
import { before, describe, it } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";

import { status } from "@grpc/grpc-js";
import { type Requirements, type Validator, Verdict } from "@wemasy/tokens";

/** A validator, and a way to make tokens for it in one project. */
export interface Subject {
  validator: Validator;
  project: string;
  issue(token: {
    scopes?: string[];
    metadata?: Record<string, string>;
    expireTime?: Date;
  }): Promise<string>;
  revoke(token: string): Promise<void>;
}

export function describeValidator(
  name: string,
  make: () => Promise<Subject>,
): void {
  describe(`validator: ${name}`, () => {
    let subject: Subject;
    let token: string;
    before(async () => {
      subject = await make();
      token = await subject.issue({
        scopes: ["b", "a"],
        metadata: { plan: "pro" },
      });
    });

    async function verdictOn(requirements?: Requirements): Promise<Verdict> {
      return (await subject.validator.validate(token, requirements)).verdict;
    }

    it("says whose a valid token is", async () => {
      const answer = await subject.validator.validate(token);
      assert.equal(answer.verdict, Verdict.VALID);
      const { name: tokenName, project, scopes, metadata } = answer.identity;
      assert.ok(tokenName.startsWith(`${subject.project}/tokens/t`));
      assert.equal(project, subject.project);
      assert.deepEqual(scopes, ["a", "b"]);
      assert.deepEqual(metadata, { plan: "pro" });
      assert.equal(answer.identity.expireTime, undefined);
    });

    it("asks for all required scopes and for the project", async () => {
      const { project } = subject;
      assert.equal(await verdictOn({ scopes: ["a"], project }), Verdict.VALID);
      assert.equal(
        await verdictOn({ scopes: ["a", "c"] }),
        Verdict.INSUFFICIENT_SCOPE,
      );
      assert.equal(
        await verdictOn({ scopes: ["c"], project: "projects/another" }),
        Verdict.WRONG_PROJECT,
      );
    });

    it("rejects malformed requirements with INVALID_ARGUMENT", async () => {
      const malformed: Requirements[] = [
        { scopes: ["Not-A-Scope"] },
        { scopes: [""] },
        { scopes: ["s".repeat(65)] },
        { scopes: Array.from({ length: 65 }, (_, i) => `s${i}`) },
        { project: "shop" },
        { project: "projects/-" },
        { project: "projects/Shop" },
      ];
      for (const requirements of malformed) {
        await assert.rejects(
          verdictOn(requirements),
          { name: "TokensError", code: status.INVALID_ARGUMENT },
          JSON.stringify(requirements),
        );
      }
    });

    it("does not know a token that was never issued", async () => {
      const answer = await subject.validator.validate(
        "wmsy_0000000000000000000000000000000S6bjG",
      );
      assert.equal(answer.verdict, Verdict.UNKNOWN);
      assert.equal(answer.tokenName, undefined);
    });

    it("refuses an expired token", async () => {
      const expireTime = new Date(Date.now() + 5_000);
      const brief = await subject.issue({ expireTime });
      const now = await subject.validator.validate(brief);
      assert.equal(now.verdict, Verdict.VALID);
      assert.deepEqual(now.identity.expireTime, expireTime);
      const verdict = async () =>
        (await subject.validator.validate(brief)).verdict;
      const end = Date.now() + 30_000;
      let later = await verdict();
      while (later === Verdict.VALID && Date.now() < end) {
        await sleep(50);
        later = await verdict();
      }
      assert.equal(later, Verdict.EXPIRED);
    });

    it("refuses a revoked token, and says which it was", async () => {
      const leaked = await subject.issue({});
      await subject.revoke(leaked);
      const answer = await subject.validator.validate(leaked);
      assert.equal(answer.verdict, Verdict.REVOKED);
      assert.ok(answer.tokenName?.startsWith(`${subject.project}/tokens/t`));
    });
  });
}
