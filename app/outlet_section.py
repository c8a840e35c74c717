"""The settings of what becomes of events: how long they are kept, and who else is told."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from app import addresses, values
from app.about import about
from pipeline.config import MqttConfig, OutletsConfig, OutputConfig, WebhookConfig

_OUTPUT, _OUTLETS = OutputConfig(), OutletsConfig()
_MQTT, _WEBHOOK = MqttConfig(host=""), WebhookConfig(url="")


@dataclass(frozen=True, slots=True)
class OutletSettings:
    """Where events go"""

    part_mb: int = field(
        default=_OUTPUT.event_part_bytes // 1_000_000,
        metadata=about(
            "EVENTS_MB",
            values.whole(1, 100_000),
            "Megabytes from which the file of events goes on in a new one; what it was is FILE.000001.jsonl then, "
            "FILE.000002.jsonl and so on",
        ),
    )
    days: float = field(
        default=_OUTLETS.days,
        metadata=about(
            "EVENTS_DAYS",
            values.number(0.01, 3650, "days"),
            "Days for which events are kept, with their pictures and the older parts of their file; "
            "what a receiver has not fetched until then is lost for it",
        ),
    )
    crops: bool = field(
        default=_OUTLETS.crops,
        metadata=about(
            "EVENTS_CROPS",
            values.yes_or_no,
            "Keep a picture of the face with an event, while the console, MQTT or the webhook is on",
        ),
    )
    mqtt_url: str | None = field(
        default=None,
        metadata=about(
            "MQTT_URL",
            addresses.broker,
            "Address of an MQTT broker that is told every event, mqtt://host or mqtts://host",
            "--mqtt URL",
        ),
    )
    mqtt_user: str | None = field(
        default=_MQTT.user,
        metadata=about("MQTT_USER", values.printable, "Who this program is to the broker"),
    )
    mqtt_password: str | None = field(
        default=_MQTT.password,
        metadata=about("MQTT_PASSWORD", values.printable, "Password of MQTT_USER; it is shown nowhere", secret=True),
    )
    mqtt_ca: Path | None = field(
        default=_MQTT.ca_file,
        metadata=about(
            "MQTT_CA",
            values.path,
            "File of certificates that vouch for the broker of an mqtts:// address; if empty, those of the system",
        ),
    )
    mqtt_topic: str = field(
        default=_MQTT.topic,
        metadata=about(
            "MQTT_TOPIC",
            addresses.topic,
            "Where all topics begin; each installation that uses the broker needs its own",
        ),
    )
    mqtt_discovery: str = field(
        default=_MQTT.discovery or "",
        metadata=about(
            "MQTT_DISCOVERY",
            addresses.topic,
            "Topic at which Home Assistant finds the cameras by itself; off: it is told nothing",
        ),
    )
    webhook_url: str | None = field(
        default=None,
        metadata=about(
            "WEBHOOK_URL",
            addresses.web,
            "Address that every event is posted to as JSON, http(s)://…; it is shown nowhere",
            secret=True,
        ),
    )
    webhook_secret: str | None = field(
        default=_WEBHOOK.secret,
        metadata=about(
            "WEBHOOK_SECRET",
            values.printable,
            "Key that the receiver knows, too: what is posted is signed with it; it is shown nowhere",
            secret=True,
        ),
    )
    webhook_timeout_s: float = field(
        default=_WEBHOOK.timeout_s,
        metadata=about(
            "WEBHOOK_TIMEOUT",
            values.number(0.1, 300, "seconds"),
            "Seconds that the receiver may take to answer, before the event is posted again",
        ),
    )
