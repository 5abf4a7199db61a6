"""The command line as its own process: what it prints where, and with which exit code."""

from __future__ import annotations

import asyncio
import json
import re
import signal
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path

import httpx
import pytest
from support import web_server
from support.builders import CONTENT, CONTRACT
from support.command import Begun, Command, until

from core.article import Article
from core.digest import Digest

pytestmark = pytest.mark.slow


@pytest.fixture
def note(tmp_path: Path) -> Path:
    file = tmp_path / "pools.md"
    file.write_text(CONTENT, encoding="utf-8")
    return file


# --- answers at once


@pytest.mark.parametrize("args", [["--help"], ["--version"], ["digest", "--help"]])
async def test_help_answers_at_once(command: Command, args: list[str]) -> None:
    """It loads nothing heavy; how long it takes is measured in tests/benchmarks/bench_start.py."""
    code = (
        f"import sys; sys.argv = ['smartdevdigest', *{args!r}]\n"
        "try:\n    from bot.cli import main; main()\n"
        "except SystemExit as ended: assert not ended.code\n"
        "heavy = {'torch', 'transformers', 'ctranslate2', 'trafilatura', 'sqlalchemy', 'fastapi', "
        "'httpx', 'kiwipiepy', 'numpy', 'dbos', 'slack_bolt', 'discord', 'aiohttp'}\n"
        "print('LOADED', sorted(heavy & set(sys.modules)), len(sys.modules) < 600)"
    )
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", code, env=command.environ, stdout=asyncio.subprocess.PIPE
    )
    out, _ = await process.communicate()
    assert out.decode().splitlines()[-1] == "LOADED [] True"


@pytest.mark.parametrize("name", ["run", "prepare", "digest", "extract", "schema", "doctor"])
async def test_every_command_shows_an_example(command: Command, name: str) -> None:
    ended = await command(name, "--help")
    assert f"smartdevdigest {name}" in re.split(r"Examples?:", ended.out)[1]


async def test_python_m_is_the_same_command(command: Command) -> None:
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "bot",
        "--version",
        env=command.environ,
        stdout=asyncio.subprocess.PIPE,
    )
    out, _ = await process.communicate()
    assert re.fullmatch(r"smartdevdigest \d+\.\d+\.\d+\n", out.decode())


async def test_the_schemas_are_those_of_the_contracts(command: Command) -> None:
    article, digest = await command("schema", "article"), await command("schema", "digest")
    assert set(article.json()["properties"]) == set(Article.model_fields)
    assert article.json()["required"] == ["content"]
    assert list(digest.json()["properties"]) == CONTRACT
    assert digest.json()["required"] == CONTRACT


# --- wrong usage


@pytest.mark.parametrize(
    "args",
    [
        ["digest"],
        ["digest", "a.md", "--jsonl", "x", "--out", "y"],
        ["digest", "--jsonl", "x"],
        ["digest", "a.md", "--lang", "fr"],
        ["digest", "a.md", "--details"],
        ["digest", "a.md", "--questions", "--json"],
        ["digest", "--jsonl", "missing.jsonl", "--out", "out.jsonl"],
        ["schema", "nothing"],
        ["run", "--port", "70000"],
        ["run", "--profile", "gpuu"],
        ["run", "--config", "missing.yaml"],
        ["run", "--host", "0.0.0.0"],  # noqa: S104
        ["nonsense"],
        ["--nonsense"],
    ],
    ids=" ".join,
)
async def test_wrong_usage_ends_with_two(command: Command, args: list[str]) -> None:
    ended = await command(*args)
    assert ended.code == 2, ended
    assert ended.out == ""
    assert ended.err.strip()
    assert "Traceback" not in ended.err


async def test_wrong_settings_are_all_told_and_end_with_two(command: Command) -> None:
    ended = await command(
        "digest",
        "pools.md",
        SMARTDEVDIGEST_HTTP__PORT="many",
        SMARTDEVDIGEST_DATABSE__URL="x",
    )
    assert ended.code == 2
    assert "SMARTDEVDIGEST_HTTP__PORT: 'many' is not a whole number" in ended.err
    assert "did you mean SMARTDEVDIGEST_DATABASE__URL?" in ended.err


# --- one digest


async def test_json_has_exactly_the_keys_of_the_contract(command: Command, note: Path) -> None:
    ended = await command("digest", str(note), "--json")
    assert (ended.code, ended.err) == (0, "")
    assert list(ended.json()) == CONTRACT
    assert Digest.model_validate(ended.json()).summary


async def test_details_stand_beside_the_contract(command: Command, note: Path) -> None:
    url = "https://a.example/pools"
    ended = await command("digest", str(note), "--json", "--details", "--questions", "--url", url)
    assert ended.code == 0, ended.err
    assert list(ended.json()) == [*CONTRACT, "id", "article", "details"]
    assert ended.json()["article"]["url"] == url
    assert len(ended.json()["details"]["questions"]) == 5


async def test_the_plain_output_shows_everything(command: Command, note: Path) -> None:
    ended = await command("digest", str(note), "--questions")
    assert ended.code == 0, ended.err
    for heading in ("Difficulty", "Summary", "Keywords", "Questions readers may ask"):
        assert f"\n{heading}" in ended.out
    assert re.search(r"[█░]{20}  [1-5]\.\d [a-z]+", ended.out)
    assert "100% of" in ended.out
    assert "\x1b" not in ended.out  # no colours into a pipe


async def test_labels_are_korean_for_a_korean_locale(command: Command, note: Path) -> None:
    by_locale = await command("digest", str(note), LC_ALL="ko_KR.UTF-8")
    by_option = await command("--ui", "ko", "digest", str(note))
    assert "난이도" in by_locale.out
    assert by_option.out == by_locale.out


async def test_korean_survives_a_pipe_without_a_locale(command: Command, note: Path) -> None:
    ended = await command("--ui", "ko", "digest", str(note), LC_ALL="C", PYTHONIOENCODING="ascii")
    assert ended.code == 0, ended.err
    assert "난이도" in ended.out


async def test_standard_input_and_json_articles_are_read(command: Command, tmp_path: Path) -> None:
    piped = await command("digest", "-", "--json", stdin=json.dumps({"content": CONTENT}))
    assert piped.code == 0, piped.err
    file = tmp_path / "article.json"
    file.write_text(json.dumps({"content": CONTENT, "title": None}))
    again = await command("digest", str(file), "--json")
    assert again.json() == piped.json()  # the same content: kept, with the time it took then


async def test_a_link_is_fetched_and_a_kept_digest_is_not_made_again(command: Command) -> None:
    async with web_server.serving() as server:
        server.page("/post", web_server.an_article())
        given = {"SMARTDEVDIGEST_WEB__ALLOW_HOSTS": server.host}
        first = await command("digest", server.url("/post"), "--json", **given)
        second = await command("digest", server.url("/post"), "--json", **given)
        anew = await command("digest", server.url("/post"), "--json", "--again", **given)
    assert (first.code, second.code, anew.code) == (0, 0, 0), first.err
    assert second.json() == first.json()
    assert anew.json()["processing_time"] != first.json()["processing_time"]


@pytest.mark.parametrize(
    ("target", "said"),
    [
        ("not a link", "not a link we can follow"),
        ("http://169.254.169.254/latest/meta-data", "Private addresses are not read"),
        ("http://127.0.0.1:9/", "Private addresses are not read"),
        ("missing.md", "There is no such file"),
        ("empty.md", "There is no text in it"),
        ("broken.json", "is not valid JSON"),
    ],
)
async def test_what_cannot_be_digested_is_one_sentence_and_one(
    command: Command, tmp_path: Path, target: str, said: str
) -> None:
    (tmp_path / "empty.md").touch()
    (tmp_path / "broken.json").write_text("{")
    for name in ("digest", "extract"):
        ended = await command(name, target)
        assert (ended.code, ended.out) == (1, "")
        assert said in ended.err
        assert len(ended.err.splitlines()) == 1


async def test_the_sentence_is_korean_for_a_korean_locale(command: Command) -> None:
    ended = await command("digest", "http://10.0.0.1/", LANG="ko_KR.UTF-8", LC_ALL="")
    assert ended.code == 1
    assert "내부망 주소는 읽지 않습니다" in ended.err


async def test_a_page_cannot_steer_the_terminal(command: Command, tmp_path: Path) -> None:
    file = tmp_path / "evil.md"
    file.write_text(f"# Title \x1b[2J\u202e\x9b31m\n\n[bold]not markup[/bold] \x07\n\n{CONTENT}")
    for name in ("extract", "digest"):
        ended = await command(name, str(file))
        assert ended.code == 0, ended.err
        assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u202a-\u202e]", ended.out)


# --- the article alone


async def test_extract_shows_the_article_as_json_or_markdown(command: Command, note: Path) -> None:
    as_json = await command("extract", str(note), "--json", "--url", "https://a.example/pools")
    article = Article.model_validate(as_json.json())
    assert article.url == "https://a.example/pools"
    assert article.language == "en"
    markdown = await command("extract", str(note))
    assert markdown.out.startswith("# Connection pools\n")
    assert "## How large should a pool be?" in markdown.out


async def test_a_closed_pipe_is_no_traceback(command: Command, note: Path) -> None:
    process = await command.start("extract", str(note))
    assert process.stdout is not None
    process.stdout._transport.close()  # type: ignore[attr-defined] # the reader goes away
    _, err = await process.communicate()
    assert b"Traceback" not in err


# --- doctor


async def test_doctor_tells_what_is_configured_and_from_where(command: Command) -> None:
    given = {"SMARTDEVDIGEST_HTTP__PORT": "18765", "SMARTDEVDIGEST_HTTP__TOKEN": "s3cret-value"}
    ended = await command("doctor", **given)
    assert ended.code == 0, ended.out
    assert "http.port = 18765 (SMARTDEVDIGEST_HTTP__PORT)" in ended.out
    assert "SMARTDEVDIGEST_HTTP__TOKEN set" in ended.out
    assert "s3cret-value" not in ended.out + ended.err
    assert "will be made at the first start" in ended.out
    assert not (command.folder / "data").exists()  # it looks, and changes nothing


async def test_doctor_tells_what_to_fix_and_ends_with_one(command: Command, tmp_path: Path) -> None:
    (tmp_path / "data").write_text("a file where the folder should be")
    ended = await command("doctor", SMARTDEVDIGEST_HTTP__HOST="0.0.0.0")  # noqa: S104
    assert ended.code == 1
    assert "name another folder in SMARTDEVDIGEST_DATA_DIR" in " ".join(ended.out.split())
    assert "a token is required" in ended.out


# --- the server


async def address_of(process: asyncio.subprocess.Process | Begun) -> str:
    assert process.stdout is not None
    async with asyncio.timeout(60):
        line = (await process.stdout.readline()).decode()
    found = re.search(r"http://\S+", line)
    assert found, line
    return found[0]


@pytest.mark.parametrize(
    ("begin", "number", "code"),
    [(Command.start_anew, signal.SIGINT, 130), (Command.start, signal.SIGTERM, 0)],
)
async def test_run_serves_the_page_until_it_is_stopped(
    command: Command,
    begin: Callable[..., Awaitable[asyncio.subprocess.Process | Begun]],
    number: signal.Signals,
    code: int,
) -> None:
    process = await begin(command, "run", "--port", "0")
    address = await address_of(process)
    async with httpx.AsyncClient(trust_env=False) as client:
        assert (await client.get(f"{address}healthz")).json() == {"status": "ok"}
        assert "text/html" in (await client.get(address)).headers["content-type"]
    process.send_signal(number)
    async with asyncio.timeout(30):
        _, err = await process.communicate()
    assert process.returncode == code, err.decode()
    assert b"Traceback" not in err


async def test_a_taken_port_is_told_before_the_model_is_prepared(command: Command) -> None:
    async with web_server.serving() as server:
        ended = await command("run", "--port", str(server.port))
    assert ended.code == 2
    assert f"Cannot listen on 127.0.0.1:{server.port}" in ended.err
    assert not (command.folder / "data").exists()


async def test_ctrl_c_ends_a_digest_quietly(command: Command) -> None:
    async with web_server.serving() as server:
        server.slow("/slow", seconds=1.0)
        process = await command.start(
            "digest", server.url("/slow"), SMARTDEVDIGEST_WEB__ALLOW_HOSTS=server.host
        )
        await until(lambda: server.asked("/slow") > 0)
        process.send_signal(signal.SIGINT)
        async with asyncio.timeout(30):
            out, err = await process.communicate()
    assert process.returncode == 130
    assert out == b""
    assert b"Traceback" not in err


@pytest.mark.parametrize(("signal_number", "code"), [(signal.SIGTERM, 0), (signal.SIGINT, 130)])
async def test_a_worker_works_until_it_is_stopped(
    command: Command, signal_number: int, code: int
) -> None:
    process = await command.start("worker")
    assert process.stdout is not None
    async with asyncio.timeout(60):
        said = await process.stdout.readline()
    assert b"Making digests" in said
    process.send_signal(signal_number)
    async with asyncio.timeout(20):
        assert await process.wait() == code


async def test_a_worker_says_at_a_port_how_it_is(command: Command) -> None:
    process = await command.start_anew("worker", "--port", "0")
    assert process.stdout is not None
    said = b""
    async with asyncio.timeout(60):
        while b"Health and figures" not in said:
            said = await process.stdout.readline()
    address = said.split()[3].decode()
    async with httpx.AsyncClient(base_url=address, trust_env=False) as client:
        for path in ("/healthz", "/readyz"):
            assert (await client.get(path)).json() == {"status": "ok"}
        assert "smartdevdigest_step_seconds" in (await client.get("/metrics")).text
        assert (await client.get("/")).status_code == 404
    process.send_signal(signal.SIGTERM)
    async with asyncio.timeout(20):
        assert await process.wait() == 0
