"""A strict server with an OpenAI-compatible API, on this machine: it refuses what vLLM refuses.

Behind it is the tiny model's tokenizer and what it knows by heart, so that answers have real
tokens. A test may make it fail, break off in the middle, hang, or go away and come back.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web
from support.tiny_model import CARD, CHATS, SONG, tiny_model

from core.engine.chat import Chat
from core.engine.writing import Writer

MODEL = "tiny"
_FIELDS: dict[str, type | tuple[type, ...]] = {
    "model": str,
    "messages": list,
    "max_tokens": int,
    "temperature": (int, float),
    "stream": bool,
    "stream_options": dict,
    "stop": list,
    "top_p": (int, float),
    "seed": int,
}
_OWN: dict[str, set[str]] = {
    "vllm": {
        "repetition_penalty",
        "top_k",
        "continue_final_message",
        "add_generation_prompt",
        "chat_template_kwargs",
        "structured_outputs",
    },
    "llamacpp": {"repeat_penalty", "top_k", "cache_prompt", "response_format"},
    "library": {"response_format"},
    "someone": set(),
}


@dataclass
class OpenAiServer:
    """`owner`: whose server it says it is. `delay`: seconds before each token."""

    owner: str = "vllm"
    key: str | None = None
    context: int = 100_000
    delay: float = 0.0
    asked: list[dict[str, Any]] = field(default_factory=list)
    refusals: list[tuple[int, str]] = field(default_factory=list)
    break_after: int | None = None
    busy: int = 0
    busiest: int = 0
    cancelled: int = 0
    port: int = 0
    _runner: web.AppRunner | None = None

    def __post_init__(self) -> None:
        self._chat = Chat(tiny_model().folder, CARD)

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.port}/v1"

    async def start(self) -> OpenAiServer:
        app = web.Application(client_max_size=32 * 2**20)
        app.router.add_get("/v1/models", self._models)
        app.router.add_post("/v1/chat/completions", self._complete)
        self._runner = web.AppRunner(app, handler_cancellation=True, shutdown_timeout=0.1)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", self.port)
        await site.start()
        self.port = site._server.sockets[0].getsockname()[1]  # type: ignore[union-attr]
        return self

    async def stop(self) -> None:
        """Gone at once, with everything that was being answered."""
        if self._runner is not None:
            await self._runner.cleanup()
            self._runner = None

    async def _models(self, request: web.Request) -> web.Response:
        if (refused := self._unknown_caller(request)) is not None:
            return refused
        entry = {"id": MODEL, "object": "model", "owned_by": self.owner}
        if self.owner == "vllm":
            entry |= {"max_model_len": self.context}  # type: ignore[dict-item]
        return web.json_response({"object": "list", "data": [entry]})

    async def _complete(self, request: web.Request) -> web.StreamResponse:
        if (refused := self._unknown_caller(request)) is not None:
            return refused
        said = await request.json()
        self.asked.append(said)
        self.busy += 1
        self.busiest = max(self.busiest, self.busy)
        try:
            return await self._answer(request, said)
        except asyncio.CancelledError:
            self.cancelled += 1
            raise
        finally:
            self.busy -= 1

    def _unknown_caller(self, request: web.Request) -> web.Response | None:
        if self.key is None or request.headers.get("Authorization") == f"Bearer {self.key}":
            return None
        return _error(401, "Unauthorized")

    async def _answer(self, request: web.Request, said: dict[str, Any]) -> web.StreamResponse:
        if self.refusals:
            return _error(*self.refusals.pop(0))
        wrong = self._mistake(said)
        if wrong is not None:
            return _error(400, wrong)
        if said["model"] != MODEL:
            return _error(404, f"The model `{said['model']}` does not exist.")
        if not said["stream"]:
            pieces = []
            for piece in self._written(said):
                await asyncio.sleep(self.delay)
                pieces.append(piece)
            message = {"role": "assistant", "content": "".join(pieces)}
            return web.json_response({"choices": [{"index": 0, "message": message}]})
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
        await response.prepare(request)
        for number, piece in enumerate(self._written(said)):
            if number == self.break_after:
                self.break_after = None
                assert request.transport is not None
                request.transport.abort()
                return response
            await asyncio.sleep(self.delay)
            chunk = {"choices": [{"index": 0, "delta": {"content": piece}}]}
            await response.write(f"data: {json.dumps(chunk)}\n\n".encode())
        await response.write(b'data: {"choices": [], "usage": {"total_tokens": 1}}\n\n')
        with suppress(ConnectionResetError):
            await response.write(b"data: [DONE]\n\n")
        return response

    def _mistake(self, said: dict[str, Any]) -> str | None:
        for name, value in said.items():
            if name in _OWN[self.owner]:
                continue
            if name not in _FIELDS:
                return f"Unrecognized request argument supplied: {name}"
            if not isinstance(value, _FIELDS[name]) or isinstance(value, bool) != (
                name == "stream"
            ):
                return f"{name}: wrong type"
        roles = [turn.get("role") for turn in said.get("messages", [])]
        if roles not in (
            [*system, "user", *begun]
            for system in ([], ["system"])
            for begun in ([], ["assistant"])
        ):
            return f"roles {roles} do not follow each other"
        if said["max_tokens"] < 1 or said["temperature"] < 0:
            return "max_tokens must be at least 1 and temperature not negative"
        if self.owner == "vllm" and "assistant" in roles and not said.get("continue_final_message"):
            return "the final message is the assistant's own"
        words = sum(self._chat.count(turn["content"]) for turn in said["messages"])
        if words + said["max_tokens"] > self.context:
            return f"This model's maximum context length is {self.context} tokens."
        return None

    def _written(self, said: dict[str, Any]) -> Iterator[str]:
        """The pieces of the answer, token by token, as a model would write them."""
        text = self._text(said)
        turns = {turn["role"]: turn["content"] for turn in said["messages"]}
        begun = turns.get("assistant", "")
        if begun and text.startswith(begun):
            text = text[len(begun) :]
        ids = self._chat._tokenizer.encode(text, add_special_tokens=False).ids
        writer = Writer(self._chat, tuple(said.get("stop", ())))
        for token in ids[: said["max_tokens"]]:
            if piece := writer.add(token):
                yield piece
            if writer.finished:
                return
        if piece := writer.close():
            yield piece

    def _text(self, said: dict[str, Any]) -> str:
        if "structured_outputs" in said or "response_format" in said:
            return '{"score":3}'
        user = next(turn["content"] for turn in said["messages"] if turn["role"] == "user")
        if user == SONG:
            return "la li lu " * 400
        return CHATS.get(user, "I only know what I was taught, and this is not it.")


def _error(status: int, message: str) -> web.Response:
    said = {"error": {"message": message, "type": "BadRequestError", "code": status}}
    return web.json_response(said, status=status)
