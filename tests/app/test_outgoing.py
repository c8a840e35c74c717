from __future__ import annotations

from pathlib import Path

import pytest

from app import flags, outgoing, settings
from checkpoints.errors import SettingsError
from pipeline.config import MqttConfig, RunConfig, WebhookConfig


def config(**environ: str) -> RunConfig:
    return flags.run_config(settings.load({"DATA_DIR": "/d", "DISPLAY_MODE": "none", **environ})).config


def complaint(**environ: str) -> str:
    with pytest.raises(SettingsError) as caught:
        config(**environ)
    return str(caught.value)


def test_by_default_nobody_is_told() -> None:
    assert config().outlets is None
    assert config().output.events is None
    assert outgoing.sides(config()) == ()


def test_events_that_are_passed_on_have_a_file_and_a_process() -> None:
    made = config(MQTT_URL="mqtt://broker")
    assert made.output.events == Path("/d/events.jsonl")
    assert made.outlets is not None and made.outlets.store == Path("/d/events")
    assert made.outlets.mqtt == MqttConfig("broker")
    assert [side.name for side in outgoing.sides(made)] == ["outlets"]
    assert config(MQTT_URL="mqtt://broker", EVENTS="mine.jsonl").output.events == Path("mine.jsonl")


def test_the_console_alone_wants_events_kept() -> None:
    chosen = settings.load({"DATA_DIR": "/d", "EVENTS_DAYS": "2", "EVENTS_CROPS": "false"})
    made = outgoing.outlets_config(chosen, console=True)
    assert made is not None
    assert (made.days, made.crops, made.mqtt, made.webhook) == (2.0, False, None, None)


def test_what_is_said_to_the_broker_comes_from_the_settings(tmp_path: Path) -> None:
    certificates = tmp_path / "ca.pem"
    certificates.touch()
    made = config(
        MQTT_URL="mqtts://[::1]",
        MQTT_USER="me",
        MQTT_PASSWORD="pass word",
        MQTT_CA=str(certificates),
        MQTT_TOPIC="home/faces",
        MQTT_DISCOVERY="off",
    )
    assert made.outlets is not None
    assert made.outlets.mqtt == MqttConfig(
        "::1", 8883, True, "me", "pass word", certificates, "home/faces", discovery=None
    )


def test_what_is_said_to_the_webhook_comes_from_the_settings() -> None:
    made = config(WEBHOOK_URL="https://host:1/a?b", WEBHOOK_SECRET="s", WEBHOOK_TIMEOUT="3")
    assert made.outlets is not None
    assert made.outlets.webhook == WebhookConfig("https://host:1/a?b", "s", 3.0)


def test_nothing_secret_is_printed() -> None:
    made = config(MQTT_URL="mqtt://b", MQTT_USER="me", MQTT_PASSWORD="hidden1", WEBHOOK_URL="https://h/hidden2")
    assert "hidden" not in repr(made)
    assert "hidden" not in complaint(WEBHOOK_URL="ftp://hidden")
    assert "hidden" not in complaint(MQTT_URL="mqtt://me:hidden@broker")


@pytest.mark.parametrize(
    ("name", "text", "fix"),
    [
        ("MQTT_URL", "broker", "mqtt://host:1883"),
        ("MQTT_URL", "mqtt://broker:0", "mqtt://host:1883"),
        ("MQTT_URL", "mqtt://me@broker", "MQTT_USER"),
        ("MQTT_TOPIC", "a/#", "not a topic"),
        ("MQTT_TOPIC", "a//b", "not a topic"),
        ("WEBHOOK_URL", "host/path", "https://host/path"),
        ("WEBHOOK_URL", "http://me:pass@host/", "WEBHOOK_SECRET"),
        ("WEBHOOK_URL", "http://host/\r\nX: y", "web address"),
        ("EVENTS_MB", "0", "1 to 100000"),
    ],
)
def test_addresses_that_cannot_be_used(name: str, text: str, fix: str) -> None:
    assert fix in complaint(**{name: text})


def test_a_password_needs_a_name_and_certificates_a_file() -> None:
    assert "MQTT_USER" in complaint(MQTT_URL="mqtt://b", MQTT_PASSWORD="p")
    assert "name a file" in complaint(MQTT_URL="mqtts://b", MQTT_CA="/no/such.pem")
