"""What is said to OpenAI-compatible servers and what they answer: values in, values out.

One chat completion for all; where a server has a better word of its own (continuing a begun
answer, keeping to a schema without white space), its `kind` says so.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any, Literal

from core.ports import Generation, Prompt

Kind = Literal["vllm", "llamacpp", "ollama", "tgi", "other"]
# As the entries of /models say who owns them.
_OWNERS: dict[str, Kind] = {
    "vllm": "vllm",
    "llamacpp": "llamacpp",
    "library": "ollama",
    "ollama": "ollama",
}
_STRUCTURED_REFUSED = ("response_format", "structured", "guided", "json_schema", "grammar")


def base_address(text: str) -> str:
    """With its version and without a slash at the end: http://host:8000 becomes …/v1."""
    address = text.strip().rstrip("/")
    host = address.partition("://")[2]
    return address if "/" in host else f"{address}/v1"


def kind_of(models: Mapping[str, Any]) -> Kind:
    """From the answer of /models."""
    for entry in models.get("data") or models.get("models") or ():
        owner = str(entry.get("owned_by", "")).lower()
        if owner in _OWNERS:
            return _OWNERS[owner]
        if "tgi" in owner or "text-generation" in owner:
            return "tgi"
    return "other"


def served_models(models: Mapping[str, Any]) -> dict[str, int | None]:
    """The names, and how many tokens each may have where the server says it."""
    found = {}
    for entry in models.get("data") or ():
        meta = entry.get("meta") if isinstance(entry.get("meta"), dict) else {}
        tokens = entry.get("max_model_len") or (meta or {}).get("n_ctx")
        found[str(entry.get("id", ""))] = int(tokens) if tokens else None
    return found


def body(
    prompt: Prompt, options: Generation, model: str, kind: Kind, *, stream: bool, structured: bool
) -> dict[str, Any]:
    """A request for /chat/completions."""
    said: dict[str, Any] = {
        "model": model,
        "messages": messages(prompt),
        "max_tokens": options.max_new_tokens,
        "temperature": options.temperature,
        "stream": stream,
    }
    if stream:
        said["stream_options"] = {"include_usage": True}
    if options.stop:
        said["stop"] = list(options.stop)
    if options.temperature > 0:
        said |= {"top_p": options.top_p, "seed": options.seed}
    said |= _own_words(prompt, options, kind)
    if options.schema and structured:
        said |= _structured(options.schema, kind)
    return said


def messages(prompt: Prompt) -> list[dict[str, str]]:
    turns = [{"role": "user", "content": prompt.user}]
    if prompt.system:
        turns.insert(0, {"role": "system", "content": prompt.system})
    if prompt.opening:
        turns.append({"role": "assistant", "content": prompt.opening})
    return turns


def _own_words(prompt: Prompt, options: Generation, kind: Kind) -> dict[str, Any]:
    said: dict[str, Any] = {}
    if kind == "vllm":
        # JSON repeats its quotes and commas, and must be allowed to.
        if options.repetition_penalty != 1.0 and not options.schema:
            said["repetition_penalty"] = options.repetition_penalty
        if options.temperature > 0 and options.top_k:
            said["top_k"] = options.top_k
        if prompt.opening:
            said |= {"continue_final_message": True, "add_generation_prompt": False}
        # Qwen 3 and its kin think aloud unless told not to; other templates ignore the word.
        said["chat_template_kwargs"] = {"enable_thinking": False}
    if kind == "llamacpp":
        if options.repetition_penalty != 1.0 and not options.schema:
            said["repeat_penalty"] = options.repetition_penalty
        if options.temperature > 0 and options.top_k:
            said["top_k"] = options.top_k
        said["cache_prompt"] = True
    return said


def _structured(schema: str, kind: Kind) -> dict[str, Any]:
    parsed = json.loads(schema)
    if kind == "vllm":
        # A small model under a schema may write white space for ever.
        return {"structured_outputs": {"json": parsed, "disable_any_whitespace": True}}
    if kind == "tgi":
        return {"response_format": {"type": "json_object", "value": parsed}}
    named = {"name": "answer", "schema": parsed, "strict": True}
    return {"response_format": {"type": "json_schema", "json_schema": named}}


def continues(kind: Kind) -> bool:
    """Whether the server goes on with an answer that was begun."""
    return kind in ("vllm", "llamacpp", "ollama")


def refuses_structure(status: int, said: str) -> bool:
    """Whether a refusal is about the JSON schema, so that it may be asked without one."""
    lowered = said.lower()
    return status in (400, 404, 422, 501) and any(word in lowered for word in _STRUCTURED_REFUSED)


def text_of(answer: Mapping[str, Any]) -> str:
    """The text of a whole answer. Raises ValueError where there is none."""
    try:
        content = answer["choices"][0]["message"]["content"]
    except (KeyError, IndexError, TypeError) as error:
        raise ValueError("no choices in the answer") from error
    return str(content or "")


def piece_of(line: str) -> str | None:
    """The text in a line of a streamed answer; None after the last. Raises ValueError."""
    if not line.startswith("data:"):
        return ""
    data = line[5:].strip()
    if data == "[DONE]":
        return None
    said = json.loads(data)
    if "error" in said:
        raise ValueError(reason_in(said))
    choices = said.get("choices") or [{}]
    return str((choices[0].get("delta") or {}).get("content") or "")


def reason_in(said: Any) -> str:
    """A server's own words for what went wrong."""
    if isinstance(said, dict):
        error = said.get("error", said)
        if isinstance(error, dict):
            return str(error.get("message") or error.get("type") or error)[:300]
        return str(said.get("message") or error)[:300]
    return str(said)[:300]


_RUN = re.compile(r"[A-Za-z]+|[0-9]+|\S")


def estimated_tokens(text: str) -> int:
    """Rather too many than too few: four letters, three digits, any other character each one.

    Byte-pair vocabularies of 50,000 and more cut English into longer pieces and Korean, where
    they know it, into about one a syllable.
    """
    return sum(_estimated(run) for run in _RUN.findall(text))


def _estimated(run: str) -> int:
    if run[0].isascii() and run[0].isalpha():
        return -(-len(run) // 4)
    return -(-len(run) // 3)
