FROM swift:6.3-bookworm AS build
# No versions: Debian keeps only the newest of a release, and its security fixes are wanted.
# hadolint ignore=DL3008
RUN apt-get update \
    && apt-get install -y --no-install-recommends \
        libgnutls28-dev libmicrohttpd-dev libsimdjson-dev zlib1g-dev \
    && rm -rf /var/lib/apt/lists/*
WORKDIR /src
# Dependencies first: this layer lasts until Package.swift changes.
COPY Package.swift ./
RUN swift package resolve
# Tests and benchmarks are not built, but SwiftPM refuses a package whose targets have no folders.
# script/dockerfile builds from exactly these files.
COPY openapi.yaml ./
COPY Benchmarks Benchmarks
COPY Sources Sources
COPY Tests Tests
RUN swift build -c release --product topkd --static-swift-stdlib \
    && strip -o /topkd .build/release/topkd

FROM debian:bookworm-slim
LABEL org.opencontainers.image.title="topkd" \
    org.opencontainers.image.description="Sparse, differentiable top-k operators over HTTP" \
    org.opencontainers.image.licenses="Apache-2.0"
# hadolint ignore=DL3008
RUN apt-get update \
    && apt-get install -y --no-install-recommends \
        libgnutls30 libmicrohttpd12 libsimdjson14 libstdc++6 zlib1g \
    && rm -rf /var/lib/apt/lists/*
COPY LICENSE /usr/share/doc/topkd/LICENSE
COPY --from=build /topkd /usr/local/bin/topkd
# By number, so that Kubernetes can tell that it is not root. The service writes no file: it runs
# with a read-only root file system.
USER 10001:10001
# In a container the network is the way in; flags given to `docker run IMAGE serve` keep it.
ENV TOPKD_HOST=0.0.0.0
EXPOSE 8080
STOPSIGNAL SIGTERM
# It follows TOPKD_PORT and the like, but not flags.
HEALTHCHECK --interval=10s --timeout=3s --start-period=5s CMD ["topkd", "healthcheck"]
ENTRYPOINT ["topkd"]
CMD ["serve"]
