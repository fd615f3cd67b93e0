/** What a call that failed says to programs. */
import assert from "node:assert/strict";
import { after, before, it } from "node:test";

import { Metadata, status } from "@grpc/grpc-js";
import {
  connect,
  type Connection,
  ErrorReason,
  TokensError,
} from "@wemasy/tokens";

import { BadRequest, ErrorInfo } from "../src/gen/google/rpc/error_details.js";
import { Status } from "../src/gen/google/rpc/status.js";
import { startStandIn, type StandIn } from "./support/service.js";

let service: StandIn;
let connection: Connection;
before(async () => {
  service = await startStandIn();
  connection = connect(service.target);
});
after(() => {
  connection.close();
  service.close();
});

async function failWith(code: status, metadata: Metadata) {
  service.failures = [{ code, details: "a text", metadata }];
  const error: unknown = await connection.tokens
    .createToken({})
    .catch((reason: unknown) => reason);
  assert.ok(error instanceof TokensError);
  assert.equal(error.code, code);
  return error;
}

function detailed(...details: [typeUrl: string, value: Uint8Array][]) {
  const message = Status.fromPartial({
    details: details.map(([name, value]) => ({
      typeUrl: `type.googleapis.com/${name}`,
      value: Buffer.from(value),
    })),
  });
  const metadata = new Metadata();
  const encoded = Buffer.from(Status.encode(message).finish());
  metadata.set("grpc-status-details-bin", encoded);
  metadata.set("x-request-id", "7f3a");
  return metadata;
}

function info(reason: string, domain = "tokens.wemasy.com") {
  const message = { reason, domain, metadata: { name: "projects/p/tokens/t" } };
  return [
    "google.rpc.ErrorInfo",
    ErrorInfo.encode(message).finish(),
  ] satisfies [string, Uint8Array];
}

it("has the reason, its values and the request's id", async () => {
  const error = await failWith(
    status.NOT_FOUND,
    detailed(info("TOKEN_NOT_FOUND")),
  );
  assert.equal(error.message, "CreateToken: NOT_FOUND: a text");
  assert.equal(error.reason, ErrorReason.TOKEN_NOT_FOUND);
  assert.deepEqual(error.metadata, { name: "projects/p/tokens/t" });
  assert.deepEqual(error.fieldViolations, []);
  assert.equal(error.requestId, "7f3a");
});

it("has the fields at fault", async () => {
  const violation = { field: "parent", description: "is empty" };
  const badRequest = BadRequest.fromPartial({ fieldViolations: [violation] });
  const error = await failWith(
    status.INVALID_ARGUMENT,
    detailed(info("FIELD_INVALID"), [
      "google.rpc.BadRequest",
      BadRequest.encode(badRequest).finish(),
    ]),
  );
  assert.equal(error.reason, ErrorReason.FIELD_INVALID);
  assert.deepEqual(error.fieldViolations, [violation]);
});

it("tells an unknown reason from none", async () => {
  const newer = await failWith(status.INTERNAL, detailed(info("OF_TOMORROW")));
  assert.equal(newer.reason, ErrorReason.UNRECOGNIZED);
  const foreign = await failWith(
    status.INTERNAL,
    detailed(info("TOKEN_NOT_FOUND", "example.com")),
  );
  assert.equal(foreign.reason, undefined);
  const plain = await failWith(status.INTERNAL, new Metadata());
  assert.equal(plain.reason, undefined);
  assert.equal(plain.requestId, undefined);
});

it("takes details that it cannot read for none", async () => {
  const metadata = new Metadata();
  metadata.set("grpc-status-details-bin", Buffer.from([0xff, 0xff]));
  const error = await failWith(status.INTERNAL, metadata);
  assert.equal(error.reason, undefined);
});
