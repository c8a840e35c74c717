"""Events posted to a real HTTP server, which is slow, broken or gone."""

from __future__ import annotations

import hmac
import json
import socket
import threading
from collections.abc import Iterator
from hashlib import sha256

import pytest

from pipeline.config import WebhookConfig
from pipeline.outlets.webhook import Webhook
from tests.pipeline.outlets.conftest import Desk, told
from tests.pipeline.outlets.receiver import Receiver


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    made = Receiver()
    yield made
    made.stop()


def webhook(receiver: Receiver, *, secret: str | None = None, timeout_s: float = 10.0) -> Webhook:
    return Webhook(WebhookConfig(receiver.url, secret, timeout_s))


def test_every_event_is_posted_once_and_in_order(desk: Desk, receiver: Receiver) -> None:
    desk.tell(lambda: webhook(receiver))
    desk.write(*(told(frame, name="Zoë") for frame in range(200)))
    receiver.until(lambda: len(receiver.received) == 200)
    desk.end()
    assert receiver.frames == list(range(200))
    assert receiver.received[0][1]["name"] == "Zoë"
    assert len({body["uid"] for _, body in receiver.received}) == 200
    delivery = desk.delivery()
    assert (delivery.offered, delivery.delivered, delivery.dropped, delivery.waiting) == (200, 200, 0, 0)
    assert delivery.state == "ended"


def test_what_is_posted_is_signed(desk: Desk, receiver: Receiver) -> None:
    desk.tell(lambda: webhook(receiver, secret="k3y"))
    desk.write(told(1))
    receiver.until(lambda: len(receiver.received) == 1)
    headers, body = receiver.received[0]
    signed = headers["X-Facewire-Timestamp"].encode() + b"." + json.dumps(body, ensure_ascii=False).encode()
    assert headers["X-Facewire-Signature"] == "sha256=" + hmac.new(b"k3y", signed, sha256).hexdigest()
    assert headers["Content-Type"].startswith("application/json")


def test_without_a_key_nothing_is_signed(desk: Desk, receiver: Receiver) -> None:
    desk.tell(lambda: webhook(receiver))
    desk.write(told(1))
    receiver.until(lambda: len(receiver.received) == 1)
    assert "X-Facewire-Signature" not in receiver.received[0][0]


@pytest.mark.parametrize("status", [500, 503, 429, 404, 401, 302])
def test_an_event_is_posted_again_until_it_is_taken(desk: Desk, receiver: Receiver, status: int) -> None:
    receiver.answers = [status]
    desk.tell(lambda: webhook(receiver))
    desk.write(told(1), told(2))
    receiver.until(lambda: len(receiver.received) == 2)
    assert receiver.frames == [1, 2]
    assert receiver.asked == 3
    assert any(f"answers {status}" in text for text in desk.said)


def test_an_event_that_the_receiver_never_takes_holds_up_nobody(desk: Desk, receiver: Receiver) -> None:
    receiver.answers = [200, 422, 200]
    desk.tell(lambda: webhook(receiver))
    desk.write(told(1), told(2), told(3))
    receiver.until(lambda: len(receiver.received) == 2)
    desk.end()
    assert receiver.frames == [1, 3]
    assert (desk.delivery().delivered, desk.delivery().dropped) == (2, 1)
    assert any("refused" in text for text in desk.said)


def test_a_receiver_that_never_answers_is_asked_again(desk: Desk, receiver: Receiver) -> None:
    receiver.answers = [None]
    desk.tell(lambda: webhook(receiver, timeout_s=0.2))
    desk.write(told(1))
    receiver.until(lambda: len(receiver.received) == 1)
    assert receiver.asked == 2


def test_a_receiver_that_answers_a_byte_now_and_then_is_given_up(desk: Desk) -> None:
    """Each byte comes in time, the answer never does."""
    is_over = threading.Event()
    asked = threading.Semaphore(0)
    with socket.create_server(("127.0.0.1", 0)) as server:

        def drip() -> None:
            for _ in range(2):
                connected, _ = server.accept()
                asked.release()
                with connected:
                    try:
                        while not is_over.wait(0.05):
                            connected.sendall(b"H")
                    except OSError:
                        continue

        thread = threading.Thread(target=drip, daemon=True)
        thread.start()
        port = server.getsockname()[1]
        desk.tell(lambda: Webhook(WebhookConfig(f"http://127.0.0.1:{port}/", timeout_s=0.3)))
        desk.write(told(1))
        assert asked.acquire(timeout=30)
        assert asked.acquire(timeout=30), "it was not asked a second time"
        is_over.set()
        desk.end()
        thread.join()
    assert desk.delivery().waiting == 1


def test_events_wait_while_the_receiver_is_gone(desk: Desk, receiver: Receiver) -> None:
    desk.tell(lambda: webhook(receiver))
    desk.write(told(0))
    receiver.until(lambda: len(receiver.received) == 1)
    receiver.stop()
    desk.write(*(told(frame) for frame in range(1, 50)))
    while desk.delivery().state != "away":
        threading.Event().wait(0.01)
    assert desk.delivery().waiting == 49
    receiver.start()
    receiver.until(lambda: len(receiver.received) == 50)
    assert receiver.frames == list(range(50))
    assert desk.said[-1].endswith("there again")


def test_the_next_run_goes_on_where_the_last_one_was(desk: Desk, receiver: Receiver) -> None:
    desk.write(told(0))
    desk.tell(lambda: webhook(receiver))
    desk.write(told(1))
    receiver.until(lambda: len(receiver.received) == 1)
    desk.end()
    desk.write(told(2), told(3))
    desk.tell(lambda: webhook(receiver))
    receiver.until(lambda: len(receiver.received) == 3)
    assert receiver.frames == [1, 2, 3], "an outlet that is new is not told what was before it"


def test_the_end_does_not_wait_for_somebody_who_is_away(desk: Desk, receiver: Receiver) -> None:
    receiver.stop()
    desk.tell(lambda: webhook(receiver))
    desk.write(told(1))
    desk.end()
    assert desk.delivery().waiting == 1


def test_the_key_in_the_address_is_said_nowhere(desk: Desk, receiver: Receiver) -> None:
    receiver.answers = [500, 422]
    desk.tell(lambda: webhook(receiver))
    desk.write(told(1))
    receiver.until(lambda: receiver.asked == 2)
    receiver.stop()
    desk.write(told(2))
    while not any("cannot be reached" in text for text in desk.said):
        threading.Event().wait(0.01)
    assert "hidden" not in " ".join([*desk.said, desk.delivery().said])


def test_who_is_erased_is_not_told_any_more(desk: Desk, receiver: Receiver) -> None:
    receiver.answers = [500]
    desk.tell(lambda: webhook(receiver))
    desk.write(told(1, name="Ann"), told(2, name="Bob"))
    receiver.until(lambda: receiver.asked == 1)
    with desk.store.database.writing() as connection:
        connection.execute("DELETE FROM events WHERE name = 'Ann'")
    receiver.until(lambda: len(receiver.received) == 1)
    assert receiver.frames == [2]
