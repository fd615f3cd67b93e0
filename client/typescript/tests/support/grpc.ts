/** A real gRPC server with a protected service, and its client. */
import {
  Client,
  credentials,
  type Deadline,
  type handleServerStreamingCall,
  type handleUnaryCall,
  Metadata,
  type MethodDefinition,
  Server,
  ServerCredentials,
  type ServerInterceptor,
  type ServiceError,
  type UntypedServiceImplementation,
} from "@grpc/grpc-js";
import { identityOf } from "@wemasy/tokens";

const json = {
  requestSerialize: (value: unknown) => Buffer.from(JSON.stringify(value)),
  requestDeserialize: (bytes: Buffer): unknown => JSON.parse(bytes.toString()),
  responseSerialize: (value: unknown) => Buffer.from(JSON.stringify(value)),
  responseDeserialize: (bytes: Buffer): unknown => JSON.parse(bytes.toString()),
};
const method = (path: string, responseStream: boolean) =>
  ({
    path,
    requestStream: false,
    responseStream,
    ...json,
  }) satisfies MethodDefinition<unknown, unknown>;

export const pages = {
  read: method("/demo.Pages/Read", false),
  watch: method("/demo.Pages/Watch", true),
  open: method("/demo.Pages/Open", false),
};

const read: handleUnaryCall<unknown, unknown> = (call, callback) => {
  callback(null, identityOf(call.metadata));
};
const watch: handleServerStreamingCall<unknown, unknown> = (call) => {
  call.write(identityOf(call.metadata));
  call.end();
};
const open: handleUnaryCall<unknown, unknown> = (call, callback) => {
  callback(null, "open to everybody");
};

export interface GrpcApp {
  /** Calls Read or Open; rejects with the ServiceError. */
  call(
    name: "read" | "open",
    metadata?: Record<string, string>,
  ): Promise<unknown>;
  /** Calls Watch; rejects with the ServiceError. */
  watch(metadata?: Record<string, string>): Promise<unknown[]>;
  close(): void;
}

export async function startGrpc(
  interceptor: ServerInterceptor,
): Promise<GrpcApp> {
  const server = new Server({ interceptors: [interceptor] });
  server.addService(pages, { read, watch, open });
  const client = new Client(await listen(server), credentials.createInsecure());
  return {
    call: (name, metadata = {}) =>
      new Promise((resolve, reject) => {
        client.makeUnaryRequest(
          pages[name].path,
          json.requestSerialize,
          json.responseDeserialize,
          {},
          Metadata.fromHttp2Headers(metadata),
          { deadline: soon() },
          (error: ServiceError | null, response: unknown) => {
            if (error) reject(error);
            else resolve(response);
          },
        );
      }),
    watch: (metadata = {}) =>
      client
        .makeServerStreamRequest(
          pages.watch.path,
          json.requestSerialize,
          json.responseDeserialize,
          {},
          Metadata.fromHttp2Headers(metadata),
          { deadline: soon() },
        )
        .toArray(),
    close() {
      client.close();
      server.forceShutdown();
    },
  };
}

/** Starts a server on this machine, and returns its target. */
export async function listen(
  server: Server,
  serverCredentials = ServerCredentials.createInsecure(),
): Promise<string> {
  const port = await new Promise<number>((resolve, reject) => {
    server.bindAsync("127.0.0.1:0", serverCredentials, (error, bound) => {
      if (error) reject(error);
      else resolve(bound);
    });
  });
  return `127.0.0.1:${port}`;
}

export type { UntypedServiceImplementation };

function soon(): Deadline {
  return Date.now() + 20_000;
}
