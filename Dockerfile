# One image for all services; what it does is the command: `run fetcher`, `run writer`, `migrate`, `simulator`, …
ARG BASE=python:3.11-slim-bookworm

FROM ${BASE} AS build
WORKDIR /build
# Wheels only, each of the hash the lock names: nothing is compiled, here or in the image.
ENV PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_ONLY_BINARY=:all:
COPY requirements.lock requirements-dev.lock ./
RUN python -m venv --without-pip /opt/mlsync \
 && pip --python /opt/mlsync/bin/python install --require-hashes -r requirements.lock
# The build backend comes from the lock too, which is the developers' and has much that is not needed here.
RUN sed -n '/^\(hatchling\|packaging\|pathspec\|pluggy\|tomlkit\|trove-classifiers\)==/,/[^\\]$/p' requirements-dev.lock >backend.lock \
 && python -m venv backend \
 && backend/bin/pip install --require-hashes -r backend.lock
COPY pyproject.toml README.md ./
COPY shared shared
COPY services services
RUN backend/bin/pip wheel --no-deps --no-build-isolation --wheel-dir dist . \
 && pip --python /opt/mlsync/bin/python install --no-deps --no-index dist/*.whl

FROM ${BASE}
COPY --from=build /opt/mlsync /opt/mlsync
ENV PATH=/opt/mlsync/bin:$PATH \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    HOME=/tmp
# The folder of the embedded form, whose database and photos are in data/: a volume, where they are to last.
RUN mkdir -p /var/lib/mlsync/data && chown -R 10001:10001 /var/lib/mlsync
WORKDIR /var/lib/mlsync
# A number, so that Kubernetes can see that it is not root.
USER 10001:10001
ARG VERSION=unknown
ARG REVISION=unknown
LABEL org.opencontainers.image.title="mlsync" \
      org.opencontainers.image.description="Keeps a database and a photo store in step with an MLS" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}"
# No HEALTHCHECK: the services answer /healthz, the commands and the simulator do not. Whoever runs it says which.
ENTRYPOINT ["mlsync"]
CMD ["--help"]
