"""The envelope by itself: nothing opens but what was sealed, where it was sealed."""

from dataclasses import replace

import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from hypothesis import given
from hypothesis import strategies as st

from bot.ports.records import Account
from bot.ports.vault import Credentials, Tampered
from bot.storage.vault.sealing import DataKey, new_data_key, new_master_key, seal, unseal, unwrap, wrap
from tests.storage.vault.samples import CANARY

ACCOUNT = Account(7, 11, "binance", "live")
MASTER = new_master_key()
DATA = new_data_key(ACCOUNT.user_id, 3, MASTER)
TEXT = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=200)


@given(TEXT, TEXT, st.none() | TEXT)
def test_whatever_is_sealed_comes_out_again(key: str, secret: str, passphrase: str | None) -> None:
    credentials = Credentials(key, secret, passphrase)
    sealed = seal(credentials, ACCOUNT, DATA)
    assert unseal(sealed, ACCOUNT, DATA) == credentials
    assert len(sealed) > len(key) + len(secret)


@given(st.binary(max_size=300))
def test_nothing_else_opens(noise: bytes) -> None:
    with pytest.raises(Tampered):
        unseal(noise, ACCOUNT, DATA)
    with pytest.raises(Tampered):
        unwrap(noise, DATA.user_id, DATA.version, DATA.made_under, MASTER)


@pytest.mark.parametrize("flip", [1, 128, 255])
def test_every_single_byte_matters(flip: int) -> None:
    sealed, wrapped = seal(CANARY, ACCOUNT, DATA), wrap(DATA, MASTER)
    for at in range(len(sealed)):
        with pytest.raises(Tampered):
            unseal(_flipped(sealed, at, flip), ACCOUNT, DATA)
    for at in range(len(wrapped)):
        with pytest.raises(Tampered):
            unwrap(_flipped(wrapped, at, flip), DATA.user_id, DATA.version, DATA.made_under, MASTER)


def test_nothing_can_be_cut_off_or_added() -> None:
    sealed = seal(CANARY, ACCOUNT, DATA)
    for length in range(len(sealed)):
        with pytest.raises(Tampered):
            unseal(sealed[:length], ACCOUNT, DATA)
    with pytest.raises(Tampered):
        unseal(sealed + b"\0", ACCOUNT, DATA)


@pytest.mark.parametrize("changes", [{"id": 8}, {"user_id": 12}, {"exchange": "bybit"}, {"mode": "demo"}])
def test_fault_42_credentials_open_for_their_own_account_alone(changes: dict[str, object]) -> None:
    sealed = seal(CANARY, ACCOUNT, DATA)
    with pytest.raises(Tampered):
        unseal(sealed, replace(ACCOUNT, **changes), DATA)  # type: ignore[arg-type]


@pytest.mark.parametrize("changes", [{"user_id": 12}, {"version": 4}])
def test_fault_42_credentials_open_with_their_own_version_of_the_key_alone(changes: dict[str, int]) -> None:
    sealed = seal(CANARY, ACCOUNT, DATA)
    with pytest.raises(Tampered):
        unseal(sealed, ACCOUNT, replace(DATA, **changes))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "facts", [(12, 3, MASTER.fingerprint), (11, 4, MASTER.fingerprint), (11, 3, "0" * 16)]
)
def test_fault_42_a_data_key_belongs_to_its_user(facts: tuple[int, int, str]) -> None:
    wrapped = wrap(DATA, MASTER)
    assert unwrap(wrapped, 11, 3, MASTER.fingerprint, MASTER) == DATA
    with pytest.raises(Tampered):
        unwrap(wrapped, *facts, MASTER)


def test_a_data_key_and_credentials_are_not_taken_for_each_other() -> None:
    same = replace(DATA, key=MASTER.key)
    with pytest.raises(Tampered):
        unseal(wrap(DATA, MASTER), ACCOUNT, same)


def test_no_nonce_is_used_twice() -> None:
    sealed = {seal(CANARY, ACCOUNT, DATA)[1:13] for _ in range(20_000)}
    wrapped = {wrap(DATA, MASTER)[1:13] for _ in range(20_000)}
    assert len(sealed | wrapped) == 40_000


def test_it_is_aes_256_in_galois_counter_mode_with_the_published_tag_length() -> None:
    assert len(DATA.key) == len(MASTER.key) == 32
    wrapped = wrap(DATA, MASTER)
    facts = b'\x01["hedgehog","data key",11,3,"%s","%s"]' % ((MASTER.fingerprint.encode(),) * 2)
    assert AESGCM(MASTER.key).decrypt(wrapped[1:13], wrapped[13:], facts) == DATA.key
    assert len(wrapped) == 1 + 12 + 32 + 16


def test_no_key_is_shown() -> None:
    for key in (MASTER, DATA):
        shown = f"{key} {key!r}"
        for spelling in (key.key.hex(), repr(key.key)[2:-1], "key=b"):
            assert spelling not in shown
    assert isinstance(DATA, DataKey)


def _flipped(sealed: bytes, at: int, flip: int) -> bytes:
    return sealed[:at] + bytes([sealed[at] ^ flip]) + sealed[at + 1 :]
