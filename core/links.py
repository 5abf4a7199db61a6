"""Links: finding them in a message, one canonical form for each, and what is no link at all.

Two people who share the same article through a newsletter, a search engine's AMP viewer and
a chat client share three different addresses; `canonical` makes them one, so that an article
is fetched, digested and shown once. It never guesses: what it takes off an address is known
to say where a reader came from, not what the reader gets.
"""

from __future__ import annotations

import ipaddress
import re
from urllib.parse import SplitResult, quote, unquote, urlsplit, urlunsplit

import idna

from core.errors import BadLink

MAX_LENGTH = 4096
DEFAULT_PORTS = {"http": 80, "https": 443}

# Parameters that only ever say where a reader came from.
_TRACKING = frozenset(
    """
    fbclid gclid gclsrc dclid gbraid wbraid msclkid yclid twclid ttclid li_fat_id igshid igsh
    mc_cid mc_eid _hsenc _hsmi __hssc __hstc __hsfp hsctatracking mkt_tok vero_id vero_conv
    oly_enc_id oly_anon_id rb_clickid s_cid _ga _gl _openstat ref_src ref_url __twitter_impression
    fb_action_ids fb_action_types fb_source guccounter guce_referrer guce_referrer_sig cmpid
    wt_mc wt_zmc ncid sr_share xtor spm __amp_source_origin amp_js_v amp_gsa amp_r
    """.split()
)
_TRACKING_PREFIXES = ("utm_", "pk_", "mtm_", "hsa_")
# `ref` and `source` also name git branches and data sources: only values that name a referrer go.
_REFERRER_KEYS = frozenset({"ref", "source", "via"})
_REFERRERS = frozenset(
    """
    twitter twitter.com x x.com t.co facebook facebook.com linkedin linkedin.com reddit
    reddit.com hn hackernews hacker-news news.ycombinator.com ycombinator producthunt telegram
    slack discord newsletter email mail rss feed lobsters lobste.rs dev.to devto tldr
    kakao kakaotalk band share social google google.com bing duckduckgo daily.dev dailydev
    """.split()
)
_AMP_KEYS = frozenset({"amp", "outputtype"})
_AMP_VALUES = frozenset({"", "1", "true", "amp"})

_SCHEME = re.compile(r"([a-z][a-z0-9+.-]*):", re.IGNORECASE)
_BARE_HOST = re.compile(r"(?:[^\s/?#:@\[\]]+\.[^\s/?#:@\[\]]+|localhost)\.?(?::\d+)?(?:[/?#]|$)")
_LABEL = re.compile(r"[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?")
_FORBIDDEN = re.compile(r"[\s\\\x00-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]")
_ESCAPE = re.compile(r"%([0-9A-Fa-f]{2})?")


def canonical(link: str) -> str:
    """The one address for what a link leads to. Raises BadLink for what is not an http(s) link."""
    parts = _split(link)
    for _ in range(4):  # an AMP viewer may wrap an AMP page
        inner = _inside_amp_viewer(parts)
        if inner is None:
            break
        parts = _split(inner)
    host = _without_amp_host(parts.netloc)
    path = _without_amp_path(_tidy_path(parts.path))
    query = _without_tracking(_escaped(parts.query))
    fragment = _escaped(parts.fragment) if parts.fragment.startswith("!") else ""
    return urlunsplit((parts.scheme, host, path, query, fragment))


def followable(link: str) -> str:
    """A link as it was given, checked but not shortened: for redirects, where every part counts."""
    parts = _split(link)
    query = _escaped(parts.query)
    return urlunsplit((parts.scheme, parts.netloc, _tidy_path(parts.path), query, ""))


def site_of(url: str) -> str:
    """The host as people say it, without `www.`."""
    return _split(url).netloc.removeprefix("www.")


# --- what a link is


def _split(link: str) -> SplitResult:
    """Scheme, host with port, path, query, fragment; host and scheme in their one form."""
    text = _with_scheme(_readable(link))
    try:
        parts = urlsplit(text)
        host, port = parts.hostname or "", parts.port
    except ValueError as error:
        raise BadLink(link, "not a valid address") from error
    if parts.scheme not in DEFAULT_PORTS:
        raise BadLink(link, f"{parts.scheme or 'this'} is not http or https")
    if "@" in parts.netloc:
        raise BadLink(link, "a link must not carry a name and password")
    if port == 0:
        raise BadLink(link, "0 is not a port")
    name = _host(host, link)
    shown = name if port in (None, DEFAULT_PORTS[parts.scheme]) else f"{name}:{port}"
    return SplitResult(parts.scheme, shown, parts.path, parts.query, parts.fragment)


def _readable(link: str) -> str:
    text = link.strip().removeprefix("<").removesuffix(">")
    if not text:
        raise BadLink(link, "empty")
    if len(text) > MAX_LENGTH:
        raise BadLink(text[:80] + "…", f"longer than {MAX_LENGTH} characters")
    if _FORBIDDEN.search(text) or any("\ud800" <= char <= "\udfff" for char in text):
        raise BadLink(link, "contains a space or a character that no link has")
    return text


def _with_scheme(text: str) -> str:
    if text.startswith("//"):
        return "https:" + text
    if _BARE_HOST.match(text):
        return "https://" + text
    scheme = _SCHEME.match(text)
    if scheme is None:
        raise BadLink(text, "not an http or https link")
    if scheme[1].lower() not in DEFAULT_PORTS:
        raise BadLink(text, f"{scheme[1]} is not http or https")
    if not text[scheme.end() :].startswith("//"):
        raise BadLink(text, "no host in it")
    return text


def _host(host: str, link: str) -> str:
    if not host:
        raise BadLink(link, "no host in it")
    if ":" in host:
        return _ipv6(host, link)
    name = host
    if not host.isascii():
        try:
            name = idna.encode(host, uts46=True).decode("ascii")
        except idna.IDNAError as error:
            raise BadLink(link, "the host is not a valid name") from error
    name = name.lower().removesuffix(".")
    labels = name.split(".")
    if len(name) > 253 or not all(_LABEL.fullmatch(label) for label in labels):
        raise BadLink(link, "the host is not a valid name")
    return name


def _ipv6(host: str, link: str) -> str:
    try:
        address = ipaddress.IPv6Address(host)
    except ValueError as error:
        raise BadLink(link, "not a valid address") from error
    if address.scope_id is not None:
        raise BadLink(link, "an address with a zone leads nowhere but here")
    return f"[{address.compressed}]"


# --- one form for each part


def _escaped(text: str) -> str:
    """Everything a URL may not hold percent-encoded; escapes in upper case, a lone % escaped."""
    whole = _ESCAPE.sub(lambda m: f"%{m[1].upper()}" if m[1] else "%25", text)
    return quote(whole, safe="/%:@!$&'()*+,;=~-._?")


def _tidy_path(path: str) -> str:
    kept: list[str] = []
    segments = _escaped(path).split("/")[1:] or [""]
    for segment in segments:
        plain = segment.replace("%2E", ".")
        if plain == "..":
            del kept[-1:]
        elif plain != ".":
            kept.append(segment)
    if segments[-1].replace("%2E", ".") in {".", ".."}:
        kept.append("")
    return "/" + "/".join(kept)


def _without_tracking(query: str) -> str:
    return "&".join(pair for pair in query.split("&") if pair and not _is_tracking(pair))


def _is_tracking(pair: str) -> bool:
    raw_key, _, raw_value = pair.partition("=")
    key, value = unquote(raw_key).lower(), unquote(raw_value).lower()
    if key in _TRACKING or key.startswith(_TRACKING_PREFIXES):
        return True
    if key in _AMP_KEYS:
        return value in _AMP_VALUES
    return key in _REFERRER_KEYS and value in _REFERRERS


def _without_amp_host(host: str) -> str:
    while host.startswith("amp.") and "." in host.removeprefix("amp."):
        rest = host.removeprefix("amp.")
        if not re.search(r"[a-z]", rest.split(":")[0].rsplit(".", 1)[-1]):
            break  # what would be left is a number, not a name
        host = rest
    return host


def _without_amp_path(path: str) -> str:
    while True:
        shorter = re.sub(r"(?<=[^/])/amp/?$|\.amp$", "", path)
        shorter = re.sub(r"(?<=[^/])\.amp(\.html?)$", r"\1", shorter)
        if shorter == path or not shorter:
            return path
        path = shorter


def _inside_amp_viewer(parts: SplitResult) -> str | None:
    """The page behind Google's AMP viewer or the AMP cache."""
    if re.fullmatch(r"(?:www\.)?google\.[a-z.]+", parts.netloc):
        found = re.match(r"/amp/(s/)?([^/]+\..+)", parts.path)
    elif parts.netloc.endswith(".cdn.ampproject.org"):
        found = re.match(r"/[a-z]/(s/)?([^/]+\..+)", parts.path)
    else:
        return None
    if found is None:
        return None
    query = f"?{parts.query}" if parts.query else ""
    return f"{'https' if found[1] else 'http'}://{found[2]}{query}"


# --- GitHub: the file itself instead of the page around it

_GITHUB_FILE = re.compile(r"/([\w.-]+)/([\w.-]+)/(?:blob|raw)/(.+)")
_GITHUB_REPOSITORY = re.compile(r"/([\w.-]+)/([\w.-]+?)/?")
_GITHUB_RAW = re.compile(r"/([\w.-]+)/([\w.-]+)/(.+)")
# first path segments of github.com that are GitHub's own pages and no person
_GITHUB_OWN = frozenset(
    """about apps blog collections customer-stories enterprise events explore features
    marketplace orgs pricing search security settings site sponsors topics trending""".split()
)
_TEXT_SUFFIXES = (".md", ".markdown", ".mdx", ".txt", ".rst", ".adoc")


def readable_address(url: str) -> str:
    """Where the text behind a page lies bare. arXiv's `/abs/` and `/pdf/` are kept as they are."""
    parts = urlsplit(url)
    if parts.netloc not in {"github.com", "www.github.com"}:
        return url
    if (file := _GITHUB_FILE.fullmatch(parts.path)) is not None:
        if not file[3].lower().endswith(_TEXT_SUFFIXES):
            return url
        return f"https://raw.githubusercontent.com/{file[1]}/{file[2]}/{file[3]}"
    repository = _GITHUB_REPOSITORY.fullmatch(parts.path)
    if repository is None or repository[1] in _GITHUB_OWN:
        return url
    return f"https://raw.githubusercontent.com/{repository[1]}/{repository[2]}/HEAD/README.md"


def shown_address(url: str) -> str:
    """The page for people of a bare text: the way back from `readable_address`."""
    parts = urlsplit(url)
    raw = _GITHUB_RAW.fullmatch(parts.path)
    if parts.netloc != "raw.githubusercontent.com" or raw is None:
        return url
    if raw[3] == "HEAD/README.md":
        return f"https://github.com/{raw[1]}/{raw[2]}"
    return f"https://github.com/{raw[1]}/{raw[2]}/blob/{raw[3]}"


# --- links in a message

_SLACK = re.compile(r"<(https?://[^\s<>|]+)(?:\|[^<>]*)?>", re.IGNORECASE)
_PLAIN = re.compile(r"(?<![\w@./])(?:https?://|www\.)[^\s<>\"`|\\^{}]+", re.IGNORECASE)
_CLOSING = {")": "(", "]": "[", "）": "（", "】": "【", "」": "「", "』": "『", "》": "《"}
_TRAILING = ".,;:!?'*_~…·。、，！？”’»"
# Particles that are written without a space after a link: "https://a.b/c를 보세요".
_PARTICLES = re.compile(
    r"(?<=[A-Za-z0-9/=%&#_)-])(?:(?:으로|로)(?:부터|서|써)?|에서(?:는|도)?|에게|까지|부터|보다|처럼|"
    r"이?라(?:고|는)|이?랑|하고|입니다|이에요|예요|이다|인데|[을를은는이가의에와과도만]"
    r"|에(?:는|도))$"
)


def find_links(message: str) -> list[str]:
    """The links in a message, in their order, each once, as they were written."""
    found = [(m.start(), m[1].replace("&amp;", "&")) for m in _SLACK.finditer(message)]
    rest = _SLACK.sub(lambda m: " " * len(m[0]), message)
    found += [(m.start(), _trimmed(m[0])) for m in _PLAIN.finditer(rest)]
    links = [link for _, link in sorted(found)]
    return [link for link in dict.fromkeys(links) if _is_link(link)]


def _trimmed(text: str) -> str:
    """Without the sentence around it: punctuation, closing brackets that it did not open."""
    opened: list[str] = []
    for index, char in enumerate(text):
        if char in _CLOSING.values():
            opened.append(char)
        elif char in _CLOSING and (not opened or opened.pop() != _CLOSING[char]):
            text = text[:index]
            break
    while True:
        shorter = _PARTICLES.sub("", text.rstrip(_TRAILING))
        if shorter == text:
            return text
        text = shorter


def _is_link(text: str) -> bool:
    try:
        canonical(text)
    except BadLink:
        return False
    return True
