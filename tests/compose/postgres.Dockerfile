# A stand-in for the image postgres:15, where that cannot be pulled: Debian's
# PostgreSQL, with those habits of the image that docker-compose.yml relies on.
FROM debian:bookworm-slim
# The image's numbers, which the secrets' permissions are made for.
RUN groupadd --system --gid 999 postgres \
    && useradd --system --uid 999 --gid postgres \
        --home-dir /var/lib/postgresql postgres \
    && apt-get update \
    && DEBIAN_FRONTEND=noninteractive apt-get install --yes \
        --no-install-recommends postgresql-15 \
    && rm -rf /var/lib/apt/lists/* /var/lib/postgresql/15 \
    && install -d -o postgres -g postgres -m 0700 /var/lib/postgresql/data
ENV PATH=/usr/lib/postgresql/15/bin:$PATH PGDATA=/var/lib/postgresql/data
COPY postgres-entrypoint /usr/local/bin/
USER postgres
VOLUME /var/lib/postgresql/data
STOPSIGNAL SIGINT
ENTRYPOINT ["postgres-entrypoint"]
