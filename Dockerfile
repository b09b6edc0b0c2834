# Server, worker and every other `zypher` command in one image; Redis is the only extra inside.
#
#   docker build -t zypherai .
#   docker run -p 8080:8080 zypherai

ARG PYTHON_IMAGE=python:3.11-slim-bookworm

# The next two stages install into /install, a root of its own that is copied whole: pip's cache, the wheels and the
# source stay behind. Bytecode is made here, since nobody can write it later.
FROM ${PYTHON_IMAGE} AS build
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1 PIP_NO_COMPILE=1 PIP_ROOT_USER_ACTION=ignore
WORKDIR /build

FROM build AS dependencies
COPY requirements/redis.txt ./
RUN pip install --require-hashes --ignore-installed --root /install --requirement redis.txt \
    && python -m compileall -q --invalidation-mode unchecked-hash -s /install /install

FROM build AS application
COPY pyproject.toml README.md LICENSE ./
COPY src ./src
RUN pip wheel --no-deps --wheel-dir /wheels . \
    && pip install --no-deps --ignore-installed --root /install /wheels/*.whl \
    && python -m compileall -q --invalidation-mode unchecked-hash -s /install /install

FROM ${PYTHON_IMAGE}
# A model's own packages go to /opt/model, the one folder that an image built on top of this one writes to.
# Nothing in here has a use for a program that makes its caller somebody else.
RUN groupadd --gid 10001 zypher \
    && useradd --uid 10001 --gid 10001 --no-log-init --no-create-home --home-dir /data --shell /usr/sbin/nologin zypher \
    && install --directory --owner 10001 --group 10001 --mode 0700 /data /opt/model \
    && install --directory /app \
    && find / -xdev -type f -perm /6000 -exec chmod a-s {} +
COPY --from=dependencies /install/ /
COPY --from=application /install/ /
# `docker stop` kills after 10 s. Whoever gives it more may give more to what runs, too. Both times begin with its signal.
ENV ZYPHER_HOST=0.0.0.0 ZYPHER_HEALTH_PORT=8080 ZYPHER_DATA_DIR=/data ZYPHER_LAME_DUCK_S=5 ZYPHER_DRAIN_TIMEOUT_S=8 \
    HOME=/data PYTHONUSERBASE=/opt/model PATH=/opt/model/bin:$PATH PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1
WORKDIR /app
USER 10001:10001
VOLUME /data
EXPOSE 8080
STOPSIGNAL SIGTERM
# A server and a worker answer alike; what makes them unready is printed, for `docker inspect`.
HEALTHCHECK --interval=5s --timeout=4s --start-period=60s --retries=3 CMD ["python", "-ISc", "\
import http.client, sys; \
probe = http.client.HTTPConnection('127.0.0.1', 8080, timeout=3); \
probe.request('GET', '/healthz/ready'); \
answer = probe.getresponse(); \
sys.exit(None if answer.status == 200 else answer.read().decode())"]
ENTRYPOINT ["zypher"]
CMD ["serve"]
ARG VERSION=0.1.0
ARG REVISION=unknown
LABEL org.opencontainers.image.title="ZypherAI" \
    org.opencontainers.image.description="Serves any Python model over HTTP, synchronously and asynchronously." \
    org.opencontainers.image.licenses="Apache-2.0" \
    org.opencontainers.image.version="${VERSION}" \
    org.opencontainers.image.revision="${REVISION}"
