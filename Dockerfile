# The server, the worker and every other `zypher` command in one image. Redis is the only extra inside.
#
#   docker build -t zypherai .
#   docker run -p 8080:8080 zypherai

ARG PYTHON_IMAGE=python:3.11-slim-bookworm

# What both stages below fetch and unpack into /install, a root of its own that is copied whole:
# neither pip's cache nor a wheel nor the source comes along. Bytecode is made here, since nobody can write it later.
FROM ${PYTHON_IMAGE} AS build
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1 PIP_NO_COMPILE=1 PIP_ROOT_USER_ACTION=ignore
WORKDIR /build

FROM build AS dependencies
COPY requirements/redis.txt ./
RUN pip install --require-hashes --ignore-installed --root /install --requirement redis.txt \
    && python -m compileall -q --invalidation-mode unchecked-hash -s /install /install

FROM build AS application
COPY pyproject.toml README.md ./
COPY src ./src
RUN pip wheel --no-deps --wheel-dir /wheels . \
    && pip install --no-deps --ignore-installed --root /install /wheels/*.whl \
    && python -m compileall -q --invalidation-mode unchecked-hash -s /install /install

FROM ${PYTHON_IMAGE} AS runtime
RUN groupadd --gid 10001 zypher \
    && useradd --uid 10001 --gid 10001 --no-log-init --no-create-home --home-dir /data --shell /usr/sbin/nologin zypher \
    && install --directory --owner 10001 --group 10001 --mode 0750 /data /opt/model \
    && install --directory /app
COPY --from=dependencies /install/ /
COPY --from=application /install/ /
# A model's own packages go to /opt/model, which is the only folder that a build on top has to write to.
ENV PYTHONUNBUFFERED=1 PYTHONUSERBASE=/opt/model PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1 \
    PATH=/opt/model/bin:$PATH HOME=/data \
    ZYPHER_HOST=0.0.0.0 ZYPHER_HEALTH_PORT=8080 ZYPHER_DATA_DIR=/data ZYPHER_DRAIN_TIMEOUT_S=8
WORKDIR /app
USER 10001:10001
VOLUME /data
EXPOSE 8080
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=5s --timeout=4s --start-period=60s --retries=3 \
    CMD ["python", "-ISc", "import http.client, sys; ask = http.client.HTTPConnection('127.0.0.1', 8080, timeout=3); ask.request('GET', '/healthz/ready'); answer = ask.getresponse(); sys.exit(answer.status != 200 and answer.read().decode())"]
ENTRYPOINT ["zypher"]
CMD ["serve"]
LABEL org.opencontainers.image.title="ZypherAI"
