"""Takes out of a text what nobody else may read."""

import re
from collections.abc import Callable, Iterable

HIDDEN = "[hidden]"
_SHORTEST = 3
"""Characters. Shorter secrets count only where they stand alone."""
_WORDS = re.compile(
    r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}"  # ids of codes and events
    r"|\d{4}-\d\d-\d\d(?:[T ]\d\d:\d\d(?::\d\d(?:\.\d+)?)?(?:Z|[+-]\d\d:\d\d)?)?"  # times
    r"|[\w/.-]+\.py:\d+"  # places in a program
)
"""Shapes with many digits that say something and are no secret."""
_LOOKS: tuple[tuple[re.Pattern[str], str | Callable[[re.Match[str]], str]], ...] = (
    (re.compile(r"(\w+://)[^\s/?#,;\"']+"), r"\1[host]"),
    (re.compile(r"(?i)\b(pass\w*|secret|token|pin|digits|\w*key)(\s*[=:]\s*)\S+"), rf"\1\2{HIDDEN}"),
    (re.compile(r"\b(?:[0-9A-Fa-f]{2}[:-]){5}[0-9A-Fa-f]{2}\b"), "[address]"),
    (re.compile(r"\b\d{1,3}(?:\.\d{1,3}){3}\b"), "[address]"),
    (re.compile(r"(?i)(?<![\w:])(?:[0-9a-f]{0,4}:){3,7}[0-9a-f]{0,4}(?![\w:])"), "[address]"),
    (re.compile(r"(/home/|/Users/)[^/\s]+"), r"\1[user]"),
    (re.compile(r"(?i)(?:\b|\\x|0x)(?:[0-9a-f]{2}(?:[ :-]|\\x)?){8,}"), "[key]"),
    (
        re.compile(r"[A-Za-z0-9+/_-]{20,}={0,2}"),
        lambda found: "[key]" if _is_mixed(found[0]) else found[0],
    ),
    (re.compile(r"\d(?:[\s,.:;_-]{0,2}\d){3,}"), "[digits]"),
)


class Scrub:
    """Knows the secrets of this hub and what secrets look like; `names` are of people, locks and machines."""

    def __init__(
        self, secrets: Iterable[str] = (), names: Iterable[str] = (), keep: Iterable[str] = ()
    ) -> None:
        """Leave words in `keep`, ids of locks, as they are where they only look like a secret."""
        given = {secret for secret in secrets if secret.strip()}
        long = sorted((re.escape(secret) for secret in given if len(secret) >= _SHORTEST), key=len)
        alone = sorted(
            (re.escape(name) for name in given.union(name.strip() for name in names if name.strip())), key=len
        )
        whole = "|".join([*reversed(long), *(rf"(?<!\w){name}(?!\w)" for name in reversed(alone))])
        self._known = re.compile(whole, re.IGNORECASE) if whole else None
        kept = "|".join(rf"(?<![\w-]){re.escape(word)}(?![\w-])" for word in keep if word)
        self._spared = re.compile(f"{_WORDS.pattern}|{kept}" if kept else _WORDS.pattern)

    def known(self, text: str) -> str:
        """Take out only what is known to be secret."""
        return text if self._known is None else self._known.sub(HIDDEN, text)

    def text(self, text: str) -> str:
        """Take out what is known to be secret, and what looks like it."""
        # Hosts and the like first, because their parts may look like something that is spared.
        text = self.known(text)
        for pattern, instead in _LOOKS[:2]:
            text = pattern.sub(instead, text)
        pieces, at = list[str](), 0
        for spared in self._spared.finditer(text):
            pieces += [_without_looks(text[at : spared.start()]), spared[0]]
            at = spared.end()
        return "".join([*pieces, _without_looks(text[at:])])


def _without_looks(text: str) -> str:
    for pattern, instead in _LOOKS[2:]:
        text = pattern.sub(instead, text)
    return text


def _is_mixed(word: str) -> bool:
    """Say whether a long word is more likely a key than a word: letters of both cases, or many digits."""
    digits = sum(letter.isdigit() for letter in word)
    return (word.lower() != word and word.upper() != word and digits > 0) or digits >= len(word) // 4
