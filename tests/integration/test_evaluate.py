"""`python -m training evaluate` from a file to a report, on files as small as they can be."""

from __future__ import annotations

import gzip
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
from support.builders import CONTENT

from core.errors import EngineFailed, SettingsError
from training import promote
from training.__main__ import run
from training.evaluating.items import Item, Rows, Shown
from training.evaluating.measures import MEASURES
from training.evaluating.predicting import PredictionsFile, predicted
from training.evaluating.systems import SYSTEMS, Prediction, Resources

ARTICLE: dict[str, Any] = {
    "title": "Connection pools",
    "content": CONTENT,
    "language": "en",
    "source": "a",
}
KOREAN = "풀은 연결을 열어 두고 요청에 나누어 줍니다. 연결을 여는 데는 시간이 듭니다. 대기열은 기다리는 시간을 제한합니다."


def write(path: Path, rows: Sequence[Mapping[str, Any] | str]) -> Path:
    lines = [row if isinstance(row, str) else json.dumps(row, ensure_ascii=False) for row in rows]
    body = ("\n".join(lines) + "\n").encode()
    path.write_bytes(gzip.compress(body) if path.suffix == ".gz" else body)
    return path


def evaluated(folder: Path, task: str, data: Path, *more: str) -> dict[str, Any]:
    out, report = folder / f"{task}.jsonl", folder / f"{task}-report"
    given = ["--data", str(data), "--predictions", str(out), "--report", str(report)]
    assert run("evaluate", [task, *given, "--engine", "echo", *more]) == 0
    return dict(json.loads((report / "report.json").read_text("utf-8")))


def predictions(folder: Path, task: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (folder / f"{task}.jsonl").read_text("utf-8").splitlines()]


def test_keywords_from_a_file_to_a_report(tmp_path: Path) -> None:
    rows: list[Mapping[str, Any] | str] = [
        {**ARTICLE, "id": "one", "keywords": ["connection pool", "latency"]},
        {**ARTICLE, "id": "two", "keywords": ["databases"], "source": "b"},
        {"title": "No tags", "content": CONTENT},
    ]
    found = evaluated(tmp_path, "keywords", write(tmp_path / "k.jsonl.gz", rows))
    said = predictions(tmp_path, "keywords")
    assert [row["id"] for row in said] == ["one", "two", "3"]
    assert set(said[0]) == {"id", "prediction", "seconds"}
    assert all(isinstance(name, str) for name in said[0]["prediction"])
    assert found["systems"]["ours"]["rows"] == 2  # the third is predicted, and has nothing to meet
    assert {"ours", "TF-IDF", "most common"} == set(found["systems"])
    assert set(found["systems"]["ours"]["sites"]) == {"a", "b"}
    text = (tmp_path / "keywords-report" / "report.md").read_text("utf-8")
    assert "| TF-IDF | 2 |" in text
    assert "Why these figures" in text
    assert (tmp_path / "keywords-report" / "systems.png").stat().st_size > 1000


def test_broken_rows_are_named_with_their_line_and_left_out(tmp_path: Path) -> None:
    good = {**ARTICLE, "id": "good", "prerequisites": ["Docker"]}
    rows: list[Mapping[str, Any] | str] = [
        "{not json",
        good,
        "[1]",
        {"title": "no content", "id": "x"},
        "",
        {**good, "content": " "},
    ]
    data = write(tmp_path / "p.jsonl", rows)
    found = evaluated(tmp_path, "prerequisites", data)
    assert found["about"]["rows left out as broken"] == 4
    assert [said.split(":")[1] for said in found["about"]["said"]] == ["1", "3", "4", "6"]
    assert [row["id"] for row in predictions(tmp_path, "prerequisites")] == ["good"]


def test_a_file_cut_off_in_the_middle_gives_the_rows_before(tmp_path: Path) -> None:
    rows = [{**ARTICLE, "id": str(number), "keywords": ["a b"]} for number in range(400)]
    path = write(tmp_path / "cut.jsonl.gz", [{**row, "noise": str(hash(str(row)))} for row in rows])
    path.write_bytes(path.read_bytes()[:-400])
    items = Rows(path, "keywords")
    assert 0 < sum(1 for _ in items) < 400
    assert "cannot be read on" in items.said[-1] or "no JSON" in items.said[-1]


def test_difficulty_is_read_over_all_and_within_sites(tmp_path: Path) -> None:
    rows = [
        {**ARTICLE, "id": f"{site}{level}", "level": level, "source": site}
        for site in ("a", "b")
        for level in (1, 3, 5)
    ]
    found = evaluated(tmp_path, "difficulty", write(tmp_path / "d.jsonl", rows))
    whole = found["systems"]["majority"]["whole"]
    # every level is there twice, and one's own does not count: the two others tie, the lower wins
    assert whole["accuracy"] == 0.0
    assert found["systems"]["ours"]["whole"]["classes"]["labels"]
    assert (tmp_path / "difficulty-report" / "confusion.png").exists()
    assert all(1.0 <= row["prediction"] <= 5.0 for row in predictions(tmp_path, "difficulty"))


def test_who_judges_is_said_and_a_model_without_a_judgement_says_the_middle(tmp_path: Path) -> None:
    rows = [{**ARTICLE, "id": str(level), "level": level} for level in (1, 5)]
    data = write(tmp_path / "d.jsonl", rows)
    found = evaluated(tmp_path, "difficulty", data, "--by", "model alone")
    assert found["about"]["engine"] == "echo, judged by model alone"
    assert {row["prediction"] for row in predictions(tmp_path, "difficulty")} == {3.0}


def test_claims_have_areas_by_kind_and_curves(tmp_path: Path) -> None:
    true = "A connection pool keeps database connections open and hands them to requests."
    false = "Whales sing in the northern sea at night."
    row = {"article": CONTENT, "title": "Connection pools", "language": "en"}
    rows = [
        {**row, "id": "1", "claim": true, "label": "consistent", "kind": "reference"},
        {**row, "id": "2", "claim": false, "label": "inconsistent", "kind": "other_document"},
    ]
    found = evaluated(tmp_path, "faithfulness", write(tmp_path / "f.jsonl", rows))
    whole = found["systems"]["ours"]["whole"]
    assert whole["ROC-AUC"] == 1.0
    assert whole["ROC-AUC by kind"]["other_document"] == 1.0
    assert (tmp_path / "faithfulness-report" / "curves.png").exists()
    assert found["systems"]["majority"]["whole"]["ROC-AUC"] == 0.5


def test_documents_are_ranked_for_queries(tmp_path: Path) -> None:
    docs = write(
        tmp_path / "docs.jsonl",
        [
            {"id": "pools", "title": "Connection pools", "text": CONTENT, "language": "en"},
            {
                "id": "whales",
                "title": "Whales",
                "text": "Whales sing in the sea.",
                "language": "en",
            },
        ],
    )
    query = {"qid": "q1", "query": "How large should a connection pool be?", "relevant": ["pools"]}
    data = write(tmp_path / "q.jsonl", [query])
    found = evaluated(tmp_path, "retrieval", data, "--docs", str(docs))
    assert predictions(tmp_path, "retrieval")[0]["id"] == "q1"
    assert predictions(tmp_path, "retrieval")[0]["prediction"][0] == "pools"
    assert found["systems"]["BM25"]["figures"]["R@1"]["mean"] == 1.0


def test_pages_are_read_beside_the_file(tmp_path: Path) -> None:
    paragraphs = [f"<p>{text}</p>" for text in CONTENT.split("\n\n") if text[0].isupper()]
    html = f"<html><body><nav>Home</nav><article><h1>Pools</h1>{''.join(paragraphs)}</article></body></html>"
    (tmp_path / "page.html").write_text(html, encoding="utf-8")
    row = {"id": "1", "html_file": "page.html", "text": CONTENT.replace("#", "")}
    lost = {"id": "2", "html_file": "gone.html", "text": "x"}
    found = evaluated(tmp_path, "extraction", write(tmp_path / "e.jsonl", [row, lost]))
    assert found["about"]["rows left out as broken"] == 1
    assert found["systems"]["ours"]["whole"]["token F1"] > 0.5
    assert "connection pool keeps" in predictions(tmp_path, "extraction")[0]["prediction"]


def test_korean_summaries_are_scored_by_morphemes_and_by_syllables(tmp_path: Path) -> None:
    row = {
        "id": "1",
        "title": "연결 풀",
        "content": KOREAN,
        "language": "ko",
        "summary": KOREAN[:30],
    }
    data = write(tmp_path / "s.jsonl", [row])
    out = tmp_path / "summary.jsonl"
    write(out, [{"id": "1", "prediction": KOREAN[:30], "seconds": 0.1}])
    found = evaluated(tmp_path, "summary", data)
    figures = found["systems"]["ours"]["figures"]
    assert figures["rougeL (syllables)"]["mean"] == 1.0
    assert figures["rouge1 (morphemes)"]["mean"] == 1.0
    assert {"title", "lead-1", "lead-3", "TextRank-1", "TextRank-3"} < set(found["systems"])


async def test_a_system_sees_neither_id_nor_address_nor_answer(tmp_path: Path) -> None:
    hidden = "https://secret.example/advanced/1"
    row = {**ARTICLE, "id": hidden, "url": hidden, "summary": hidden, "source": hidden}
    rows = Rows(write(tmp_path / "s.jsonl", [row]), "summary")
    (item,) = list(rows)
    assert item.id == hidden
    assert "secret" not in repr(item.shown)


class Counting:
    """A system that fails on some rows, and remembers what it was asked."""

    def __init__(self, *failing: str) -> None:
        self.asked: list[str] = []
        self.failing = failing

    async def __call__(self, shown: Shown) -> Prediction:
        self.asked.append(shown.title)
        if shown.title in self.failing:
            raise EngineFailed("counting", "as told")
        return shown.title


def items(*titles: str) -> list[Item]:
    return [Item(title, Shown(title, "text", "en")) for title in titles]


async def predict(
    path: Path, rows: Sequence[Item], system: Counting, engine: str = "e"
) -> list[bool]:
    file = PredictionsFile(path, {"task": "summary", "engine": engine})
    try:
        return [done async for done in predicted("summary", rows, system, file, 2)]
    finally:
        file.close()


async def test_what_was_predicted_is_not_asked_again_and_a_torn_line_is(tmp_path: Path) -> None:
    path, rows = tmp_path / "out.jsonl", items("a", "b", "a", "c")
    assert await predict(path, rows, Counting("b")) == [True, False, True, True]
    path.write_bytes(path.read_bytes()[:-5])  # killed while the last line was written
    again = Counting()
    assert await predict(path, rows, again) == [True, True, True, True]
    assert sorted(again.asked) == ["b", "c"]
    said = [json.loads(line)["id"] for line in path.read_text("utf-8").splitlines()]
    assert sorted(said) == ["a", "a", "b", "c"]


async def test_predictions_of_another_model_are_not_mixed_in(tmp_path: Path) -> None:
    path = tmp_path / "out.jsonl"
    await predict(path, items("a"), Counting())
    with pytest.raises(SettingsError, match="predictions of engine e"):
        await predict(path, items("a"), Counting(), engine="other")


async def test_an_engine_that_answers_nothing_ends_the_run(tmp_path: Path) -> None:
    rows = items(*"abcdefgh")
    system = Counting(*"abcdefgh")
    with pytest.raises(EngineFailed):
        await predict(tmp_path / "out.jsonl", rows, system)
    assert len(system.asked) < len(rows)


def test_wrong_asks_are_sentences(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    given = ["--predictions", str(tmp_path / "o"), "--report", str(tmp_path / "r")]
    assert run("evaluate", ["poetry", "--data", "x.jsonl", *given]) == 2
    assert "no such task" in capsys.readouterr().err
    assert run("evaluate", ["summary", "--data", str(tmp_path / "gone.jsonl"), *given]) == 2
    assert "there is no such file" in capsys.readouterr().err
    empty = write(tmp_path / "empty.jsonl", [{"title": "x"}])
    assert run("evaluate", ["summary", "--data", str(empty), *given]) == 2
    assert "no row that summary can use" in capsys.readouterr().err


def test_every_task_has_a_system() -> None:
    assert set(SYSTEMS) == set(MEASURES)


def test_an_engine_is_a_name_or_a_folder() -> None:
    with pytest.raises(SettingsError, match="neither a folder"):
        Resources("no/such/folder").settings()
    assert Resources("echo").settings().engine == "echo"


# --- promotion


def report_of(folder: Path, value: float, *, rows: str = "s1", title: float = 0.3) -> Path:
    def system(mean: float) -> dict[str, Any]:
        return {"figures": {"rougeL": {"mean": mean}}, "whole": {}, "without a prediction": 0}

    about = {"file": "set/dev.jsonl.gz", "sha256": rows, "limit": "none"}
    systems = {"ours": system(value), "title": system(title)}
    folder.mkdir(parents=True)
    said = {"task": "summary", "about": about, "systems": systems}
    (folder / "report.json").write_text(json.dumps(said), encoding="utf-8")
    (folder / "report.md").write_text("# report\n", encoding="utf-8")
    return folder


def promoted(tmp_path: Path, report: Path) -> int:
    floors = tmp_path / "floors.json"
    least = {"summary": {"set/dev": {"at least": {"rougeL": 0.35}, "above": ["title"]}}}
    floors.write_text(json.dumps(least), encoding="utf-8")
    service = ["--in-service", str(tmp_path / "service"), "--floors", str(floors)]
    return run("promote", ["--report", str(report), *service])


def test_a_model_below_a_floor_or_a_baseline_is_not_promoted(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert promoted(tmp_path, report_of(tmp_path / "low", 0.34)) == 1
    assert "rougeL is 0.340, the floor is 0.350" in capsys.readouterr().out
    assert promoted(tmp_path, report_of(tmp_path / "copy", 0.36, title=0.36)) == 1
    assert "not above title" in capsys.readouterr().out
    assert not (tmp_path / "service").exists()


def test_a_model_must_not_be_below_the_one_in_service(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert promoted(tmp_path, report_of(tmp_path / "first", 0.40)) == 0
    assert promoted(tmp_path, report_of(tmp_path / "worse", 0.39)) == 1
    assert "the model in service has 0.400" in capsys.readouterr().out
    assert promoted(tmp_path, report_of(tmp_path / "elsewhere", 0.50, rows="s2")) == 1
    assert "other rows" in capsys.readouterr().out
    assert promoted(tmp_path, report_of(tmp_path / "better", 0.41)) == 0
    kept = json.loads((tmp_path / "service" / "summary-set-dev" / "report.json").read_text("utf-8"))
    assert promote.figure_of(kept["systems"]["ours"], "rougeL") == 0.41
