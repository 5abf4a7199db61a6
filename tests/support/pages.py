"""Pages as they come from the web, small and each with one difference that matters."""

from __future__ import annotations

from core.article import Page

SENTENCE = "Sentence number {n} says that a queue of length {m} holds back the writers for a while."
문장 = "{n}번째 문장은 길이가 {m}인 대기열이 쓰기 작업을 잠시 붙잡아 둔다고 설명합니다."


def prose(words: int = 200, *, korean: bool = False) -> list[str]:
    """Paragraphs of about so many words, no two sentences the same."""
    pattern, a_sentence = (문장, 10) if korean else (SENTENCE, 16)
    sentences = [pattern.format(n=n, m=n * 3) for n in range(1, max(2, words // a_sentence + 1))]
    return [" ".join(sentences[n : n + 4]) for n in range(0, len(sentences), 4)]


def paragraphs(words: int = 200, *, korean: bool = False) -> str:
    return "".join(f"<p>{text}</p>\n" for text in prose(words, korean=korean))


def a_page(
    body: str | bytes,
    *,
    url: str = "https://blog.example/post",
    content_type: str = "text/html",
    charset: str | None = "utf-8",
) -> Page:
    data = body.encode() if isinstance(body, str) else body
    return Page(url=url, body=data, content_type=content_type, charset=charset)


def an_html_page(
    content: str,
    *,
    title: str = "On queues",
    head: str = "",
    url: str = "https://blog.example/post",
) -> Page:
    """An ordinary page with a menu, this content in its article, and a foot."""
    return a_page(
        f"<!doctype html><html lang='en'><head><title>{title}</title>{head}</head><body>"
        "<nav><ul><li><a href='/'>Home</a></li><li><a href='/about'>About</a></li></ul></nav>"
        f"<main><article><h1>{title}</h1>{content}</article></main>"
        "<footer><p>Copyright 2026 Example. All rights reserved.</p></footer></body></html>",
        url=url,
    )


def a_pdf(pages: list[list[str]], *, title: str = "") -> bytes:
    """A PDF written by hand: each page a list of lines, an empty list a page without text."""
    objects: list[bytes] = []
    first = 4 + (1 if title else 0)
    kids = " ".join(f"{first + 2 * n} 0 R" for n in range(len(pages)))
    objects.append(b"<< /Type /Catalog /Pages 2 0 R >>")
    objects.append(f"<< /Type /Pages /Kids [{kids}] /Count {len(pages)} >>".encode())
    objects.append(b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>")
    if title:
        objects.append(f"<< /Title ({title}) /Author (Ann Example) >>".encode())
    for n, lines in enumerate(pages):
        shown = "".join(f"({_escaped(line)}) Tj T* " for line in lines)
        stream = f"BT /F1 11 Tf 14 TL 60 780 Td {shown}ET".encode("latin-1")
        objects.append(
            f"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] "
            f"/Resources << /Font << /F1 3 0 R >> >> /Contents {first + 2 * n + 1} 0 R >>".encode()
        )
        objects.append(b"<< /Length %d >>\nstream\n%s\nendstream" % (len(stream), stream))
    return _assembled(objects, 4 if title else None)


def _escaped(line: str) -> str:
    return line.replace("\\", "\\\\").replace("(", "\\(").replace(")", "\\)")


def _assembled(objects: list[bytes], info: int | None) -> bytes:
    data = b"%PDF-1.4\n"
    places: list[int] = []
    for number, content in enumerate(objects, 1):
        places.append(len(data))
        data += b"%d 0 obj\n%s\nendobj\n" % (number, content)
    table = b"".join(b"%010d 00000 n \n" % place for place in places)
    named = b" /Info %d 0 R" % info if info else b""
    return data + (
        b"xref\n0 %d\n0000000000 65535 f \n%strailer\n<< /Size %d /Root 1 0 R%s >>\nstartxref\n%d\n%%%%EOF\n"
        % (len(objects) + 1, table, len(objects) + 1, named, len(data))
    )
