# Facewire on a Jetson: CUDA and TensorRT are JetPack's own, docs/jetson.md has the BASE for each JetPack.
#   docker build -f docker/jetson.Dockerfile -t facewire:jetson .
# It was linted, never built here: no Jetson, and NVIDIA's registry is not to be reached.
ARG BASE=nvcr.io/nvidia/l4t-jetpack:r36.4.0
# hadolint ignore=DL3006
FROM $BASE
SHELL ["/bin/bash", "-o", "pipefail", "-c"]
RUN apt-get update \
    && apt-get install -y --no-install-recommends ca-certificates libgl1 libglib2.0-0 libxcb1 python3 python3-venv \
    && rm -rf /var/lib/apt/lists/*
WORKDIR /opt/facewire
ENV PATH=/opt/facewire/.venv/bin:$PATH PIP_DISABLE_PIP_VERSION_CHECK=1
COPY requirements/ requirements/
# TensorRT's bindings belong to JetPack and its Python, so they are linked into the environment; nothing else of the
# system is seen from there, above all not its old numpy and OpenCV.
ARG CUDA_PYTHON=12.6.2.post1
RUN python3 -m venv .venv \
    && pip install --no-cache-dir --require-hashes -r requirements/run.txt \
    && pip install --no-cache-dir "cuda-python==$CUDA_PYTHON" \
    && bindings=$(/usr/bin/python3 -c 'from importlib.util import find_spec as f; print(f("tensorrt").submodule_search_locations[0])') \
    && ln -s "$bindings" "$(python -c 'import sysconfig; print(sysconfig.get_path("purelib"))')/tensorrt"
COPY . .
RUN python -m checkpoints.fetch --models models \
    && python -m compileall -q -j 0 app pipeline engines tracker checkpoints \
    && groupadd --gid 10001 facewire \
    && useradd --uid 10001 --gid facewire --groups video --home-dir /data --no-create-home --shell /usr/sbin/nologin facewire \
    && install -d -o facewire -g facewire -m 0700 /data
ENV PYTHONSAFEPATH=1 \
    PYTHONPATH=/opt/facewire \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    HOME=/tmp \
    NVIDIA_VISIBLE_DEVICES=all \
    NVIDIA_DRIVER_CAPABILITIES=all \
    DATA_DIR=/data \
    DISPLAY_MODE=web \
    CONSOLE_HOST=0.0.0.0 \
    WAIT_FOR_CAMERAS=true
USER 10001
VOLUME /data
EXPOSE 8080
STOPSIGNAL SIGTERM
# The first start builds plans for this very GPU, which takes minutes.
HEALTHCHECK --interval=10s --timeout=5s --start-period=1200s --retries=3 CMD ["python", "docker/health.py"]
ENTRYPOINT ["docker/start.sh"]
