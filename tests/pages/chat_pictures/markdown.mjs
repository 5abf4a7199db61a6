// The part of Discord's Markdown that can stand in our messages. What the bot has escaped stays
// text; what it forgot to escape is formatted, as Discord would.
import { escaped } from "./html.mjs";

const LINES = [
  [/^(#{1,3}) +(.+)$/, (found) => `<h${found[1].length}>${inline(found[2])}</h${found[1].length}>`],
  [/^-# +(.+)$/, (found) => `<small>${inline(found[1])}</small>`],
  [/^> +(.+)$/, (found) => `<blockquote>${inline(found[1])}</blockquote>`],
  [/^(?:[-*]|\d+\.) +(.+)$/, (found) => `<li>${inline(found[1])}</li>`],
];

const MARKS = [
  [/^\\([^A-Za-z0-9\s])/, (found) => escaped(found[1])],
  [/^\[((?:\\.|[^\]\\])+)\]\((https?:[^\s)]+)\)/, (found) => `<a>${inline(found[1])}</a>`],
  [/^(https?:\/\/[^\s<]+)/, (found) => `<a>${escaped(found[1])}</a>`],
  [/^`([^`]+)`/, (found) => `<code>${escaped(found[1])}</code>`],
  [/^\*\*((?:\\.|[^\\])+?)\*\*/, (found) => `<strong>${inline(found[1])}</strong>`],
  [/^__((?:\\.|[^\\])+?)__/, (found) => `<u>${inline(found[1])}</u>`],
  [/^~~((?:\\.|[^\\])+?)~~/, (found) => `<s>${inline(found[1])}</s>`],
  [/^([*_])(?=\S)((?:\\.|[^\\])+?)\1(?!\w)/, (found) => `<em>${inline(found[2])}</em>`],
];

export function markdown(text) {
  return text.split("\n").map(block).join("");
}

function block(line) {
  const drawn = firstOf(LINES, line);
  return drawn ? drawn.html : `<p>${inline(line)}</p>`;
}

function inline(text) {
  let html = "";
  for (let rest = text; rest; ) {
    const drawn = firstOf(MARKS, rest) ?? { html: escaped(rest[0]), length: 1 };
    html += drawn.html;
    rest = rest.slice(drawn.length);
  }
  return html;
}

function firstOf(rules, text) {
  for (const [pattern, draw] of rules) {
    const found = pattern.exec(text);
    if (found) return { html: draw(found), length: found[0].length };
  }
}
