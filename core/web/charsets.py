"""Bytes to text, whatever the header says.

Headers lie often, the bytes never: what reads as UTF-8 without a fault is UTF-8, and text that
turns into Hangul as CP949 was not written in Latin-1. So every claim is tried on the bytes.
"""

from __future__ import annotations

import codecs
import re

from charset_normalizer import from_bytes

_BOMS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
# What browsers make of these names; the narrow standard is never what is meant.
_WIDER = {
    "ascii": "cp1252",
    "iso8859-1": "cp1252",
    "euc_kr": "cp949",
    "johab": "cp949",
    "gb2312": "gb18030",
    "gbk": "gb18030",
    "shift_jis": "cp932",
}
_ALIASES = {
    "ks_c_5601-1987": "cp949",
    "ksc5601": "cp949",
    "x-windows-949": "cp949",
    "ms949": "cp949",
}
_META = re.compile(rb"<meta[^>]{0,300}?charset\s*=\s*[\"']?\s*([\w.:-]{2,40})", re.IGNORECASE)
_XML = re.compile(rb"^\s*<\?xml[^>]{0,200}?encoding\s*=\s*[\"']([\w.:-]{2,40})", re.IGNORECASE)
_HEAD = 4096
_SAMPLE = 64 * 1024
_TOO_FEW = 16  # foreign bytes from which no statistics can tell a charset
# Half of what is written in Korean, and one in thirty of the syllables there are.
_COMMON_SYLLABLES = frozenset(
    "이다는의에가을하고지은로서기사도한를시어자리그들아대인나일것라수있으과해정부만보전제주스여적"
    "상장구오습니면위때문비동선물개발화용업데"
)
_FEW_SYLLABLES = 6
_COMMON_SHARE = 0.08
_FAULTS = 0.01  # share of broken characters that is damage and no proof of another charset


def decoded(body: bytes, header: str | None = None) -> str:
    """The text of a body. `header` is the charset that its Content-Type names."""
    return decoded_as(body, header)[0]


def decoded_as(body: bytes, header: str | None = None) -> tuple[str, str]:
    """The text, and the codec that made it."""
    for mark, name in _BOMS:
        if body.startswith(mark):
            return body.decode(name, "replace").removeprefix("\ufeff"), name
    try:
        return body.decode("utf-8"), "utf-8"
    except UnicodeDecodeError:
        pass
    claims = [name for name in map(_codec, (header, *_named_in(body))) if name]
    for name in dict.fromkeys(["utf-8", *claims, "cp949"]):
        text = _credible(body, name)
        if text is not None and (name in claims or name != "cp949" or _reads_korean(text)):
            return text, name
    for name in claims:  # a single-byte charset fits every body: only if nothing speaks against it
        if name.startswith(("cp125", "iso8859", "koi8", "latin", "mac")):
            return body.decode(name, "replace"), name
    if sum(byte > 0x7F for byte in body[:_SAMPLE]) < _TOO_FEW:
        return _western(body)
    found = from_bytes(body[:_SAMPLE]).best()
    guessed = found.encoding if found else "utf-8"
    return body.decode(guessed, "replace"), guessed


def _western(body: bytes) -> tuple[str, str]:
    try:
        return body.decode("cp1252"), "cp1252"
    except UnicodeDecodeError:
        return body.decode("iso8859-2"), "iso8859-2"  # reads everything


def _named_in(body: bytes) -> list[str]:
    """Charsets that the page itself names, in its <meta> or XML line."""
    head = body[:_HEAD]
    found = [match[1] for pattern in (_XML, _META) if (match := pattern.search(head))]
    return [name.decode("ascii") for name in found]


def _codec(name: str | None) -> str | None:
    if not name:
        return None
    bare = name.strip().strip("\"'").lower()
    try:
        known = codecs.lookup(_ALIASES.get(bare, bare)).name
    except LookupError:
        return None
    return _WIDER.get(known, known)


def _credible(body: bytes, name: str) -> str | None:
    """The text in a multi-byte charset, if it comes out whole or with little damage."""
    if name.startswith("cp949"):
        return _hangul(body)
    if not name.startswith(("utf", "gb", "big5", "euc", "cp932", "iso2022", "shift")):
        return None
    try:
        text = body.decode(name, "replace")
    except UnicodeError:
        return None
    return text if _faults(text) <= _FAULTS else None


def _hangul(body: bytes) -> str | None:
    """The text as CP949, if what it makes of the foreign bytes is Korean."""
    text = body.decode("cp949", "replace")
    foreign = [char for char in text[:_SAMPLE] if char > "\x7f"]
    korean = sum("가" <= char <= "힣" for char in foreign)
    if foreign and korean / len(foreign) >= 0.5 and _faults(text) <= 5 * _FAULTS:
        return text
    return None


def _reads_korean(text: str) -> bool:
    """Chinese and Japanese bytes are Hangul in CP949 as well, but no words."""
    hangul = [char for char in text[:_SAMPLE] if "가" <= char <= "힣"]
    if len(hangul) < _FEW_SYLLABLES:
        return True
    return sum(char in _COMMON_SYLLABLES for char in hangul) / len(hangul) >= _COMMON_SHARE


def _faults(text: str) -> float:
    foreign = sum(char > "\x7f" for char in text)
    return text.count("\ufffd") / foreign if foreign else 0.0
