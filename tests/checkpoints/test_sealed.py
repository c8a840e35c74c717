"""What is sealed says nothing without its key, opens only where it belongs, and survives a change of keys."""

from __future__ import annotations

import base64
import pickle

import pytest

from checkpoints.errors import SealBroken, SealError
from checkpoints.sealed import Seal, id_of, is_sealed, keys_of, new_key

OLD, NEW = bytes(range(32)), bytes(range(32, 64))
SAID = b"an embedding, a name, a face"


def test_what_is_sealed_opens_with_its_key_and_says_nothing_before() -> None:
    seal = Seal((OLD,))
    sealed = seal.seal(SAID, "face 1")
    assert is_sealed(sealed)
    assert not any(SAID[at : at + 6] in sealed for at in range(len(SAID) - 6))
    assert seal.open(sealed, "face 1") == SAID


def test_the_same_bytes_are_sealed_another_way_each_time() -> None:
    seal = Seal((OLD,))
    assert len({seal.seal(SAID, "face 1") for _ in range(50)}) == 50


def test_without_a_key_everything_is_as_it_was() -> None:
    assert Seal().seal(SAID, "face 1") == SAID
    assert Seal().open(SAID, "face 1") == SAID
    assert Seal().line(SAID, "face 1") == SAID
    assert not Seal().on


def test_what_is_sealed_opens_only_where_it_belongs() -> None:
    seal = Seal((OLD,))
    with pytest.raises(SealBroken, match="face 2"):
        seal.open(seal.seal(SAID, "face 1"), "face 2")


def test_each_changed_or_missing_byte_is_noticed() -> None:
    seal = Seal((OLD,))
    sealed = seal.seal(SAID, "face 1")
    for at in range(len(sealed)):
        changed = sealed[:at] + bytes([sealed[at] ^ 1]) + sealed[at + 1 :]
        with pytest.raises(SealError):
            seal.opened(changed, "face 1")
        with pytest.raises(SealError):
            seal.opened(sealed[:at], "face 1")


def test_a_wrong_and_a_missing_key_are_told_apart_by_ids_that_hold_nothing_of_them() -> None:
    sealed = Seal((OLD,)).seal(SAID, "face 1")
    with pytest.raises(SealError, match="there is no key") as missing:
        Seal().open(sealed, "face 1")
    with pytest.raises(SealError, match="another one") as wrong:
        Seal((NEW,)).open(sealed, "face 1")
    for raised in (missing, wrong):
        assert not isinstance(raised.value, SealBroken)
        assert id_of(OLD).hex() in str(raised.value)
        for key in (OLD, NEW):
            assert base64.b64encode(key).decode() not in str(raised.value) and key.hex() not in str(raised.value)


def test_a_new_key_seals_and_the_older_ones_still_open() -> None:
    before = Seal((OLD,)).seal(SAID, "face 1")
    both = Seal((NEW, OLD))
    assert both.open(before, "face 1") == SAID
    assert not both.is_current(before)
    after = both.seal(SAID, "face 1")
    assert both.is_current(after)
    assert Seal((NEW,)).open(after, "face 1") == SAID


def test_what_was_kept_before_there_was_a_key_can_be_read_but_not_where_a_seal_is_demanded() -> None:
    seal = Seal((OLD,))
    assert seal.open(b"\xff\xd8 a picture", "face 1") == b"\xff\xd8 a picture"
    assert not seal.is_current(b"\xff\xd8 a picture")
    with pytest.raises(SealBroken):
        seal.opened(b"\xff\xd8 a picture", "face 1")


def test_a_line_stays_a_line() -> None:
    seal = Seal((OLD,))
    line = seal.line(b'{"name": "Ada"}\xc3\xa9', "unknown face")
    assert b"\n" not in line and b"Ada" not in line
    assert seal.open_line(line, "unknown face") == b'{"name": "Ada"}\xc3\xa9'
    assert seal.open_line(b'{"name": "Ada"}', "unknown face") == b'{"name": "Ada"}'
    assert seal.is_current_line(line) and not Seal((NEW, OLD)).is_current_line(line)
    assert not seal.is_current_line(b'{"name": "Ada"}') and Seal().is_current_line(b'{"name": "Ada"}')
    for damaged in (b"sealed ", b"sealed !!", line[:-1] + b"*", line[:20]):
        with pytest.raises(SealError):
            seal.open_line(damaged, "unknown face")


def test_keys_are_read_in_their_order_and_once() -> None:
    first, second = new_key(), new_key()
    assert keys_of(f"{first},{second}\n{first}\n") == (base64.b64decode(first), base64.b64decode(second))
    assert len(base64.b64decode(first)) == 32 and first != second


@pytest.mark.parametrize("text", ["", " , ", "secret!", base64.b64encode(bytes(16)).decode(), f"{new_key()} x"])
def test_a_text_that_is_no_key_is_refused_without_showing_it(text: str) -> None:
    with pytest.raises(ValueError, match="key") as raised:
        keys_of(text)
    assert not text.strip(" ,") or text not in str(raised.value)


def test_a_seal_goes_to_another_process_and_never_into_a_text() -> None:
    seal = Seal((OLD,))
    assert pickle.loads(pickle.dumps(seal)) == seal
    assert repr(seal) == "Seal()"
