#!/usr/bin/env bash
# Installs Facewire as a service of systemd, or brings an installed one up to the code in this folder:
#   sudo git clone ADDRESS /opt/facewire && sudo /opt/facewire/deploy/install.sh
# It may be called as often as one likes; settings and data that are there stay as they are.
set -euo pipefail

fail() {
    printf '%s\n' "$@" >&2
    exit 1
}

[[ $(id -u) == 0 ]] || fail "Only root can install a service." "  fix: sudo $0"

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd -P)
place=/opt/facewire # as in facewire.service
data=/var/lib/facewire
settings=/etc/facewire/facewire.env

[[ $root == "$place" ]] || fail "The service runs from $place, and this is somewhere else." "  saw: $root" \
    "  fix: clone or move it there; who wants another place changes it here and in facewire.service"
command -v systemctl >/dev/null || fail "This machine has no systemd." "  fix: see docker/compose.yaml"

getent group facewire >/dev/null || groupadd --system facewire
id facewire >/dev/null 2>&1 ||
    useradd --system --gid facewire --home-dir "$data" --no-create-home --shell /usr/sbin/nologin facewire
# Whose members may open cameras and GPUs of this machine.
for group in video render; do
    if getent group "$group" >/dev/null; then
        usermod --append --groups "$group" facewire
    fi
done
install -d -o facewire -g facewire -m 0700 "$data"
install -d -m 0750 -g facewire "${settings%/*}"
# The service's user makes keys there and puts new ones in front of old ones: docs/security.md.
install -d -o facewire -g facewire -m 0700 "${settings%/*}/keys"
if [[ ! -e $settings ]]; then
    # There are passwords in it: root writes it, the service reads it, and nobody else does either.
    install -m 0640 -g facewire "$root/.env.example" "$settings"
    printf 'Write down the camera and the rest in %s.\n' "$settings"
fi
if [[ ! -e $root/.env ]]; then
    ln -s "$settings" "$root/.env"
elif [[ ! $root/.env -ef $settings ]]; then
    fail "There are two files of settings, and the service would read the one that it should not." \
        "  saw: $root/.env" "  fix: take over what it says into $settings, then erase it"
fi

umask 022 # root's own may be so strict that the service could not read its code
FACEWIRE_LOCKED=1 DATA_DIR=$data "$root/run.sh" setup
# What root has fetched and built there belongs to the service.
chown -R facewire:facewire "$data"

install -m 0644 "$root/deploy/facewire.service" /etc/systemd/system/facewire.service
if [[ -e /etc/nv_tegra_release ]]; then # a Jetson
    install -D -m 0644 "$root/deploy/jetson.conf" /etc/systemd/system/facewire.service.d/jetson.conf
fi
install -m 0755 "$root/deploy/facewire" /usr/local/sbin/facewire
systemctl daemon-reload
if systemctl is-active --quiet facewire; then
    systemctl restart facewire
    printf 'Restarted: journalctl -u facewire -f\n'
else
    printf 'Installed. Start it, now and with the machine: systemctl enable --now facewire\n'
fi
