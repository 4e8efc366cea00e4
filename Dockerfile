# syntax=docker/dockerfile:1
# Afterimage as one container: docker build -t afterimage . && docker run --rm -p 8080:8080 -e WRITE_TOKEN=… afterimage

FROM node:22-bookworm-slim AS build
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
RUN npm ci
COPY tsconfig.json tsconfig.browser.json ./
COPY scripts scripts
COPY src src
COPY workers workers
RUN npm run build && npm prune --omit=dev && chmod 755 dist/src/launch.cjs
# The native modules of other platforms and Node versions are 120 MB.
RUN find node_modules/uWebSockets.js -name '*.node' \
    ! -name "$(node -p '`uws_linux_${process.arch}_${process.versions.modules}.node`')" -delete \
    && node dist/src/launch.cjs --version \
    && node -e "import('uWebSockets.js').catch(() => process.exit(1))"

FROM node:22-bookworm-slim
# jemalloc gives memory back after bursts of encodes; glibc's allocator keeps it in arenas of every thread.
RUN apt-get update \
    && apt-get install -y --no-install-recommends libjemalloc2 \
    && rm -rf /var/lib/apt/lists/* \
    && ln -s "$(dpkg -L libjemalloc2 | grep 'libjemalloc\.so\.2$')" /usr/local/lib/libjemalloc.so.2 \
    && ln -s /app/dist/src/launch.cjs /usr/local/bin/afterimage \
    && install -d -o node -g node /data
WORKDIR /app
COPY --from=build /app/package.json ./
COPY --from=build /app/node_modules node_modules
COPY --from=build /app/dist dist

# HOST is not loopback here, so the server refuses to start without WRITE_TOKEN (or ALLOW_OPEN_WRITES=true
# where the network is trusted). Only /data is written to: `--read-only --tmpfs /tmp` works.
ENV NODE_ENV=production \
    HOST=0.0.0.0 \
    PORT=8080 \
    CACHE_DIR=/data \
    LOG_FORMAT=json \
    LD_PRELOAD=/usr/local/lib/libjemalloc.so.2
USER node
VOLUME /data
EXPOSE 8080
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=5s --start-period=20s --retries=3 \
    CMD ["afterimage", "health"]
ENTRYPOINT ["afterimage"]
CMD ["serve"]
