#!/bin/sh
# What a container begins with: models that came with the image go where DATA_DIR is, engines are built for this very
# processor or GPU (once: they stay in DATA_DIR), then the program takes this process's place, so signals reach it.
set -eu
umask 077
mkdir -p "$DATA_DIR/models"
for model in /opt/facewire/models/*; do
    [ -e "$DATA_DIR/models/${model##*/}" ] || cp "$model" "$DATA_DIR/models/"
done
python -m app.prepare >&2
exec python -m app.main "$@"
