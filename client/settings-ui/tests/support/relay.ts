/** A relay in front of a backend that loses replies. */
import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Socket } from "node:net";

/** The relay. */
export interface Relay {
  /** To be asked in place of the backend's. */
  origin: string;
  /** Whether replies are lost from now on: the connection ends without one. */
  loses: boolean;
  /** What was lost. */
  lost: string;
  close: () => void;
}

/** Starts a relay to an origin. */
export async function startRelay(origin: string): Promise<Relay> {
  const sockets = new Set<Socket>();
  const server = createServer((browser) => {
    const backend = connect(Number(new URL(origin).port), "127.0.0.1");
    for (const socket of [browser, backend]) {
      sockets.add(socket);
      socket.on("error", () => socket.destroy());
    }
    browser.pipe(backend);
    backend.on("data", (bytes) => {
      if (relay.loses) {
        relay.lost += bytes.toString();
        browser.destroy();
      } else {
        browser.write(bytes);
      }
    });
    backend.on("end", () => browser.end());
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  const relay = {
    origin: `http://127.0.0.1:${port}`,
    loses: false,
    lost: "",
    close() {
      server.close();
      for (const socket of sockets) socket.destroy();
    },
  };
  return relay;
}
