/** The real server that the end-to-end tests are given. */
import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";

import { connect, type Connection } from "@wemasy/tokens";

/** Where the server is. Its callers on this machine must have all roles. */
export function serverTarget(): string {
  const target = process.env.WEMASY_TOKENS_TARGET;
  assert.ok(
    target,
    "WEMASY_TOKENS_TARGET is not set: give host:port of a server for tests",
  );
  return target;
}

export interface Issued {
  name: string;
  secret: string;
}

/** A project of the test's own. */
export class Project {
  readonly connection: Connection = connect(serverTarget());
  readonly name = `projects/ts-${randomUUID().slice(0, 8)}`;

  async issue(fields: object = {}): Promise<Issued> {
    const { token, secret } = await this.connection.tokens.createToken({
      parent: this.name,
      token: { displayName: "Test", ...fields },
      actor: "user-7",
    });
    assert.ok(token);
    return { name: token.name, secret };
  }

  async revoke({ name }: Pick<Issued, "name">): Promise<void> {
    await this.connection.tokens.revokeToken({ name, actor: "user-7" });
  }
}
