"""Every mistake is named by file, line, key and what is expected; the value found is never shown."""

from pathlib import Path

import pytest

from gateway.config import ConfigError, load
from tests.config.conftest import SOUND, Load, Mistakes

DURATION = 'expected a duration: a whole number with s, m, h or d, such as "30m"'
LENGTH = "expected a duration from 1s to 3650d"
PAUSE = "expected no more than 24h: a longer pause would count as a jump of the clock, and end at once"
TABLE = "expected a table"
TIMING = (
    "unknown; expected one of back_off_first, back_off_most, code_retention, command_retention, "
    "event_retention, expiry_alarm, lead, native_preload, reads_per_hour, rehearsal, removing_delay, "
    "second_check, setting_delay"
)
NO_CLIENT = (
    "6: mqtt.username: expected a text without blanks, /, + and #, because it is also a level of topics"
)
LOCK = '[locks.door]\ndriver = "simulated"\n'
ZWAVE = '[locks.door]\ndriver = "zwave"\nnode = 7\n'
YALE = '[locks.door]\ndriver = "yale"\naddress = "aa:bb:cc:dd:ee:ff"\n'
ID = "the id of a lock is 1 to 32 of a-z, 0-9, _ and -"
DRIVERS = 'expected one of "nuki", "simulated", "ttlock", "yale", "zwave"'
MODELS = 'expected one of "chooser", "masked", "native", "readable", "tiny", "write_only"'
PIN_LENGTH = "expected a whole number from 4 to 10"
GRANT = "missing; a lock whose slots cannot be read is written only where this list allows it"

BELOW = [
    ("[timing]\nlead = 30", f"9: timing.lead: {DURATION}"),
    ('[timing]\nlead = "PT30M"', f"9: timing.lead: {DURATION}"),
    ('[timing]\nlead = "-5m"', f"9: timing.lead: {DURATION}"),
    ('[timing]\nlead = "0s"', f"9: timing.lead: {LENGTH}"),
    ('[timing]\nlead = "999999d"', f"9: timing.lead: {LENGTH}"),
    ("[timing]\nreads_per_hour = 0", "9: timing.reads_per_hour: expected a whole number from 1"),
    ('[timing]\nback_off_first = "1h"', "9: timing.back_off_first: expected no more than back_off_most"),
    ('[timing]\nsecond_check = "25h"', f"9: timing.second_check: {PAUSE}"),
    ('[timing]\nback_off_most = "1441m"', f"9: timing.back_off_most: {PAUSE}"),
    ('[timing]\nback_off_first = "2d"\nback_off_most = "1d"', f"9: timing.back_off_first: {PAUSE}"),
    ('[timing]\nled = "30m"', f"9: timing.led: {TIMING}"),
    ('[clock]\nuntrusted_policy = "wait"', '9: clock.untrusted_policy: expected one of "hold", "run"'),
    (
        "[clock]\nremovals_after_step = true",
        "9: clock.removals_after_step: expected a whole number from 1 to 10000",
    ),
    ("[lock.door]", "8: lock: unknown; expected one of clock, drivers, gateway, locks, logs, mqtt, timing"),
    ("[drivers.nuki]", "8: drivers.nuki: unknown; expected one of ble, simulated, zwave"),
    ('[drivers.ble]\nadapter = "usb"', "9: drivers.ble.adapter: expected a text of the form hci[0-9]+"),
    ("[drivers.ble]\nidle_s = -1", "9: drivers.ble.idle_s: expected a number from 0 to 3600"),
    ("[[clock]]", f"8: clock: {TABLE}: [clock]"),
    ("[drivers]\nzwave = 3", f"9: drivers.zwave: {TABLE}: [drivers.zwave]"),
    (
        '[drivers.zwave]\nurl = "ws://192.168.1.5:3000"',
        (
            "8: drivers.zwave: PINs would travel to another machine in clear: "
            "use wss:// or set allow_plaintext = true"
        ),
    ),
    (
        # Python's own message about this host name quotes it, user and password included.
        '[drivers.zwave]\nurl = "wss://pinsmith:hunter2\u2100@hub"',
        "8: drivers.zwave: expected values that fit together; docs/configuration.md explains them",
    ),
    (
        "[drivers.zwave]\nreconnect_first_s = 0",
        "9: drivers.zwave.reconnect_first_s: expected a number from 0.1 to 60",
    ),
    ("[drivers.simulated]\ndirectory = 3", "9: drivers.simulated.directory: expected a text"),
    ("[locks]\ndoor = 3", f"9: locks.door: {TABLE}: [locks.door]"),
    ("[locks.door]", f"8: locks.door.driver: missing; {DRIVERS}"),
    ('[locks.door]\ndriver = "ble"', f"9: locks.door.driver: {DRIVERS}"),
    ('[locks."Front Door"]\ndriver = "simulated"', f"8: locks.Front Door: {ID}"),
    (LOCK + 'on_wipe = "ask"', '10: locks.door.on_wipe: expected one of "refill", "hold"'),
    (LOCK + "pin_length = 3", f"10: locks.door.pin_length: {PIN_LENGTH}"),
    (LOCK + "pin_length = true", f"10: locks.door.pin_length: {PIN_LENGTH}"),
    (LOCK + "backup_pool = 21", "10: locks.door.backup_pool: expected a whole number from 0 to 20"),
    (LOCK + "backup_pool = false", "10: locks.door.backup_pool: expected a whole number from 0 to 20"),
    (LOCK + "name = 3", "10: locks.door.name: expected a text"),
    (
        '[locks.door]\ndriver = "zwave"',
        "8: locks.door: a Z-Wave lock needs either node or node_name",
    ),
    (LOCK + 'slots = "many"', "10: locks.door.slots: expected a whole number"),
    (LOCK + "slots = 300", "8: locks.door: slots must be from 1 to 250"),
    (LOCK + 'model = "broken"', f"10: locks.door.model: {MODELS}"),
    (LOCK + 'model = "write_only"', f"8: locks.door.managed_slots: {GRANT}"),
    (ZWAVE + 'readback = "none"', f"8: locks.door.managed_slots: {GRANT}"),
    (
        ZWAVE + '[locks.gate]\ndriver = "zwave"\nnode = 7',
        "11: locks.gate: expected another node than locks.door has",
    ),
    (
        '[locks.door]\ndriver = "nuki"\nregister_as = "fob"',
        '10: locks.door.register_as: expected one of "app", "bridge"',
    ),
    (
        '[locks.door]\ndriver = "yale"\nbluetooth_name = "M1XY012"\npin_lengths = [3]',
        "11: locks.door.pin_lengths: expected a list, each a whole number from 4 to 14",
    ),
    (
        '[locks.door]\ndriver = "yale"',
        "8: locks.door: a Yale lock needs either address or bluetooth_name",
    ),
    (
        YALE + YALE.replace("door", "gate").replace("aa", "AA"),
        "11: locks.gate: expected another address or name than locks.door has",
    ),
    (
        '[locks.door]\ndriver = "ttlock"\nreach = "never"',
        '10: locks.door.reach: expected one of "always", "on_touch"',
    ),
]


@pytest.mark.parametrize(("added", "expected"), BELOW)
def test_names_one_mistake_in_the_sections_below_the_broker(
    mistakes: Mistakes, added: str, expected: str
) -> None:
    """The wrong key is named once, and nothing that is right."""
    assert mistakes(f"{SOUND}\n{added}") == [f"pinsmith.toml:{expected}"]


def test_says_which_keys_a_lock_of_this_driver_has(mistakes: Mistakes) -> None:
    """A key of another driver is as unknown as a misspelt one."""
    [found] = mistakes(f"{SOUND}\n{LOCK}node = 3\n")

    assert found == (
        "pinsmith.toml:10: locks.door.node: unknown; expected one of "
        "audit, backup_pool, driver, managed_slots, model, name, on_wipe, pin_length, reports, slots"
    )


@pytest.mark.parametrize(
    "slots",
    [
        "[]",
        "5",
        '"5"',
        "[0]",
        "[-1]",
        "[true]",
        "[1.5]",
        "[5, 5]",
        '["4-6", 5]',
        '["6-4"]',
        '["0-3"]',
        '["0"]',
        '[""]',
        '["a b"]',
    ],
)
def test_slots_are_listed_once_and_never_slot_zero(mistakes: Mistakes, slots: str) -> None:
    """Slot 0 means every slot to a Z-Wave lock, so it must not get through."""
    assert mistakes(f"{SOUND}\n{LOCK}managed_slots = {slots}\n") == [
        (
            "pinsmith.toml:10: locks.door.managed_slots: expected a list of slots, each once: "
            'numbers from 1, ranges such as "10-20", or names that the lock gives'
        )
    ]


@pytest.mark.parametrize(
    "audit",
    [
        "",
        "17 3 * *",
        "* * * * * *",
        "@daily",
        "61 * * * *",
        "0 0 31 2 *",
        "R 3 * * *",
        "h 3 * * *",
        "r(0-9) 3 * * *",
    ],
)
def test_an_audit_is_a_cron_expression_that_comes_true(mistakes: Mistakes, audit: str) -> None:
    """Seconds would empty batteries, drawn times would move with every start, 31 February never comes."""
    assert mistakes(f'{SOUND}\n{LOCK}audit = "{audit}"\n') == [
        (
            "pinsmith.toml:10: locks.door.audit: expected five cron fields (minute hour day month weekday) "
            'that name a time which comes, such as "17 3 * * *"'
        )
    ]


URL = "expected mqtt://host:port or mqtts://host:port"
BROKER = [
    ("", f"4: mqtt.url: missing; {URL}"),
    ('url = ""', f"5: mqtt.url: {URL}"),
    ("url = 3", f"5: mqtt.url: {URL}"),
    ('url = "broker.example"', f"5: mqtt.url: {URL}"),
    ('url = "http://broker.example"', f"5: mqtt.url: {URL}"),
    ('url = "mqtt://"', f"5: mqtt.url: {URL}"),
    ('url = "mqtt://broker.example:99999"', f"5: mqtt.url: {URL}"),
    ('url = "mqtt://broker.example:0"', f"5: mqtt.url: {URL}"),
    ('url = "mqtts://broker.example/topic"', f"5: mqtt.url: {URL}"),
    (
        'url = "mqtts://pinsmith:hunter2@broker.example"',
        "5: mqtt.url: expected mqtt(s)://host:port without user and password: use username and password_file",
    ),
    (
        'url = "mqtt://192.168.1.5"',
        (
            "5: mqtt.url: expected mqtts://: PINs would cross the network in clear; "
            "allow_plaintext = true allows it"
        ),
    ),
    (
        'url = "mqtt://127.0.0.1"\nca_file = "pinsmith.toml"',
        "5: mqtt.url: expected mqtts://, because certificates are given",
    ),
    (
        'url = "mqtts://broker.example"\ncert_file = "pinsmith.toml"',
        "6: mqtt.cert_file: expected together with key_file, or neither",
    ),
    (
        'url = "mqtts://broker.example"\nca_file = "absent.pem"',
        "6: mqtt.ca_file: expected a file that this user may read",
    ),
    (
        'url = "mqtts://broker.example"\nca_file = ""',
        "6: mqtt.ca_file: expected a path; a relative one counts from the folder of this file",
    ),
    (
        'url = "mqtt://localhost"\npassword_file = "pinsmith.toml"',
        "4: mqtt.username: missing; expected the user that the password belongs to",
    ),
    ('url = "mqtt://localhost"\nusername = "a/b"', NO_CLIENT),
    ('url = "mqtt://localhost"\nversion = "5.0"', '6: mqtt.version: expected one of "3.1.1", "5"'),
    (
        'url = "mqtt://localhost"\nmax_payload_bytes = 10',
        "6: mqtt.max_payload_bytes: expected a whole number from 1024 to 268435455",
    ),
    ('url = "mqtt://localhost"\nallow_plaintext = 1', "6: mqtt.allow_plaintext: expected true or false"),
    (
        'url = "mqtts://broker.example"\nembedded_broker = true',
        "5: mqtt.url: expected mqtt://127.0.0.1:port: the embedded broker listens on loopback only",
    ),
    (
        'url = "mqtt://localhost"\nembedded_broker = true\nversion = "5"',
        '7: mqtt.version: expected "3.1.1": the embedded broker speaks nothing newer',
    ),
]


@pytest.mark.parametrize(("settings", "expected"), BROKER)
def test_names_one_mistake_about_the_broker(mistakes: Mistakes, settings: str, expected: str) -> None:
    """Secrets in the URL and connections in clear are refused, with the way to do it right."""
    text = f'[gateway]\nid = "home"\ntime_zone = "UTC"\n[mqtt]\n{settings}\n'

    assert mistakes(text) == [f"pinsmith.toml:{expected}"]


@pytest.mark.parametrize("root", ["", "/home", "home/", "a//b", "home/+", "home/#", "$SYS/home", "a b"])
def test_the_root_is_a_plain_topic(mistakes: Mistakes, root: str) -> None:
    """A wildcard or an empty level in the root would break every topic below it."""
    assert mistakes(f'{SOUND}root = "{root}"\n') == [
        (
            "pinsmith.toml:7: mqtt.root: expected levels of a topic such as pinsmith/home: "
            "no blanks, + or #, no $ or / at the ends"
        )
    ]


def test_an_empty_password_file_is_a_mistake(mistakes: Mistakes, tmp_path: Path) -> None:
    """Most brokers take an empty password for no password at all."""
    (tmp_path / "password").touch()

    assert mistakes(f'{SOUND}username = "hub"\npassword_file = "password"\n') == [
        "pinsmith.toml:8: mqtt.password_file: expected a file that is not empty"
    ]


def test_a_password_that_is_no_text_is_a_mistake(mistakes: Mistakes, tmp_path: Path) -> None:
    """As some editors save it; the daemon could not read it. Nothing of it is repeated."""
    (tmp_path / "password").write_bytes("hünter2".encode("latin-1"))

    assert mistakes(f'{SOUND}username = "hub"\npassword_file = "password"\n') == [
        "pinsmith.toml:8: mqtt.password_file: expected UTF-8 text"
    ]


def test_names_all_mistakes_at_once_in_the_order_of_the_file(mistakes: Mistakes) -> None:
    """Nobody has to start ten times to find ten mistakes."""
    found = mistakes(
        '[gateway]\nid = "My Home"\ntime_zone = "Berlin"\n[mqtt]\nurl = 1\ntls = true\n'
        "[timing]\nlead = 5\n[locks.door]\n"
    )

    assert [line.split(": ")[:2] for line in found] == [
        ["pinsmith.toml:2", "gateway.id"],
        ["pinsmith.toml:3", "gateway.time_zone"],
        ["pinsmith.toml:5", "mqtt.url"],
        ["pinsmith.toml:6", "mqtt.tls"],
        ["pinsmith.toml:8", "timing.lead"],
        ["pinsmith.toml:9", "locks.door.driver"],
    ]


def test_an_empty_file_says_what_is_needed_at_least(mistakes: Mistakes) -> None:
    """Id, time zone and broker have no default that could be right everywhere."""
    assert mistakes("") == [
        "pinsmith.toml: gateway.id: missing; expected a text of the form [a-z0-9_-]{1,32}",
        (
            "pinsmith.toml: gateway.time_zone: missing; "
            'expected the name of a time zone, such as "Europe/Berlin" or "UTC"'
        ),
        f"pinsmith.toml: mqtt.url: missing; {URL}",
    ]


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("[gateway]\nid = hunter2\n", 2),
        ("[locks.door]\n[locks.gate]\n[locks.door]\n", 3),
        ("[mqtt]\npassword hunter2\n", 2),
        ("[gateway]\nid = 'hunter2\n", 2),
    ],
)
def test_broken_toml_and_a_lock_given_twice_are_found_by_line(
    mistakes: Mistakes, text: str, line: int
) -> None:
    """Only the place is told, never the text that stands there."""
    assert mistakes(text) == [
        (
            f"pinsmith.toml:{line}: not valid TOML here: "
            "a key twice, a missing quote or bracket, or a value without quotes"
        )
    ]


@pytest.mark.parametrize("value", ["[" * 5000, "{a=" * 5000, "9" * 5000])
def test_what_goes_beyond_the_reader_of_toml_is_a_mistake(mistakes: Mistakes, value: str) -> None:
    """It gives up in other ways than over a slip of the pen, and a daemon that reloads must live on."""
    assert mistakes(f"{SOUND}\n[locks]\ndoor = {value}\n") == [
        "pinsmith.toml: nested too deeply, or a number too long to be read"
    ]


def test_no_value_of_the_file_is_repeated(mistakes: Mistakes) -> None:
    """A secret may have been put under any key, or into any value."""
    secret = "hunter2hunter2"
    found = mistakes(
        f'[gateway]\nid = "{secret} "\ntime_zone = "{secret}"\ndata_directory = 1\n'
        f'[mqtt]\nurl = "mqtt://hub:{secret}@localhost"\npassword = "{secret}"\nversion = "{secret}"\n'
        f'username = "{secret}/"\npassword_file = "{secret}"\nroot = "#{secret}"\n'
        f'[timing]\nlead = "{secret}"\n[clock]\nuntrusted_policy = "{secret}"\n'
        f'[locks.door]\ndriver = "{secret}"\naudit = "{secret}"\nmanaged_slots = ["!{secret}"]\n'
        f'on_wipe = "{secret}"\n[locks.gate]\ndriver = "simulated"\nmodel = "{secret}"\n'
    )

    assert len(found) == 15
    assert secret not in "\n".join(found)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    """The path tried is what the person needs to see."""
    with pytest.raises(ConfigError) as caught:
        load(tmp_path / "absent.toml", {})

    assert str(caught.value) == f"{tmp_path}/absent.toml: cannot be read: No such file or directory"


def test_a_file_that_is_not_text_is_named(tmp_path: Path) -> None:
    """Someone may have pointed --config at the database."""
    (tmp_path / "pinsmith.db").write_bytes(b"SQLite\x00\xff\xfe")

    with pytest.raises(ConfigError, match=r"pinsmith\.db: expected UTF-8 text$"):
        load(tmp_path / "pinsmith.db", {})


def test_a_line_is_found_below_dotted_and_quoted_keys(load_text: Load) -> None:
    """However the key is written, the mistake points at its line."""
    with pytest.raises(ConfigError) as caught:
        load_text(f'clock.step = 3\n{SOUND}\n["locks"."door"]\n"driver" = "x"\n')

    assert [mistake.line for mistake in caught.value.mistakes] == [1, 10]
