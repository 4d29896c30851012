"""The vendor's published example, byte for byte: with its key and nonces we must say exactly what it says.

Source: Nuki Smart Lock API 2.1, with the one repair that its checksum and authenticator allow.
"""

from collections.abc import Callable

from drivers.ble.nuki.commands import Command, Registration
from drivers.ble.nuki.frames import Gathering, Message, Seal, plain, public_key, read_plain, shared_key
from drivers.ble.nuki.pairing import Agreed, Introduction, classic
from drivers.ble.nuki.records import read_states

SECRET = "8CAA54672307BFFDF5EA183FC607158D2011D008ECA6A1088614FF0853A5AA07"
OURS = "F88127CCF48023B5CBE9101D24BAA8A368DA94E8C2E3CDE2DED29CE96AB50C15"
THEIRS = "2FE57DA347CD62431528DAAC5FBB290730FFF684AFC4CFC2ED90995F58CB3B74"
SHARED = "217FCB0F18CAF284E9BDEA0B94B83B8D10867ED706BFDEDBD2381F4CB3B8F730"
CHALLENGE = "6CD4163D159050C798553EAA57E278A579AFFCBC56F09FC57FE879E51C42DF17"
NEXT_CHALLENGE = "E0742CFEA39CB46109385BF91286A3C02F40EE86B0B62FC34033094DE41E2C0D"
NONCE = "52AFE0A664B4E9B56DC6BD4CB718A6C9FED6BE17A7411072AA0D315378140577"
PROOF = "CF1B9E7801E3196E6594E76D57908EE500AAD5C33F4B6E0BBEA0DDEF82967BFC"
NAME = "4D61726320285465737429" + "00" * 21
AUTHORIZATION_ID = (
    "3A270A2E453443C3790E657CEBE634B03F0102F45681B4067C661D46E6E15EDF"
    "0200000083B33643C6D97EF77ED51C02A277CBF7EA479915982F13C61D997A56"
    "678AD77791BFA7E95229A3DD34F87132BF3E3C97"
)
SAID = [
    "0100030027A7",
    f"0300{OURS}9241",
    "0500B09A0D3979A029E5FD027B519EAA200BC14AD3E163D3BE4563843E021073BCB1C357",
    f"0600{PROOF}0000000000{NAME}{NONCE}69F2",
    "1E003A41B91A66FBC4D22EFEFBB7272140829695A3917433D5BEB981B76166D13F8A02000000CDF5",
]
HEARD = [
    f"0300{THEIRS}9DB9",
    f"0400{CHALLENGE}C3DF",
    f"0400{NEXT_CHALLENGE}",
    f"0700{AUTHORIZATION_ID}DB9F",
    "0E0000",
]

STATE_REQUEST = (
    "37917F1AF31EC5940705F34D1E5550607D5B2F9FE7D496B6",
    "020000001A00670D124926004366532E8D927A33FE84E782A9594D39157D065E",
)
STATES = (
    "90B0757CFED0243017EAF5E089F8583B9839D61B050924D2020000002700"
    "B13938B67121B6D528E7DE206B0D7C5A94587A471B33EBFB012CED8F1261135566ED756E3910B5"
)
ACTION = (
    "19467990B69FFBE3D484A5882C995449E3EBC878712152E7020000003E00"
    "B30D19E0C0A12F4D8C887864877B8853437825D587F85BB6C21BF674E204A685"
    "AC5E40E8A5FDB85349F520069496F092FAB63736928C0933DB34CFA21809"
)
CHALLENGE_REQUEST = (
    "88FDEFD7F941B63C242B7F84B3D786886340A4A8B1C1EAA0",
    "020000001A00066819A2956E6A79AF6ED66D257B276715F51F63A8BEB9ED0D47",
)


def given(*values: str) -> Callable[[int], bytes]:
    """Return randomness that yields these values in turn, each of the length asked for."""
    waiting = iter([bytes.fromhex(value) for value in values])

    def draw(size: int) -> bytes:
        value = next(waiting)
        assert len(value) == size
        return value

    return draw


def heard(frame: str) -> Message:
    """Return a message of the lock; a checksum that the table does not give is computed."""
    raw = bytes.fromhex(frame)
    command = Command.of(raw)
    sizes = {Command.CHALLENGE: 36, Command.STATUS: 5}
    return read_plain(raw) if len(raw) >= sizes.get(command, 0) else read_plain(plain(command, raw[2:]))


def replay() -> tuple[list[str], Agreed]:
    """Pair as the published client did; return what was said, and what was agreed."""
    exchange = classic(
        Introduction(registration=Registration.APP, app_id=0, name="Marc (Test)"), given(SECRET, NONCE)
    )
    said = [next(exchange)]
    for frame in HEARD:
        try:
            said.append(exchange.send(heard(frame)))
        except StopIteration as end:
            return [each.frame.hex().upper() for each in said], end.value
    raise AssertionError("pairing wants more messages than were published")


def test_the_keys_are_the_published_ones() -> None:
    """X25519 and the derivation of the long-term key."""
    assert public_key(bytes.fromhex(SECRET)) == bytes.fromhex(OURS)
    assert shared_key(bytes.fromhex(THEIRS), bytes.fromhex(SECRET)) == bytes.fromhex(SHARED)


def test_pairing_says_every_published_byte() -> None:
    """All five messages, with their authenticators and checksums."""
    said, agreed = replay()
    assert said == SAID
    assert agreed.shared_key == bytes.fromhex(SHARED)
    assert agreed.authorisation == 2


def test_a_published_state_request_is_sealed_to_the_same_bytes() -> None:
    """With the nonce of the example."""
    nonce, rest = STATE_REQUEST
    seal = Seal(bytes.fromhex(SHARED), 2, given(nonce))
    frame = seal.close(Command.REQUEST_DATA, Command.STATES.to_bytes(2, "little"))
    assert frame.hex().upper() == nonce + rest


def test_a_published_challenge_request_is_sealed_to_the_same_bytes() -> None:
    """With the nonce of the example."""
    nonce, rest = CHALLENGE_REQUEST
    seal = Seal(bytes.fromhex(SHARED), 2, given(nonce))
    frame = seal.close(Command.REQUEST_DATA, Command.CHALLENGE.to_bytes(2, "little"))
    assert frame.hex().upper() == nonce + rest


def test_a_published_lock_action_is_opened_and_sealed_to_the_same_bytes() -> None:
    """The hub sends no lock actions, but the bytes prove the sealing of a longer message."""
    frame = bytes.fromhex(ACTION)
    opened = Seal(bytes.fromhex(SHARED), 2, given()).open(frame)
    assert opened.command == 0x000D
    again = Seal(bytes.fromhex(SHARED), 2, given(ACTION[:48])).close(opened.command, opened.payload)
    assert again == frame


def test_the_published_states_are_understood() -> None:
    """Cut into indications of 20 bytes, as the lock of the example sent them."""
    frame, gathering = bytes.fromhex(STATES), Gathering(sealed=True)
    whole = [gathering.add(frame[at : at + 20]) for at in range(0, len(frame), 20)]
    assert whole[:-1] == [None] * (len(whole) - 1)
    message = Seal(bytes.fromhex(SHARED), 2, given()).open(whole[-1] or b"")
    assert message.command == Command.STATES
    states = read_states(message.payload)
    assert states.at is not None
    assert states.battery is None
