"""What of a Markdown file is told apart before its lines are read.

Code that is written as tags becomes a fence; comments, scripts and footnotes' texts go.
"""

from __future__ import annotations

import html
import re

from core.web.inline import TAG

# Code goes first, so that what it shows stays.
_WHOLE = re.compile(
    r"""^(?P<fence>[ \t>]*(?P<f>`{3,}|~{3,})[^`\n]*\n(?:.*?^[ \t>]*(?P=f)[`~]*[ \t]*$|.*\Z))
    |(?P<span>(?<!`)`[^`\n]+`(?!`))
    |^[ \t]*(?:<TerminalBlock>|\{%-?[ ]*highlight\b[^%\n]*%\}|<pre\b[^<>]*>)
      (?P<code>.*?)(?:</TerminalBlock>|\{%-?[ ]*endhighlight[ ]*-?%\}|</pre>|\Z)
    |<!--.*?(?:-->|\Z)
    |^[ \t>]*\[\^[^\]\n]{1,100}\]:[^\n]*(?:\n[ \t>]*[^\s\[>][^\n]*)*(?:\n[ \t>]*\n(?:[ ]{2,}|\t)[^\n]+)*
    |\{/\*.*?(?:\*/\}|\n[ \t]*\n|\Z)
    |^[ ]{0,3}<(?P<unseen>script|style)\b.*?(?:</(?P=unseen)>|\Z)""",
    re.DOTALL | re.MULTILINE | re.VERBOSE,
)


def told_apart(text: str) -> str:
    return _WHOLE.sub(_kept, text)


def _kept(match: re.Match[str]) -> str:
    if (code := match["code"]) is not None:
        inner = html.unescape(TAG.sub("", code)).strip("\n")
        return f"\n~~~~~~\n{inner}\n~~~~~~\n"
    return match["fence"] or match["span"] or ""
