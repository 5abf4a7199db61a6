"""python -m training STEP …: each step is one module here, imported when it is asked for.

A step's `main` either takes its `arguments` as a list and returns an exit code, or is a typer
command: a function whose parameters are the options. `python -m training STEP --help` says what it
takes.
"""

from __future__ import annotations

import inspect
import sys
from collections.abc import Callable
from importlib import import_module
from typing import Any

import typer

from core.errors import DigestError, SettingsError

# By the folder where they are, in the order in which they are run; a module has its step's name,
# with _ for -.
ROOMS = {
    "sets": {
        "examples": "The M2 examples from the data folder, the service's export, or any JSON lines.",
        "posts": "Posts and what their authors say of them, from checkouts of sites.",
        "backtranslate": "Articles in other words, by a model that translates (optional).",
        "term-pairs": "Terms and their translations, from pages in both languages.",
    },
    "model": {
        "m1": "Continued training on computer-science text (LoRA or all weights).",
        "tokenizer": "Domain terms and code words as tokens of their own, kept if it pays.",
        "m2": "LoRA on the digest tasks, after M1.",
        "answers": "What the tuned model says itself, and what each answer is worth.",
        "prefer": "Preference tuning on those answers, after M2.",
        "average": "Adapters that were taught with other seeds, as one.",
        "crossfit": "Models that each leave a part of the articles out, and what they draft of it.",
        "sweep": "Many variants of tokenizer, M1 and M2 side by side on one card, in one table.",
        "merge": "The adapter into the base model.",
        "quantize": "GPTQ 4-bit, calibrated on our own prompts.",
        "export": "CTranslate2 for CPUs.",
    },
    "": {
        "evaluate": "Predictions and a report for a task, its baselines beside.",
        "promote": "Whether a model's reports allow it into service.",
        "all": "The whole way, from the data to the report.",
    },
    "faithfulness": {
        "pairs": "The judge of faithfulness, and two encodings of a sentence pair compared.",
        "cross": "A cross-encoder beside the signs of faithfulness.",
        "guard": "The guardrail.",
    },
    "levels": {
        "background": "How common each word is in technical and in everyday text.",
        "difficulty-factors": "Scales and weights of the four difficulty factors.",
        "difficulty": "The difficulty judge.",
        "ranking": "Difficulty by an encoder that learns, beside the judge in service.",
        "parallel": "Pages in Korean and English, from checkouts of documentation.",
        "korean": "The Korean difficulty judge, from such pages.",
        "audit": "Rows that are probably labelled wrongly.",
    },
    "names": {
        "keywords": "The ranker and the tag vocabulary behind keywords.",
        "tagger": "The term tagger.",
        "glossary": "The bundled glossary.",
    },
    "sentences": {
        "gist": "The forest that ranks sentences.",
        "headline": "The forest that chooses one line among candidates.",
    },
}
STEPS = {step: told for steps in ROOMS.values() for step, told in steps.items()}
_ROOM_OF = {step: room for room, steps in ROOMS.items() for step in steps}
_PASSED_ON = {
    "ignore_unknown_options": True,
    "allow_extra_args": True,
    "help_option_names": [],  # a step's --help is the step's own
}


def run(step: str, arguments: list[str]) -> int:
    """The step's exit code; an expected trouble is a sentence on stderr."""
    module = import_module(_module(step))
    try:
        if "arguments" in inspect.signature(module.main).parameters:
            return int(module.main(arguments) or 0)
        return _as_typer(step, module.main, arguments)
    except SettingsError as error:
        sys.stderr.write(f"{error}\n")
        return 2
    except DigestError as error:
        sys.stderr.write(f"{error}\n")
        return 1


def _as_typer(step: str, function: Callable[..., Any], arguments: list[str]) -> int:
    single = typer.Typer(add_completion=False, pretty_exceptions_enable=False)
    single.command()(function)
    try:
        single(args=arguments, prog_name=f"python -m training {step}")
    except SystemExit as ended:
        return ended.code if isinstance(ended.code, int) else int(ended.code is not None)
    return 0


def _module(step: str) -> str:
    return ".".join(filter(None, ("training", _ROOM_OF[step], step.replace("-", "_"))))


def _command(step: str) -> Callable[[typer.Context], None]:
    def command(context: typer.Context) -> None:
        raise typer.Exit(run(step, context.args))

    return command


def application() -> typer.Typer:
    app = typer.Typer(
        name="training",
        help="How the models are made and measured: one step, one file.",
        no_args_is_help=True,
        add_completion=False,
        pretty_exceptions_enable=False,
    )

    @app.callback()
    def training() -> None:
        """How the models are made and measured: one step, one file."""

    for room, steps in ROOMS.items():
        for step, told in steps.items():
            app.command(
                step,
                help=told,
                context_settings=_PASSED_ON,
                rich_help_panel=f"training/{room}".rstrip("/"),
            )(_command(step))
    return app


def main() -> None:
    application()(prog_name="python -m training")


if __name__ == "__main__":
    main()
