"""`digest --jsonl`: the rows of a file through the service, with a bar and a last word."""

from __future__ import annotations

from contextlib import AsyncExitStack
from pathlib import Path

from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

from bot import replies
from bot.cli.batch import Line, Results, Tally, digest_rows
from bot.cli.speaking import complain, error_console, preparation_bar, wrong_usage
from bot.intake import last
from bot.wiring import Service, open_service
from core.article import Article, Language
from core.digest import Digest
from core.errors import DigestError
from core.settings import OutputLanguage, Settings

# Rows side by side. Measured with ctranslate2 on 2 cores, 8 articles of 650 to 1,100 words: 1 at
# a time 29 s of CPU, 4 at a time 27 s, but each row then takes two to three times as long, and
# processing_time says so. Measure again before raising it; servers with a GPU gain by it.
AT_ONCE = {"gptq": 8, "openai": 16}


async def digest_file(
    settings: Settings,
    source: Path,
    out: Path,
    language: OutputLanguage,
    *,
    again: bool,
    ui: Language,
) -> Tally:
    size = _size_of(source, out, ui)
    async with AsyncExitStack() as stack:
        with preparation_bar(ui) as heard:
            service = await stack.enter_async_context(open_service(settings, progress=heard))
        how = {"language": language, "model": service.engine.name}
        try:
            results = stack.enter_context(Results(out, how, again=again))
        except OSError as error:
            cause = error.strerror or str(error)
            raise wrong_usage(replies.say("not_written", ui, path=out, cause=cause)) from error
        tally = await _rows(service, source, results, language, size=size, again=again, ui=ui)
    complain(
        replies.say("rows_done", ui, done=tally.done, failed=tally.failed, before=tally.before)
    )
    return tally


async def _rows(
    service: Service,
    source: Path,
    results: Results,
    language: OutputLanguage,
    *,
    size: int,
    again: bool,
    ui: Language,
) -> Tally:
    async def digest(article: Article) -> Digest:
        finished = await last(service.intake.digest_article(article, language, again=again))
        return finished.record.digest

    at_once = AT_ONCE.get(service.settings.model.engine, 1)
    console = error_console()
    bar = Progress(
        BarColumn(),
        TextColumn("{task.percentage:>3.0f}%  {task.fields[line]}"),
        TimeRemainingColumn(),
        console=console,
        disable=not console.is_terminal,
    )
    task = bar.add_task("", total=size, line=0)

    def failed(number: int, error: DigestError) -> None:
        sentence = replies.sentence(error, ui)
        bar.console.print(
            replies.say("row_failed", ui, line=number, sentence=sentence),
            markup=False,
            highlight=False,
            soft_wrap=True,
        )

    def advanced(line: Line) -> None:
        bar.update(task, completed=line.end, line=line.number)

    try:
        with bar:
            return await digest_rows(
                source, results, digest, on_failure=failed, on_line=advanced, at_once=at_once
            )
    except BaseException:
        # Killed, interrupted or a full disk: what is written stays, and the next run goes on.
        complain(replies.say("stopped", ui))
        raise


def _size_of(source: Path, out: Path, ui: Language) -> int:
    if not source.is_file():
        raise wrong_usage(replies.say("no_file", ui, path=source))
    if source.resolve() == out.resolve():
        raise wrong_usage(replies.say("in_is_out", ui))
    return source.stat().st_size
