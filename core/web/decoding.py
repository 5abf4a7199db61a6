"""Bodies unpacked step by step, so that a bomb is stopped at the cap and never expanded.

Only gzip and deflate are asked for: zlib can be told how much to give at once.
"""

from __future__ import annotations

import io
import zlib
from contextlib import suppress
from typing import BinaryIO

from core.errors import PageTooLarge, SiteUnavailable, UnsupportedType

_STEP = 64 * 1024
_AUTO = zlib.MAX_WBITS | 32  # gzip or zlib, by their header
_RAW = -zlib.MAX_WBITS


class Decoder:
    """Takes a body in pieces and passes it on decoded, at most `max_bytes` of it.

    It goes to `file` piece by piece, or where there is none it is held once and `finish` gives
    it. With `cut` what is beyond the cap is left out instead of refused.
    """

    def __init__(
        self, url: str, max_bytes: int, *, cut: bool, file: BinaryIO | None = None
    ) -> None:
        self._url = url
        self._max = max_bytes
        self._cut = cut
        self._size = 0
        # BytesIO gives its buffer away without a copy; joining chunks would hold the body twice
        self._held = io.BytesIO()
        self._kept: BinaryIO = self._held if file is None else file

    @property
    def full(self) -> bool:
        return self._size >= self._max

    def feed(self, chunk: bytes) -> None:
        self._keep(chunk)

    def finish(self) -> bytes:
        return self._held.getvalue()

    def _keep(self, data: bytes) -> None:
        room = self._max - self._size
        if len(data) > room:
            if not self._cut:
                raise PageTooLarge(self._url, f"more than {self._max} bytes")
            data = data[:room]
        self._kept.write(data)
        self._size += len(data)


class _Inflating(Decoder):
    def __init__(
        self, url: str, max_bytes: int, *, cut: bool, file: BinaryIO | None = None
    ) -> None:
        super().__init__(url, max_bytes, cut=cut, file=file)
        self._inflate = zlib.decompressobj(_AUTO)
        self._started = False
        self._head = b""  # a first piece too short to show whether there is a header

    def feed(self, chunk: bytes) -> None:
        data, self._head = self._head + chunk, b""
        if not self._started and len(data) < 2:
            self._head = data
            return
        while data and not (self._cut and self.full):
            data = self._step(data)

    def _step(self, data: bytes) -> bytes:
        if self._inflate.eof:  # a gzip file may consist of several, one after the other
            self._inflate = zlib.decompressobj(_AUTO)
        try:
            out = self._inflate.decompress(data, _STEP)
        except zlib.error as error:
            out = self._without_header(data, error)
        self._started = True
        self._keep(out)
        if self._inflate.eof:
            rest = self._inflate.unused_data
            # zeros after the end are padding, anything else but a new header is rubbish
            return rest if rest.startswith(b"\x1f\x8b") else b""
        return self._inflate.unconsumed_tail

    def _without_header(self, data: bytes, error: zlib.error) -> bytes:
        """Some servers send deflate without its zlib header."""
        if self._started:
            raise SiteUnavailable(self._url, "its compressed answer is broken") from error
        self._inflate = zlib.decompressobj(_RAW)
        try:
            return self._inflate.decompress(data, _STEP)
        except zlib.error as again:
            raise SiteUnavailable(self._url, "its compressed answer is broken") from again

    def finish(self) -> bytes:
        # all input is read by now, so this is no more than the last few matches
        with suppress(zlib.error):
            self._keep(self._inflate.flush())
        return super().finish()


def decoder_of(
    url: str, encoding: str, max_bytes: int, *, cut: bool = False, file: BinaryIO | None = None
) -> Decoder:
    """The decoder for a Content-Encoding. Raises UnsupportedType for one we did not ask for."""
    name = encoding.strip().lower()
    if name in {"", "identity"}:
        return Decoder(url, max_bytes, cut=cut, file=file)
    if name in {"gzip", "x-gzip", "deflate"}:
        return _Inflating(url, max_bytes, cut=cut, file=file)
    if cut:
        return Decoder(url, 0, cut=True)
    raise UnsupportedType(url, f"packed as {name[:40]}, which was not asked for")
