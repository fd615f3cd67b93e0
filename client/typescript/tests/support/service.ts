/** A stand-in for the service, over real gRPC, that does as it is told. */
import {
  type handleUnaryCall,
  Metadata,
  Server,
  type ServerCredentials,
  type StatusObject,
  status,
} from "@grpc/grpc-js";
import {
  AuthServiceService,
  type ValidateRequest,
  ValidateResponse,
  Verdict,
} from "@wemasy/tokens/v1/auth_service";
import {
  type CreateTokenRequest,
  CreateTokenResponse,
  TokenServiceService,
} from "@wemasy/tokens/v1/token_service";

import { listen } from "./grpc.js";

export interface StandIn {
  target: string;
  /** The requests so far. */
  validated: ValidateRequest[];
  created: CreateTokenRequest[];
  /** What the next calls end with; without any, they succeed. */
  failures: Partial<StatusObject>[];
  /** Whether calls never end. */
  hangs: boolean;
  close(): void;
}

export async function startStandIn(
  serverCredentials?: ServerCredentials,
): Promise<StandIn> {
  const server = new Server();
  const standIn: StandIn = {
    target: "",
    validated: [],
    created: [],
    failures: [],
    hangs: false,
    close() {
      server.forceShutdown();
    },
  };

  function answer<Response>(
    callback: Parameters<handleUnaryCall<unknown, Response>>[1],
    response: Response,
  ) {
    if (standIn.hangs) return;
    const failure = standIn.failures.shift();
    if (failure) callback({ metadata: new Metadata(), ...failure });
    else callback(null, response);
  }
  const validate: handleUnaryCall<ValidateRequest, ValidateResponse> = (
    { request },
    callback,
  ) => {
    standIn.validated.push(request);
    const response = { verdict: Verdict.VALID, token: "projects/p/tokens/t1" };
    answer(callback, ValidateResponse.fromPartial(response));
  };
  const createToken: handleUnaryCall<
    CreateTokenRequest,
    CreateTokenResponse
  > = ({ request }, callback) => {
    standIn.created.push(request);
    answer(
      callback,
      CreateTokenResponse.fromPartial({
        token: { name: `${request.parent}/tokens/t1` },
        secret: "secret",
      }),
    );
  };
  server.addService(AuthServiceService, { validate });
  server.addService(TokenServiceService, { createToken });
  standIn.target = await listen(server, serverCredentials);
  return standIn;
}

export const unavailable = {
  code: status.UNAVAILABLE,
  details: "the lease is not held",
};
