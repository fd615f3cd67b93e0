# A stand-in for the image python:3.11-slim, where that cannot be pulled:
# Debian's Python.
FROM debian:bookworm-slim
RUN apt-get update \
    && DEBIAN_FRONTEND=noninteractive apt-get install --yes \
        --no-install-recommends python3 \
    && rm -rf /var/lib/apt/lists/*
CMD ["python3"]
