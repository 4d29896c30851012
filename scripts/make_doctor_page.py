"""Writes docs/doctor.md from the tables in the code: python -m scripts.make_doctor_page."""

import re
from pathlib import Path

from gateway.doctor.broker import SOON_DAYS
from gateway.doctor.catalogue import SUBJECTS
from gateway.doctor.examine import LISTEN_S
from gateway.doctor.finding import Kind

PAGE = Path(__file__).parent.parent / "docs" / "doctor.md"
_HEAD = f"""# pinsmith doctor

```sh
sudo pinsmith doctor
sudo pinsmith doctor front-door
pinsmith doctor --json
```

Looks at what is around the hub, and says of each thing what is wrong, why, and what to do. With a lock:
what is wrong with that lock, with its way to the hub, and whatever stops the whole hub. The daemon may be
running or not. Root, or the user of the daemon, sees everything; others are told what they may not see.

It only looks. Nothing is written to a lock, to a retained topic or to the database, nothing goes over the
Z-Wave radio, and no Bluetooth lock is connected to. For the rights at the broker two messages are sent with
QoS 0 and come back; a daemon that is online is asked for its clock. Where no daemon runs, Bluetooth locks
are listened for during {LISTEN_S:.0f} s.

| severity | meaning | exit code |
|---|---|---|
| `problem` | something does not work, or is open to others | 1 |
| `warning` | works today, and will hurt one day | 0 |
| `note` | worth knowing; nothing has to be done | 0 |
| `ok` | looked at, and as it should be | 0 |

With `--json`: `findings`, each with `id`, `severity`, `where`, `what`, `cause` and `remedy`, worst first,
and `counts` by severity. Ids stay as they are; new ones may come. A wrong configuration ends with code 3,
before anything is looked at.

What it cannot see:

- whether the Z-Wave server keeps codes (`queryAllUserCodes`), who may read its files, and whether its port
  is open to the network: its protocol tells none of that. They are seen where the server runs on this
  machine as `zwave-server`, by users who may look. Z-Wave JS UI and servers in containers hide them;
- which node lost its security keys, distances, and anything else that only a radio measures;
- whether the hub may publish states and events, until it tries: an attempt would be heard by others. A
  running daemon says so in its log;
- how a daemon reaches Bluetooth locks, where the user of the hub may not read `bridge/health`:
  docs/mosquitto.acl lets it;
- as root, whether rules of D-Bus keep the user of the daemon from BlueZ, as Debian's do not:
  `sudo -u pinsmith pinsmith doctor` asks as that user;
- a key that systemd hands to the daemon as a credential. Without it nothing can be said of single locks.

A certificate that ends within {SOON_DAYS} days is told. Words in <> differ from case to case.

This page is made from the code (`python -m scripts.make_doctor_page`).
"""


def page() -> str:
    """Return the page as it should be."""
    return "\n".join([_HEAD, *(_section(title, kinds) for title, kinds in SUBJECTS.items())])


def _section(title: str, kinds: tuple[Kind, ...]) -> str:
    rows = "".join(
        f"| `{kind.id}` | {kind.severity} | "
        + " | ".join(_text(text) for text in (kind.what, kind.cause, kind.remedy))
        + " |\n"
        for kind in kinds
    )
    head = "| id | severity | what | why | what to do |\n|---|---|---|---|---|"
    return f"## {title}\n\n{head}\n{rows}"


def _text(template: str) -> str:
    """Return a text with its places shown as <name>."""
    template = template.replace("pair {driver}", "pair nuki")  # for example: there is a command for each
    places = re.sub(r"(?<!\{)\{(\w+)[^{}]*\}(?!\})", r"<\1>", template)
    shown = places.replace("{{", "{").replace("}}", "}").replace("|", "\\|")
    # Outside of code Markdown would take a place for markup.
    parts = shown.split("`")
    parts[::2] = [part.replace("<", "&lt;").replace(">", "&gt;") for part in parts[::2]]
    return "`".join(parts)


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
