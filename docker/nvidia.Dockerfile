# Facewire on an NVIDIA GPU: TensorRT from NVIDIA's own index, the driver from the host (NVIDIA Container Toolkit).
#   docker build -f docker/nvidia.Dockerfile -t facewire:nvidia .
#   docker run --gpus all …
# CUDA 12 and TensorRT 10: every driver from 525 on can run them. It was linted, never built here: no GPU, no such index.
FROM nvidia/cuda:12.6.3-base-ubuntu24.04 AS packages
SHELL ["/bin/bash", "-o", "pipefail", "-c"]
RUN apt-get update \
    && apt-get install -y --no-install-recommends ca-certificates libgl1 libglib2.0-0t64 libxcb1 python3 python3-venv \
    && rm -rf /var/lib/apt/lists/*
WORKDIR /opt/facewire
ENV PATH=/opt/facewire/.venv/bin:$PATH PIP_DISABLE_PIP_VERSION_CHECK=1
COPY requirements/ requirements/
RUN python3 -m venv .venv && pip install --no-cache-dir --require-hashes -r requirements/run.txt
# Not in the lock: NVIDIA's index is no part of PyPI, and which release fits depends on the driver.
ARG TENSORRT=10.16.1.11
RUN pip install --no-cache-dir --extra-index-url https://pypi.nvidia.com "tensorrt-cu12==$TENSORRT" "cuda-python>=12.6,<13"
COPY . .
RUN python -m checkpoints.fetch --models models && python -m compileall -q -j 0 app pipeline engines tracker checkpoints

FROM nvidia/cuda:12.6.3-base-ubuntu24.04
RUN apt-get update \
    && apt-get install -y --no-install-recommends ca-certificates libgl1 libglib2.0-0t64 libxcb1 python3 \
    && rm -rf /var/lib/apt/lists/* \
    && groupadd --gid 10001 facewire \
    && useradd --uid 10001 --gid facewire --groups video --home-dir /data --no-create-home --shell /usr/sbin/nologin facewire \
    && install -d -o facewire -g facewire -m 0700 /data
COPY --from=packages /opt/facewire /opt/facewire
WORKDIR /opt/facewire
# compute and utility are what TensorRT needs, video is NVDEC.
ENV PATH=/opt/facewire/.venv/bin:$PATH \
    PYTHONSAFEPATH=1 \
    PYTHONPATH=/opt/facewire \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    HOME=/tmp \
    NVIDIA_VISIBLE_DEVICES=all \
    NVIDIA_DRIVER_CAPABILITIES=compute,utility,video \
    DATA_DIR=/data \
    DISPLAY_MODE=web \
    CONSOLE_HOST=0.0.0.0 \
    WAIT_FOR_CAMERAS=true
USER 10001
VOLUME /data
EXPOSE 8080
STOPSIGNAL SIGTERM
# The first start builds plans for this very GPU, which takes minutes.
HEALTHCHECK --interval=10s --timeout=5s --start-period=900s --retries=3 CMD ["python", "docker/health.py"]
ENTRYPOINT ["docker/start.sh"]
