# A stand-in for the image of Envoy, where that cannot be pulled: PyPI's
# executable of the same version, at the place where the image has it.
FROM debian:bookworm-slim
COPY envoy /usr/local/bin/
CMD ["envoy", "--config-path", "/etc/envoy/envoy.yaml"]
