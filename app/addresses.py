"""Addresses of those who are told of events, and topics: texts to values, as in `values`."""

from __future__ import annotations

import ipaddress
import re

_HOST = r"(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._-]+)"


def broker(text: str) -> str:
    """mqtt(s)://host[:port]"""
    found = re.fullmatch(rf"mqtts?://{_HOST}(?::(\d{{1,5}}))?/?", text)
    if found is None or (found[2] and not 0 < int(found[2]) < 65536):
        hint = "; name and password belong in MQTT_USER and MQTT_PASSWORD" if "@" in text else ""
        raise ValueError(f"is not the address of an MQTT broker; write for example mqtt://host:1883{hint}")
    return text.rstrip("/")


def parts_of_broker(address: str) -> tuple[str, int, bool]:
    """Host, port, whether it is encrypted; of what `broker` has let pass."""
    scheme, _, rest = address.partition("://")
    encrypted = scheme == "mqtts"
    found = re.fullmatch(rf"{_HOST}(?::(\d+))?", rest)
    assert found is not None
    return found[1].strip("[]"), int(found[2] or (8883 if encrypted else 1883)), encrypted


def topic(text: str) -> str:
    """Levels of letters, digits, - and _ with / between."""
    if not re.fullmatch(r"[A-Za-z0-9_-]+(/[A-Za-z0-9_-]+)*", text) or len(text) > 200:
        raise ValueError("is not a topic; use letters, digits, - and _, with / between levels")
    return text


def web(text: str) -> str:
    """http(s)://host[:port][/path][?query]"""
    found = re.fullmatch(rf"https?://{_HOST}(?::(\d{{1,5}}))?(?:[/?][\x21-\x7e]*)?", text)
    if found is None or "#" in text or (found[2] and not 0 < int(found[2]) < 65536):
        hint = "; put a key into WEBHOOK_SECRET, or into the path" if "@" in text else ""
        raise ValueError(f"is not a web address; write for example https://host/path{hint}")
    return text


def is_loopback(host: str) -> bool:
    """Whether only this machine reaches it."""
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return host.lower() == "localhost"
