// A digest as a card, and the card while it fills in. Values in, elements out.

import { el, icon, link } from "./dom.js";
import { decimal, percent, servedWord, w } from "./words.js";

const TERMS_AT_FIRST = 2;
let numbered = 0;

/** An id for elements that name each other. */
export function freshId(prefix) {
  numbered += 1;
  return `${prefix}-${numbered}`;
}

export function head(article) {
  const facts = [
    isSample(article.url) ? w("sample") : (article.site ?? hostOf(article.url)),
    w(`source_${article.source_type}`),
    article.author,
    (article.publish_date ?? "").slice(0, 10),
  ].filter(Boolean);
  const title = article.title ?? w("untitled");
  const url = hereIfSample(article.url);
  return el(
    "header",
    { class: "card-head" },
    el("p", { class: "facts" }, ...facts.map((fact) => el("span", {}, fact))),
    el("h3", { lang: article.language }, url ? link(url, title) : title),
  );
}

function hostOf(url) {
  try {
    return new URL(url).host;
  } catch {
    return null;
  }
}

function isSample(url) {
  try {
    const parsed = new URL(url);
    const own = ["127.0.0.1", "localhost", "[::1]", location.hostname].includes(parsed.hostname);
    return own && /^\/samples\/[\w-]+\.html$/.test(parsed.pathname);
  } catch {
    return false;
  }
}

/** A sample digested when the server had another port: its address today. */
export function hereIfSample(url) {
  return isSample(url) ? location.origin + new URL(url).pathname : url;
}

export function difficulty(level, factors, reason = "") {
  const label = servedWord("labels", level.label);
  const score = decimal(level.score);
  const meter = el(
    "span",
    { class: "meter", role: "img", "aria-label": w("difficultyOf", score, label) },
    [1, 2, 3, 4, 5].map((step) => filled(el("span", { class: "step" }, el("i")), level.score - step + 1)),
  );
  return el(
    "section",
    { class: "difficulty", "data-level": level.label, "aria-label": w("difficulty") },
    el("div", { class: "level" }, meter, el("b", { class: "score" }, score), el("span", { class: "label" }, label)),
    reason && el("p", { class: "reason" }, reason),
    factors.length > 0 && reasons(factors),
  );
}

function filled(step, share) {
  const width = Math.max(0, Math.min(1, share));
  step.firstChild.style.setProperty("width", `${width * 100}%`);
  return step;
}

function reasons(factors) {
  const rows = factors.map((factor) => {
    const bar = el("span", { class: "share-bar", "aria-hidden": "true" }, el("i"));
    bar.firstChild.style.setProperty("width", `${factor.share * 100}%`);
    return el(
      "li",
      {},
      el(
        "div",
        { class: "factor" },
        el("span", { class: "factor-name" }, servedWord("factors", factor.name)),
        bar,
        el("span", { class: "factor-score" }, decimal(factor.score)),
        el("span", { class: "factor-share" }, w("share", percent(factor.share))),
      ),
      factor.words.length > 0 &&
        el("p", { class: "factor-words" }, ...factor.words.map((word) => el("span", {}, word))),
    );
  });
  return el("details", { class: "why" }, el("summary", {}, w("why")), el("ul", { class: "factors" }, rows));
}

export function keywords(words) {
  if (words.length === 0) return null;
  return el(
    "section",
    { class: "part keywords" },
    el("h4", {}, w("keywords")),
    el("ul", { class: "chips" }, words.map((word) => el("li", {}, word))),
  );
}

function summary(record) {
  const { details, summary: whole } = record;
  const sentences = details.sentences.length
    ? details.sentences.map(claim)
    : [el("li", { class: "claim plain" }, el("p", {}, whole))];
  return el(
    "section",
    { class: "part", lang: details.language },
    el("h4", {}, w("summary")),
    el("ul", { class: "claims" }, sentences),
  );
}

/** A sentence of the summary: pointing at it or pressing it shows what bears it out. */
function claim(sentence) {
  const fromModel = sentence.origin === "model";
  const same = sentence.source === sentence.text;
  const who = w(fromModel ? "fromModel" : same ? "fromArticleAsIs" : "fromArticle");
  const id = freshId("source");
  const source = el(
    "div",
    { class: "source", id },
    el("p", { class: "source-who" }, who),
    sentence.source && !same && el("blockquote", {}, el("span", { class: "hidden" }, `${w("source")}: `), sentence.source),
  );
  const button = el(
    "button",
    { type: "button", class: "said", "aria-expanded": "false", "aria-controls": id },
    icon(fromModel ? "pen" : "quote"),
    el("span", {}, sentence.text),
  );
  const item = el("li", { class: "claim" }, button, source);
  const open = (yes) => {
    button.setAttribute("aria-expanded", String(yes));
    item.classList.toggle("open", yes);
    item.classList.remove("dismissed");
  };
  const turn = () => item.classList.toggle("above", roomBelow(item) < source.offsetHeight + 8);
  item.addEventListener("mouseenter", turn);
  button.addEventListener("focus", turn);
  button.addEventListener("click", () => open(button.getAttribute("aria-expanded") !== "true"));
  button.addEventListener("blur", () => open(false));
  item.addEventListener("mouseleave", () => item.classList.remove("dismissed"));
  item.addEventListener("keydown", (event) => {
    if (event.key !== "Escape") return;
    open(false);
    item.classList.add("dismissed");
  });
  return item;
}

function roomBelow(item) {
  const around = item.closest(".scroll")?.getBoundingClientRect();
  return (around?.bottom ?? innerHeight) - item.getBoundingClientRect().bottom;
}

function prerequisites(record) {
  if (record.prerequisites.length === 0) return null;
  return el(
    "section",
    { class: "part", lang: record.details.language },
    el("h4", {}, w("prerequisites")),
    el("ul", { class: "chips quiet" }, record.prerequisites.map((one) => el("li", {}, one))),
  );
}

/** The terms with a list of the first ones; `more` unfolds the rest. */
export function terms(record) {
  const all = record.technical_terms;
  if (all.length === 0) return { section: null, more: null };
  const origins = new Map(record.details.term_origins.map((one) => [one.term, one]));
  const rows = all.map((one, index) => term(one, origins.get(one.term), index >= TERMS_AT_FIRST));
  const id = freshId("terms");
  const section = el(
    "section",
    { class: "part terms", lang: record.details.language },
    el("h4", {}, w("terms")),
    el("dl", { id }, rows),
  );
  const more = all.length > TERMS_AT_FIRST ? { id, rows: rows.slice(TERMS_AT_FIRST), count: all.length } : null;
  return { section, more };
}

function term({ term: name, explanation }, origin, hidden) {
  return el(
    "div",
    { class: "term", hidden },
    el("dt", {}, name),
    el("dd", {}, el("span", {}, explanation), " ", origin && originTag(origin.origin, origin.credit)),
  );
}

export function originTag(origin, credit) {
  const name = w({ article: "originArticle", glossary: "originGlossary", model: "originModel" }[origin]);
  return el("small", { class: "origin" }, credit ? `${name} · ${credit}` : name);
}

function notes(record) {
  if (record.details.notes.length === 0) return null;
  return el(
    "div",
    { class: "notes" },
    record.details.notes.map((key) => el("p", {}, icon("info"), el("span", {}, servedWord("notes", key)))),
  );
}

function context(record) {
  const { details } = record;
  const facts = [
    w("read", percent(details.read)),
    details.checked > 0 && w("checked", details.checked),
    details.rejected > 0 && w("rejected", details.rejected),
    record.cached ? w("cached") : w("seconds", decimal(record.processing_time)),
    details.model,
  ].filter(Boolean);
  return el("p", { class: "context" }, facts.map((fact) => el("span", {}, fact)));
}

/** The whole card, without its buttons. */
export function digestCard(record, termsSection) {
  return [
    head(record.article),
    difficulty(record.difficulty_level, record.details.factors, record.details.reason),
    summary(record),
    keywords(record.keywords),
    prerequisites(record),
    termsSection,
    notes(record),
    context(record),
  ];
}

export function skeleton(lines) {
  return el(
    "div",
    { class: "skeleton", "aria-hidden": "true" },
    Array.from({ length: lines }, () => el("i")),
  );
}
