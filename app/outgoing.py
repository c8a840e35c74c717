"""Which events are kept and passed on in a run: from settings to what the processes are told."""

from __future__ import annotations

from pathlib import Path

from app import addresses, sealing
from app.settings import Settings
from checkpoints.errors import SettingsError
from pipeline.config import MqttConfig, OutletsConfig, RunConfig, WebhookConfig
from pipeline.parts import all_parts
from pipeline.wiring import SideRow


def outlets_config(chosen: Settings, *, console: bool) -> OutletsConfig | None:
    """None: nobody reads events but from their file. `console`: it is on, and wants to search them."""
    mqtt, webhook = _mqtt(chosen), _webhook(chosen)
    if not (console or mqtt or webhook):
        return None
    return OutletsConfig(
        store=store_dir(chosen),
        days=chosen.outlets.days,
        crops=chosen.outlets.crops,
        mqtt=mqtt,
        webhook=webhook,
        seal=sealing.seal_of(chosen),
    )


def log_path(chosen: Settings, outlets: OutletsConfig | None) -> Path | None:
    """The file of events: always one when they are kept or passed on."""
    if outlets is None:
        return chosen.output.events
    return chosen.output.events or default_log(chosen)


def default_log(chosen: Settings) -> Path:
    return chosen.data_dir / "events.jsonl"


def known_logs(chosen: Settings) -> list[Path]:
    """The files in which runs with these settings have written events; the one that is named comes first."""
    named = [] if chosen.output.events is None else [chosen.output.events]
    there = [path for path in (default_log(chosen),) if any(part.is_file() for part in all_parts(path))]
    return named + [path for path in there if path not in named]


def store_dir(chosen: Settings) -> Path:
    return chosen.data_dir / "events"


def sides(config: RunConfig) -> tuple[SideRow, ...]:
    """The process that passes events on, if there is a use for it."""
    return () if config.outlets is None else (SideRow("outlets", "pipeline.outlets.side"),)


def _mqtt(chosen: Settings) -> MqttConfig | None:
    outlets = chosen.outlets
    if outlets.mqtt_url is None:
        return None
    host, port, encrypted = addresses.parts_of_broker(outlets.mqtt_url)
    if outlets.mqtt_password and not outlets.mqtt_user:
        raise SettingsError(
            "A password for the MQTT broker needs a name.", saw="MQTT_PASSWORD without MQTT_USER", fix="set MQTT_USER"
        )
    if outlets.mqtt_ca is not None and not outlets.mqtt_ca.is_file():
        raise SettingsError(
            "The certificates for the MQTT broker are not there.", saw=f"MQTT_CA={outlets.mqtt_ca}", fix="name a file"
        )
    return MqttConfig(
        host=host,
        port=port,
        encrypted=encrypted,
        user=outlets.mqtt_user,
        password=outlets.mqtt_password,
        ca_file=outlets.mqtt_ca,
        topic=outlets.mqtt_topic,
        discovery=None if outlets.mqtt_discovery == "off" else outlets.mqtt_discovery,
    )


def _webhook(chosen: Settings) -> WebhookConfig | None:
    outlets = chosen.outlets
    if outlets.webhook_url is None:
        return None
    return WebhookConfig(outlets.webhook_url, outlets.webhook_secret, outlets.webhook_timeout_s)
