-- compatible-with: 4
-- The keys that page tokens are sealed with: the same at every replica, so
-- that a page token from one can be used at another. The newest is used.
CREATE TABLE sealing_keys (
  id integer PRIMARY KEY,
  key bytea NOT NULL CHECK (octet_length(key) = 32),
  create_time timestamptz NOT NULL DEFAULT clock_timestamp()
);

-- A random UUID has 122 random bits; the hash of four has all of its 256.
INSERT INTO sealing_keys (id, key)
VALUES (1, sha256(uuid_send(gen_random_uuid()) ||
                  uuid_send(gen_random_uuid()) ||
                  uuid_send(gen_random_uuid()) ||
                  uuid_send(gen_random_uuid())));
