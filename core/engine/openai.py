"""The engine beyond this machine: servers with an OpenAI-compatible API, asked by their addresses.

vLLM, llama.cpp's server, TGI and Ollama are known to differ and are asked in their own words
where that helps (`openai_wire`). A server that fails is replaced by another one, and an answer
that broke off goes on there from where it was, if that server can go on with a begun answer.
Who stops listening closes the connection, and the server stops writing.

Nothing of an article goes anywhere but to the addresses in the settings.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import replace
from pathlib import Path

import httpx
from tokenizers import Tokenizer

from core.article import Language
from core.engine import openai_wire as wire
from core.engine.endpoints import LOOK_SECONDS, Endpoint, Endpoints
from core.errors import EngineBusy, EngineFailed, EngineTimedOut, ModelNotReady
from core.ports import Generation, Prompt
from core.settings import ModelSettings

log = logging.getLogger(__name__)

_AGAIN = {408, 425, 429, 500, 502, 503, 504}
_FIRST_WAIT = 0.2  # seconds before the same server is asked again; doubled each time
_TEMPLATE_TOKENS = 32  # what a chat template puts around the turns, when it is estimated
_UNKNOWN_CONTEXT = 4096


class _Failed(Exception):
    """A server did not answer usefully; another attempt may."""


class OpenAiEngine:
    """core.ports.Engine over one or several servers."""

    def __init__(
        self,
        settings: ModelSettings,
        *,
        transport: httpx.AsyncBaseTransport | None = None,
        look_seconds: float = LOOK_SECONDS,
    ) -> None:
        self._settings = settings
        self._client = httpx.AsyncClient(
            headers=_headers(settings),
            timeout=httpx.Timeout(settings.timeout, connect=min(5.0, settings.timeout)),
            limits=httpx.Limits(max_connections=None, max_keepalive_connections=64),
            transport=transport,
            trust_env=False,
        )
        self._endpoints = Endpoints(
            self._client,
            [wire.base_address(url) for url in settings.endpoints],
            name=settings.served or "openai",
            limit=settings.per_endpoint,
            max_waiting=settings.max_waiting,
            look_seconds=look_seconds,
        )
        self._tokenizer = _tokenizer(settings.folder)
        self._model = settings.served or ""
        self._context = settings.context_tokens
        self._closed = False

    async def begin(self) -> None:
        """Finds the servers and the model. Raises ModelNotReady."""
        await self._endpoints.begin()
        well = [one for one in self._endpoints.all if one.well]
        if not well:
            named = ", ".join(one.url for one in self._endpoints.all)
            raise ModelNotReady(named, "no server answers at these addresses (model.endpoints)")
        names = sorted({name for one in well for name in one.models})
        if not self._model:
            if not names:
                raise ModelNotReady(well[0].url, "it names no model; set model.served")
            self._model = next(iter(well[0].models))
        self._endpoints.served = self._model
        for one in well:
            one.well = self._model in one.models
        if not any(one.well for one in well):
            raise ModelNotReady(
                self._model, f"no server serves it; they serve {', '.join(names) or 'nothing'}"
            )
        said = [one.models[self._model] for one in well if one.well]
        self._context = self._context or min(filter(None, said), default=_UNKNOWN_CONTEXT)

    @property
    def name(self) -> str:
        return self._model or "openai"

    @property
    def context_tokens(self) -> int:
        return self._context

    @property
    def writes(self) -> frozenset[Language]:
        return frozenset(self._settings.languages or ("en", "ko"))

    @property
    def waiting(self) -> int:
        return self._endpoints.waiting

    @property
    def running(self) -> int:
        return self._endpoints.running

    @property
    def healthy(self) -> dict[str, bool]:
        """Each server's address, and whether it answers."""
        return {one.url: one.well for one in self._endpoints.all}

    def count_tokens(self, text: str) -> int:
        if self._tokenizer is None:
            return wire.estimated_tokens(text)
        return len(self._tokenizer.encode(text, add_special_tokens=False))

    async def generate(self, prompt: Prompt, options: Generation) -> str:
        self._check(prompt, options)
        try:
            async with asyncio.timeout(self._settings.timeout):
                return await self._whole(prompt, options)
        except TimeoutError as error:
            raise self._too_late() from error

    async def stream(self, prompt: Prompt, options: Generation) -> AsyncGenerator[str, None]:
        self._check(prompt, options)
        deadline = asyncio.get_running_loop().time() + self._settings.timeout
        async with aclosing(self._pieces(prompt, options)) as pieces:
            while True:
                try:
                    async with asyncio.timeout_at(deadline):
                        piece = await anext(pieces)
                except StopAsyncIteration:
                    return
                except TimeoutError as error:
                    raise self._too_late() from error
                yield piece

    async def close(self) -> None:
        self._closed = True
        await self._endpoints.close()
        await self._client.aclose()

    # -- attempts -----------------------------------------------------------------------------

    async def _whole(self, prompt: Prompt, options: Generation) -> str:
        tried: list[Endpoint] = []
        failed = _Failed("nobody was asked")
        for attempt in range(self._settings.retries + 1):
            async with self._endpoints.one(tried) as endpoint:
                try:
                    return await self._asked(endpoint, prompt, options)
                except _Failed as error:
                    tried.append(endpoint)
                    failed = error
            await self._pause(attempt)
        raise self._gave_up(failed)

    async def _pieces(self, prompt: Prompt, options: Generation) -> AsyncGenerator[str, None]:
        """An answer that breaks off is gone on with, elsewhere if possible."""
        tried: list[Endpoint] = []
        failed = _Failed("nobody was asked")
        shown = ""
        for attempt in range(self._settings.retries + 1):
            async with self._endpoints.one(tried) as endpoint:
                left = options.max_new_tokens - self.count_tokens(shown)
                if shown and (left < 1 or not wire.continues(endpoint.kind) or options.schema):
                    break
                going_on = replace(prompt, opening=prompt.opening + shown)
                try:
                    rest = replace(options, max_new_tokens=max(1, left))
                    async with aclosing(self._heard(endpoint, going_on, rest)) as heard:
                        async for piece in heard:
                            shown += piece
                            yield piece
                except _Failed as error:
                    tried.append(endpoint)
                    failed = error
                else:
                    return
            await self._pause(attempt)
        raise self._gave_up(failed)

    async def _pause(self, attempt: int) -> None:
        if sum(one.well for one in self._endpoints.all) < 2:
            await asyncio.sleep(_FIRST_WAIT * 2**attempt)

    def _gave_up(self, failed: _Failed) -> EngineFailed:
        return EngineBusy(self.name, f"no server could answer ({failed})")

    # -- one server -----------------------------------------------------------------------------

    async def _asked(self, endpoint: Endpoint, prompt: Prompt, options: Generation) -> str:
        said = self._body(endpoint, prompt, options, stream=False)
        try:
            answer = await self._client.post(f"{endpoint.url}/chat/completions", json=said)
            if answer.status_code != httpx.codes.OK:
                return await self._refused(endpoint, answer, prompt, options)
            return wire.text_of(answer.json())
        except httpx.HTTPError as error:
            raise self._broke(endpoint, error) from error
        except ValueError as error:
            raise _Failed(f"{endpoint.url}: {error}") from error

    async def _refused(
        self, endpoint: Endpoint, answer: httpx.Response, prompt: Prompt, options: Generation
    ) -> str:
        if self._without_structure(endpoint, answer, options):
            return await self._asked(endpoint, prompt, options)
        raise self._trouble(endpoint, answer)

    async def _heard(
        self, endpoint: Endpoint, prompt: Prompt, options: Generation
    ) -> AsyncGenerator[str, None]:
        said = self._body(endpoint, prompt, options, stream=True)
        address = f"{endpoint.url}/chat/completions"
        try:
            async with self._client.stream("POST", address, json=said) as answer:
                if answer.status_code == httpx.codes.OK:
                    async for line in answer.aiter_lines():
                        piece = wire.piece_of(line)
                        if piece is None:
                            return
                        if piece:
                            yield piece
                    raise _Failed(f"{endpoint.url}: the answer broke off")
                await answer.aread()
        except httpx.HTTPError as error:
            raise self._broke(endpoint, error) from error
        except ValueError as error:
            raise _Failed(f"{endpoint.url}: {error}") from error
        if not self._without_structure(endpoint, answer, options):
            raise self._trouble(endpoint, answer)
        async with aclosing(self._heard(endpoint, prompt, options)) as again:
            async for piece in again:
                yield piece

    def _body(
        self, endpoint: Endpoint, prompt: Prompt, options: Generation, *, stream: bool
    ) -> dict[str, object]:
        return wire.body(
            prompt,
            options,
            self._model,
            endpoint.kind,
            stream=stream,
            structured=endpoint.structured,
        )

    def _without_structure(
        self, endpoint: Endpoint, answer: httpx.Response, options: Generation
    ) -> bool:
        """True: the server knows no schemas, and from now on is asked without."""
        if not (options.schema and endpoint.structured):
            return False
        if not wire.refuses_structure(answer.status_code, answer.text):
            return False
        log.warning("%s keeps to no JSON schema; its answers are repaired", endpoint.url)
        endpoint.structured = False
        return True

    def _broke(self, endpoint: Endpoint, error: httpx.HTTPError) -> Exception:
        if self._closed:
            return EngineFailed(self.name, "the engine is closed")
        why = str(error) or type(error).__name__
        if isinstance(error, httpx.TimeoutException):
            return _Failed(f"{endpoint.url}: no answer in time")
        self._endpoints.fell_ill(endpoint, why)
        return _Failed(f"{endpoint.url}: {why}")

    def _trouble(self, endpoint: Endpoint, answer: httpx.Response) -> Exception:
        try:
            why = wire.reason_in(answer.json())
        except ValueError:
            why = answer.text[:300]
        said = f"{endpoint.url} said {answer.status_code}: {why}"
        if answer.status_code not in _AGAIN:
            return EngineFailed(self.name, said)
        if answer.status_code in (502, 503, 504):
            self._endpoints.fell_ill(endpoint, said)
        return _Failed(said)

    def _check(self, prompt: Prompt, options: Generation) -> None:
        if self._closed:
            raise EngineFailed(self.name, "the engine is closed")
        if options.beams > 1:
            raise EngineFailed(self.name, "beam search is not offered by these servers")
        asked = self.count_tokens(prompt.system + prompt.user + prompt.opening) + _TEMPLATE_TOKENS
        room = self._context - options.max_new_tokens
        if asked > room:
            raise EngineFailed(
                self.name,
                f"the prompt has {asked} tokens, but only {max(room, 0)} fit beside an answer of "
                f"{options.max_new_tokens}",
            )

    def _too_late(self) -> EngineTimedOut:
        return EngineTimedOut(self.name, f"no whole answer within {self._settings.timeout:g} s")


async def open_servers(settings: ModelSettings) -> OpenAiEngine:
    """Raises ModelNotReady."""
    engine = OpenAiEngine(settings)
    try:
        await engine.begin()
    except BaseException:
        await engine.close()
        raise
    return engine


def _headers(settings: ModelSettings) -> dict[str, str]:
    if settings.api_key is None:
        return {}
    return {"Authorization": f"Bearer {settings.api_key.get_secret_value()}"}


def _tokenizer(folder: Path | None) -> Tokenizer | None:
    if folder is None:
        return None
    path = folder / "tokenizer.json"
    try:
        return Tokenizer.from_file(str(path))
    except Exception as error:
        raise ModelNotReady(str(folder), f"tokenizer.json cannot be read ({error})") from error
