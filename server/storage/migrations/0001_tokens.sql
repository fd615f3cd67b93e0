-- compatible-with: 1
-- Tokens, their digests, and the requests that issued them.

-- The platform owns projects. A row is made by a project's first token; its
-- lock makes the count of active tokens serial.
CREATE TABLE projects (
  id text COLLATE "C" PRIMARY KEY,
  create_time timestamptz NOT NULL DEFAULT clock_timestamp()
);

-- No digest is in here: what can be listed cannot be matched with a secret.
-- 'infinity' stands for never, so that one index range finds what is active.
CREATE TABLE tokens (
  id uuid PRIMARY KEY,
  project text COLLATE "C" NOT NULL REFERENCES projects (id),
  display_name text NOT NULL,
  description text NOT NULL,
  scopes text[] NOT NULL,
  metadata jsonb NOT NULL,
  creator text NOT NULL,
  create_time timestamptz NOT NULL,
  expire_time timestamptz NOT NULL,
  revoke_time timestamptz,
  revoker text,
  revoke_reason smallint,
  revoke_comment text,
  hint text NOT NULL,
  revision bigint NOT NULL,
  CHECK ((revoke_time IS NULL) = (revoker IS NULL)),
  CHECK ((revoke_time IS NULL) = (revoke_reason IS NULL)),
  CHECK ((revoke_time IS NULL) = (revoke_comment IS NULL))
);

-- Pages of one project, and of all projects, newest first.
CREATE INDEX tokens_by_project
  ON tokens (project, create_time DESC, id DESC);
CREATE INDEX tokens_by_time ON tokens (create_time DESC, id DESC);

-- Counts the active tokens of a project without a look at the dead ones.
CREATE INDEX tokens_active ON tokens (project, expire_time)
  WHERE revoke_time IS NULL;

-- Finds what has been dead long enough to be purged.
CREATE INDEX tokens_by_end ON tokens (LEAST(expire_time, revoke_time));

-- Every secret that the index may have to know, live or dead.
CREATE TABLE token_digests (
  digest bytea PRIMARY KEY CHECK (octet_length(digest) = 32),
  version smallint NOT NULL,
  token_id uuid NOT NULL REFERENCES tokens (id),
  is_current boolean NOT NULL,
  ends_at timestamptz NOT NULL,
  dead_at timestamptz
);

CREATE INDEX token_digests_by_token ON token_digests (token_id);

-- A token has one current secret at a time.
CREATE UNIQUE INDEX token_digests_one_current ON token_digests (token_id)
  WHERE is_current AND dead_at IS NULL;

-- Finds the secrets that were replaced long ago.
CREATE INDEX token_digests_by_end
  ON token_digests (LEAST(ends_at, dead_at))
  WHERE dead_at IS NOT NULL OR NOT is_current;

-- Which request issued which token, so that a retry is recognised.
CREATE TABLE requests (
  project text COLLATE "C" NOT NULL REFERENCES projects (id),
  request_id text NOT NULL,
  payload bytea NOT NULL CHECK (octet_length(payload) = 32),
  token_id uuid NOT NULL REFERENCES tokens (id),
  -- The digest of the secret it issued last: a retry may replace only that.
  issued bytea NOT NULL CHECK (octet_length(issued) = 32),
  create_time timestamptz NOT NULL DEFAULT clock_timestamp(),
  PRIMARY KEY (project, request_id)
);

CREATE INDEX requests_by_token ON requests (token_id);
