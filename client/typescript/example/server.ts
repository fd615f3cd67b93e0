/**
 * A protected HTTP endpoint.
 *
 *   curl -H "Authorization: Bearer $(cat secret)" http://127.0.0.1:8080/pages
 *
 * WEMASY_TOKENS_TARGET is the service's address, PORT is where to listen.
 */
import type { AddressInfo } from "node:net";

import { connect, identityOf } from "@wemasy/tokens";
import { requireToken } from "@wemasy/tokens/express";
import express from "express";

const { WEMASY_TOKENS_TARGET = "127.0.0.1:7443", PORT = "8080" } = process.env;
const { validator } = connect(WEMASY_TOKENS_TARGET);

const app = express();
app.get(
  "/pages",
  requireToken(
    validator,
    { scopes: ["pages:read"] },
    {
      onRefused: ({ status, verdict, tokenName, error }) => {
        console.error("refused", { status, verdict, tokenName, error });
      },
    },
  ),
  (request, response) => {
    response.json({ pages: [], of: identityOf(request).project });
  },
);

const server = app.listen(Number(PORT), "127.0.0.1", () => {
  const { port } = server.address() as AddressInfo;
  console.log(`Listening on http://127.0.0.1:${port}/pages`);
});
