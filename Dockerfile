# One image for api, embed-worker and index-worker; the service's command says which.
# Needs only Debian's packages and the npm registry.
FROM node:20-bookworm-slim AS build
RUN apt-get update \
 && apt-get install -y --no-install-recommends g++ libfaiss-dev libopenblas-dev \
 && rm -rf /var/lib/apt/lists/*
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
COPY packages/shared/package.json packages/shared/
COPY packages/store/package.json packages/store/
COPY packages/faiss/package.json packages/faiss/
COPY packages/engine/package.json packages/engine/
COPY packages/vision/package.json packages/vision/
COPY packages/drawing/package.json packages/drawing/
COPY apps/api/package.json apps/api/
COPY apps/embed-worker/package.json apps/embed-worker/
COPY apps/index-worker/package.json apps/index-worker/
COPY apps/cli/package.json apps/cli/
# tsx runs the sources, so development dependencies are installed too; CUDA libraries are not fetched.
RUN ONNXRUNTIME_NODE_INSTALL=skip npm ci --no-audit --no-fund
COPY packages packages
RUN node packages/faiss/build.mjs
COPY apps apps
COPY models models

FROM node:20-bookworm-slim
RUN apt-get update \
 && apt-get install -y --no-install-recommends libopenblas0-pthread libgomp1 libgfortran5 libjemalloc2 \
 && rm -rf /var/lib/apt/lists/* \
 && ln -s "$(find /usr/lib -name libjemalloc.so.2)" /usr/local/lib/libjemalloc.so.2 \
 && install -d -o node -g node /var/lib/likeness
WORKDIR /app
COPY --from=build /app /app
# Image work frees memory that glibc's allocator keeps; one BLAS thread a query, no spinning OpenMP teams.
ENV NODE_ENV=production \
    LD_PRELOAD=/usr/local/lib/libjemalloc.so.2 \
    MALLOC_ARENA_MAX=2 \
    OPENBLAS_NUM_THREADS=1 \
    OMP_WAIT_POLICY=passive \
    VIPS_BLOCK_UNTRUSTED=1 \
    DATA_DIR=/var/lib/likeness \
    MODEL_DIR=/app/models/likeness-nano
USER node
VOLUME /var/lib/likeness
# `docker run likeness apps/api/src/main.ts`
ENTRYPOINT ["node", "--import", "tsx"]
CMD ["apps/api/src/main.ts"]
