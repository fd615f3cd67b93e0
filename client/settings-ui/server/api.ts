/** What api/index.ts promises, done by the token service. */
import { type TokenService, TokensError } from "@wemasy/tokens";
import type { FastifyInstance, FastifyRequest } from "fastify";

import type {
  CreateRequest,
  IssuedToken,
  Revocation,
  RevokeRequest,
  RotateRequest,
  Session,
  Token,
  TokenPage,
} from "../api/index.js";
import { admit, type AdmissionOptions } from "./admission.js";
import { Refusal } from "./problem.js";
import { bodies, type ListQuery, listQuery } from "./schemas.js";
import { isUnanswered, isUnconfirmed } from "./service-errors.js";
import type { Person } from "./session.js";
import { FILTERS, REASONS, toTime, toToken } from "./tokens.js";

// How long calls may take, in milliseconds. A person waits 10 s at most, for the
// last two together, too.
const READ_MS = 5_000;
const ISSUE_MS = 8_000;
const REVOKE_MS = 6_000;
const LOOK_AGAIN_MS = 2_000;

const PAGE_SIZE = 20;
// How many pages in which the filter left nothing are passed over at a time.
const MAX_EMPTY_PAGES = 10;

/** What the api is made of. */
export interface ApiOptions extends AdmissionOptions {
  tokens: TokenService;
  /** The scopes on offer. */
  scopes: string[];
}

interface OfProject {
  project: string;
}
interface OfToken extends OfProject {
  id: string;
}

/** Serves the api. */
export function serveApi(app: FastifyInstance, options: ApiOptions): void {
  app.register(
    (api, _options, done) => {
      api.decorateRequest("person");
      api.addHook("onRequest", async (request) => {
        request.person = await admit(request, options);
      });
      addRoutes(api, options);
      done();
    },
    { prefix: "/projects/:project/api-access/api" },
  );
}

function addRoutes(api: FastifyInstance, { tokens, scopes }: ApiOptions): void {
  api.get("/session", ({ person }): Session => {
    const { project, user, csrfToken, expireTime } = person;
    return {
      project,
      user,
      csrfToken,
      expireTime: expireTime.toISOString(),
      scopes,
    };
  });

  api.get<{ Querystring: ListQuery }>(
    "/tokens",
    { schema: { querystring: listQuery } },
    ({ person, query }) => list(tokens, person, query),
  );

  api.get<{ Params: OfToken }>(
    "/tokens/:id",
    async (request): Promise<Token> => {
      const name = nameOf(request);
      const { token } = await tokens.getToken({ name }, { timeoutMs: READ_MS });
      return toToken(token);
    },
  );

  api.post<{ Body: CreateRequest }>(
    "/tokens",
    { schema: { body: bodies.create(scopes) } },
    async ({ person, body }, reply): Promise<IssuedToken> => {
      const { requestId, displayName, description, expireTime } = body;
      const issued = await tokens.createToken(
        {
          parent: `projects/${person.project}`,
          token: {
            displayName,
            description,
            scopes: body.scopes,
            expireTime: readTime(expireTime),
          },
          actor: person.user,
          requestId,
        },
        { timeoutMs: ISSUE_MS },
      );
      reply.code(201);
      return { token: toToken(issued.token), secret: issued.secret };
    },
  );

  api.post<{ Params: OfToken; Body: RotateRequest }>(
    "/tokens/:id/rotate",
    { schema: { body: bodies.rotate } },
    async (request): Promise<IssuedToken> => {
      const { requestId, graceSeconds } = request.body;
      const issued = await tokens.rotateToken(
        {
          name: nameOf(request),
          actor: request.person.user,
          gracePeriod: { seconds: graceSeconds, nanos: 0 },
          requestId,
        },
        { timeoutMs: ISSUE_MS },
      );
      return { token: toToken(issued.token), secret: issued.secret };
    },
  );

  api.post<{ Params: OfToken; Body: RevokeRequest }>(
    "/tokens/:id/revoke",
    { schema: { body: bodies.revoke } },
    async (request, reply): Promise<Revocation> => {
      const revocation = await revoke(tokens, request);
      if (revocation.status === "confirming") reply.code(202);
      return revocation;
    },
  );
}

// The schema lets a leap second pass, which JavaScript has not.
function readTime(text: string | null): Date | undefined {
  if (text === null) return undefined;
  const time = new Date(text);
  if (Number.isNaN(time.getTime())) {
    throw new Refusal("invalid", { fields: ["expireTime"] });
  }
  return time;
}

// The service's own names have this form; no other is asked for.
function nameOf({
  person,
  params,
}: FastifyRequest<{ Params: OfToken }>): string {
  if (!/^t[0-9a-v]{26}$/.test(params.id)) throw new Refusal("not-found");
  return `projects/${person.project}/tokens/${params.id}`;
}

// With a filter, the service may answer with an empty page before the last.
async function list(
  tokens: TokenService,
  { project }: Person,
  { state, cursor = "" }: ListQuery,
): Promise<TokenPage> {
  const end = performance.now() + READ_MS;
  let pageToken = cursor;
  for (let emptyPages = 0; ; ++emptyPages) {
    const page = await tokens.listTokens(
      {
        parent: `projects/${project}`,
        pageSize: PAGE_SIZE,
        pageToken,
        filter: state ? FILTERS[state] : "",
      },
      { timeoutMs: end - performance.now() },
    );
    pageToken = page.nextPageToken;
    const isEmpty = page.tokens.length === 0 && pageToken !== "";
    if (!isEmpty || emptyPages === MAX_EMPTY_PAGES) {
      return {
        tokens: page.tokens.map(toToken),
        nextCursor: pageToken || null,
      };
    }
  }
}

async function revoke(
  tokens: TokenService,
  request: FastifyRequest<{ Params: OfToken; Body: RevokeRequest }>,
): Promise<Revocation> {
  const name = nameOf(request);
  try {
    const { token, receipt } = await tokens.revokeToken(
      {
        name,
        actor: request.person.user,
        reason: REASONS[request.body.reason],
      },
      { timeoutMs: REVOKE_MS },
    );
    return {
      status: "confirmed",
      token: toToken(token),
      confirmTime: toTime(receipt?.confirmTime),
    };
  } catch (error) {
    if (!(error instanceof TokensError)) throw error;
    const isDurable =
      isUnconfirmed(error) ||
      (isUnanswered(error) && (await isRevoked(tokens, name)));
    if (!isDurable) throw error;
    return { status: "confirming", tokenId: request.params.id };
  }
}

async function isRevoked(tokens: TokenService, name: string): Promise<boolean> {
  const { token } = await tokens.getToken(
    { name },
    { timeoutMs: LOOK_AGAIN_MS },
  );
  return toToken(token).state === "revoked";
}
