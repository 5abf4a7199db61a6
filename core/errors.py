"""What can go wrong, named as what happened.

DigestError
├── BadLink                  not a link we can follow
├── FetchFailed              the web did not answer usefully             (retryable)
│   ├── NotFound             404, 410
│   │   └── FeedGone         a feed's own 410: it is not asked again
│   ├── SiteUnavailable      5xx, 429, connection refused or reset       (retryable)
│   ├── FetchTimedOut        no whole answer in time                     (retryable)
│   ├── TooManyRedirects     a loop, or more hops than we follow
│   ├── PageTooLarge         more decoded bytes than we read
│   ├── UnsupportedType      not HTML, PDF, Markdown or plain text
│   ├── NotAFeed             neither a feed nor a page that names one
│   ├── AddressRefused       a private, loopback or metadata address
│   └── RobotsRefused        robots.txt forbids it
├── NothingToRead            an answer came, but no article is in it
│   ├── LoginWall            a log-in or pay wall
│   ├── ScriptWall           a cookie, consent, captcha or JavaScript wall
│   ├── PageTooThin          too little text to digest
│   ├── EmptyArticle         no text at all
│   └── ImageOnlyPdf         a PDF without a text layer
├── EngineFailed             the model did not answer
│   ├── EngineBusy           the waiting line is full                    (retryable)
│   ├── EngineTimedOut       no answer in time                           (retryable)
│   ├── EngineOutOfMemory    the batch did not fit; a smaller one may    (retryable)
│   └── ModelNotReady        the model could not be prepared
├── ChatFailed               a chat did not take what we wanted to say
│   ├── ChatUnavailable      5xx, 429, a broken connection               (retryable)
│   ├── ChatRefused          not in the channel, a missing permission, archived
│   └── MessageGone          the message to edit or to answer is not there any more
├── AskedTooOften            a person's or a channel's share of an hour is used up
├── ArticleGone              erased while its digest waited its turn
├── StorageUnavailable       the database does not answer                (retryable)
├── BadArticle               a row or file that is not in the input contract
├── BadSubscription          wishes for a daily digest that cannot be kept
└── SettingsError            the configuration cannot be used

Every class has a `code`; `bot/replies.py` holds one sentence in Korean and English for each.
"""

from __future__ import annotations

from typing import Any, ClassVar


class DigestError(Exception):
    """Expected trouble. `subject` is what it is about (a link, a setting), `reason` says more."""

    code: ClassVar[str] = "failed"
    retryable: ClassVar[bool] = False

    def __init__(self, subject: str, reason: str = "") -> None:
        super().__init__(subject, reason)
        self.subject = subject
        self.reason = reason

    def __str__(self) -> str:
        return f"{self.subject}: {self.reason}" if self.reason else self.subject


class BadLink(DigestError):
    code = "bad_link"


class FetchFailed(DigestError):
    code = "fetch_failed"
    retryable = True


class NotFound(FetchFailed):
    code = "not_found"
    retryable = False


class FeedGone(NotFound):
    code = "feed_gone"


class SiteUnavailable(FetchFailed):
    """`retry_after` is the site's own wish in seconds, where it sent one."""

    code = "site_unavailable"

    def __init__(self, subject: str, reason: str = "", *, retry_after: float | None = None) -> None:
        super().__init__(subject, reason)
        self.retry_after = retry_after


class FetchTimedOut(FetchFailed):
    code = "timed_out"


class TooManyRedirects(FetchFailed):
    code = "too_many_redirects"
    retryable = False


class PageTooLarge(FetchFailed):
    code = "too_large"
    retryable = False


class UnsupportedType(FetchFailed):
    code = "unsupported_type"
    retryable = False


class NotAFeed(FetchFailed):
    code = "not_a_feed"
    retryable = False


class AddressRefused(FetchFailed):
    code = "address_refused"
    retryable = False


class RobotsRefused(FetchFailed):
    code = "robots_refused"
    retryable = False


class NothingToRead(DigestError):
    code = "nothing_to_read"


class LoginWall(NothingToRead):
    code = "login_wall"


class ScriptWall(NothingToRead):
    code = "script_wall"


class PageTooThin(NothingToRead):
    code = "too_thin"


class EmptyArticle(NothingToRead):
    code = "empty"


class ImageOnlyPdf(NothingToRead):
    code = "image_pdf"


class EngineFailed(DigestError):
    code = "engine_failed"


class EngineBusy(EngineFailed):
    code = "engine_busy"
    retryable = True


class EngineTimedOut(EngineFailed):
    code = "engine_timed_out"
    retryable = True


class EngineOutOfMemory(EngineFailed):
    code = "engine_out_of_memory"
    retryable = True


class ModelNotReady(EngineFailed):
    code = "model_not_ready"


class ChatFailed(DigestError):
    code = "chat_failed"


class ChatUnavailable(ChatFailed):
    """`retry_after` is the platform's own wish in seconds, where it sent one."""

    code = "chat_unavailable"
    retryable = True

    def __init__(self, subject: str, reason: str = "", *, retry_after: float | None = None) -> None:
        super().__init__(subject, reason)
        self.retry_after = retry_after


class ChatRefused(ChatFailed):
    code = "chat_refused"


class MessageGone(ChatFailed):
    code = "message_gone"


class AskedTooOften(DigestError):
    code = "asked_too_often"


class ArticleGone(DigestError):
    code = "article_gone"


class StorageUnavailable(DigestError):
    code = "storage_unavailable"
    retryable = True


class BadArticle(DigestError):
    code = "bad_article"


class BadSubscription(DigestError):
    code = "bad_subscription"


class SettingsError(DigestError):
    """`problems` lists every mistake, one line each."""

    code = "bad_settings"

    def __init__(self, problems: list[str]) -> None:
        super().__init__("settings", "\n".join(problems))
        self.problems = problems

    def __str__(self) -> str:
        return "\n".join(self.problems)


def as_plain(error: DigestError) -> dict[str, Any]:
    """What a workflow remembers of an error, as JSON values."""
    return {
        "code": error.code,
        "subject": error.subject,
        "reason": error.reason,
        "retry_after": getattr(error, "retry_after", None),
    }


def from_plain(plain: dict[str, Any]) -> DigestError:
    """The error again, of its own class where the code is one of ours."""
    kind = next((kind for kind in _kinds(DigestError) if kind.code == plain["code"]), DigestError)
    if kind is SettingsError:
        return SettingsError(str(plain["reason"]).splitlines())
    error = kind(str(plain["subject"]), str(plain["reason"]))
    if isinstance(error, SiteUnavailable | ChatUnavailable):
        error.retry_after = plain.get("retry_after")
    return error


def _kinds(kind: type[DigestError]) -> list[type[DigestError]]:
    """A class and its kin, the most general first."""
    return [kind, *(one for below in kind.__subclasses__() for one in _kinds(below))]
