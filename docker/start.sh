#!/bin/sh
# What a container begins with: models that came with the image go where DATA_DIR is, engines are built for this very
# processor or GPU (once: they stay in DATA_DIR), then the program takes this process's place, so signals reach it.
set -eu
umask 077
mkdir -p "$DATA_DIR/models"
for model in /opt/facewire/models/*; do
    brought=$DATA_DIR/models/${model##*/}
    [ -e "$brought" ] && continue
    cp "$model" "$brought.part" # cut short, it is no model yet
    sync "$brought.part"
    mv "$brought.part" "$brought"
done
python -m app.prepare >&2
exec python -m app.main "$@"
