# Facewire on a processor. From the folder of run.sh:
#   docker build -f docker/cpu.Dockerfile -t facewire:cpu .
FROM debian:bookworm-slim AS packages
SHELL ["/bin/bash", "-o", "pipefail", "-c"]
RUN apt-get update \
    && apt-get install -y --no-install-recommends ca-certificates libgl1 libglib2.0-0 libxcb1 python3 python3-venv \
    && rm -rf /var/lib/apt/lists/*
WORKDIR /opt/facewire
ENV PATH=/opt/facewire/.venv/bin:$PATH PIP_DISABLE_PIP_VERSION_CHECK=1
COPY requirements/ requirements/
RUN python3 -m venv .venv && pip install --no-cache-dir --require-hashes -r requirements/run.txt
COPY . .
# The embedder comes with the image, so that a camera network without a way out is enough.
RUN python -m checkpoints.fetch --models models && python -m compileall -q -j 0 app pipeline engines tracker checkpoints

FROM debian:bookworm-slim
RUN apt-get update \
    && apt-get install -y --no-install-recommends ca-certificates libgl1 libglib2.0-0 libxcb1 python3 \
    && rm -rf /var/lib/apt/lists/* \
    && groupadd --gid 10001 facewire \
    && useradd --uid 10001 --gid facewire --groups video --home-dir /data --no-create-home --shell /usr/sbin/nologin facewire \
    && install -d -o facewire -g facewire -m 0700 /data
COPY --from=packages /opt/facewire /opt/facewire
WORKDIR /opt/facewire
# HOME is where packages would leave caches: with a read-only root file system that is a tmpfs.
ENV PATH=/opt/facewire/.venv/bin:$PATH \
    PYTHONSAFEPATH=1 \
    PYTHONPATH=/opt/facewire \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    HOME=/tmp \
    DATA_DIR=/data \
    DISPLAY_MODE=web \
    CONSOLE_HOST=0.0.0.0 \
    WAIT_FOR_CAMERAS=true
USER 10001
VOLUME /data
EXPOSE 8080
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=5s --start-period=180s --retries=3 CMD ["python", "docker/health.py"]
ENTRYPOINT ["docker/start.sh"]
