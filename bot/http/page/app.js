// The channel: messages in their order, and what happens when somebody says something.

import * as api from "./api.js";
import { hereIfSample } from "./card.js";
import { Composer, MAX_LINKS, commandList, meaning } from "./composer.js";
import { el, icon, link } from "./dom.js";
import { Reading } from "./reading.js";
import { Reply } from "./reply.js";
import { clock, currentLanguage, message, setLanguage, setServed, w } from "./words.js";

const KEPT = "conversation"; // [{id, at}]: numbers of digests only, their words stay in the server
const KEPT_AT_MOST = 50;
const AT_ONCE = 3; // a browser opens six connections to one server; some must stay free
const RECENT = 12;

const byId = (id) => document.getElementById(id);
const list = byId("messages");
const scroll = byId("scroll");
const replies = new Set();

// --- saying ---

function announce(text) {
  byId("status").textContent = text;
}

function row({ mine, at = new Date() }, ...content) {
  const avatar = el("span", { class: mine ? "avatar me" : "avatar bot", "aria-hidden": "true" }, icon(mine ? "person" : "lines"));
  const name = el("b", { class: "who", "data-w": mine ? "you" : null }, mine ? w("you") : "SmartDevDigest");
  const badge = mine ? null : el("span", { class: "badge", "data-w": "app" }, w("app"));
  const time = at && el("time", { datetime: at.toISOString() }, clock(at));
  const item = el(
    "li",
    { class: mine ? "message mine" : "message" },
    avatar,
    el("div", { class: "message-body" }, el("div", { class: "by" }, name, badge, time), ...content),
  );
  list.append(item);
  return item;
}

function mySaying(text, at) {
  const shown = text.length > 600 ? `${text.slice(0, 600)}…` : text;
  const pieces = shown.split(/(https?:\/\/[^\s<>"'`|]+)/gi);
  const content = pieces.map((piece, index) => (index % 2 ? link(piece, piece) : piece));
  return row({ mine: true, at }, el("p", { class: "said-by-me" }, content));
}

function answer(...content) {
  const item = row({ mine: false }, el("div", { class: "plain-answer" }, ...content));
  announce(item.querySelector(".plain-answer").textContent);
  follow(item);
  return item;
}

// --- following the conversation ---

let anchor = null;
let following = true;
scroll.addEventListener("wheel", () => (following = false), { passive: true });
scroll.addEventListener("touchmove", () => (following = false), { passive: true });
scroll.addEventListener("keydown", (event) => {
  if (/^(Page|Arrow|Home|End)/.test(event.key)) following = false;
});

/** From now on the newest message stays in sight, but its beginning never leaves the top. */
function follow(item) {
  anchor = item;
  following = true;
  grown();
}

function grown() {
  if (!following || !anchor) return;
  const bottom = scroll.scrollHeight - scroll.clientHeight;
  const beginning = scroll.scrollTop + anchor.getBoundingClientRect().top - scroll.getBoundingClientRect().top;
  scroll.scrollTop = Math.min(bottom, beginning - 12);
}

const reading = new Reading({ answer, said: (text) => said(text), visit: (id) => visitById(id) });

// --- digests ---

let running = 0;
const waiting = [];

/** Runs `work` when it is its turn; leaves the line when `signal` says so. */
function inTurn(work, signal) {
  return new Promise((resolve, reject) => {
    const start = () => {
      if (signal.aborted) return reject(new DOMException("stopped", "AbortError"));
      running += 1;
      return work().then(resolve, reject).finally(() => {
        running -= 1;
        waiting.shift()?.();
      });
    };
    signal.addEventListener("abort", () => {
      const at = waiting.indexOf(start);
      if (at < 0) return;
      waiting.splice(at, 1);
      reject(new DOMException("stopped", "AbortError"));
    });
    if (running < AT_ONCE) start();
    else waiting.push(start);
  });
}

function newReply(ask, at) {
  const reply = new Reply({
    ask,
    announce,
    grown,
    settled: (record) => {
      keep(reply.lastId, record.id);
      reply.lastId = record.id;
      refreshRecent();
    },
  });
  reply.onagain = () => {
    if (!reply.working) reply.make(inTurn);
  };
  replies.add(reply);
  reply.row = row({ mine: false, at }, reply.card);
  return reply;
}

function ask(question) {
  newReply({ language: byId("digest-language").value, ...question }).make(inTurn);
}

function digestLinks(links) {
  for (const one of links.slice(0, MAX_LINKS)) ask({ link: one });
  if (links.length > MAX_LINKS) answer(el("p", {}, w("tooManyLinks", MAX_LINKS)));
}

function said(text) {
  const meant = meaning(text);
  if (meant.kind === "nothing") return;
  follow(mySaying(text));
  switch (meant.kind) {
    case "links":
      announce(w("working"));
      digestLinks(meant.links);
      break;
    case "text":
      announce(w("working"));
      ask({ article: { content: meant.text } });
      break;
    case "explain":
      reading.explain(meant.term);
      break;
    case "ask":
      reading.ask(meant.question);
      break;
    case "search":
      reading.search(meant.words);
      break;
    case "help":
      answer(el("p", {}, w("helpText")), commandList(), el("p", {}, w("helpMore")));
      break;
    case "unknown":
      answer(el("p", {}, w("unknownCommand", meant.name)), commandList());
      break;
    case "needs":
      answer(el("p", {}, w(meant.what)));
      break;
    default:
      answer(el("p", {}, w("noLink")));
  }
}

// --- what stays over a reload ---

function kept() {
  try {
    const value = JSON.parse(localStorage.getItem(KEPT) ?? "[]");
    return Array.isArray(value) ? value.filter((one) => typeof one?.id === "string") : [];
  } catch {
    return [];
  }
}

function keep(before, id) {
  const others = kept().filter((one) => one.id !== id);
  const at = others.findIndex((one) => one.id === before);
  const entry = { id, at: Date.now() };
  if (at >= 0) others[at] = entry;
  else others.push(entry);
  localStorage.setItem(KEPT, JSON.stringify(others.slice(-KEPT_AT_MOST)));
}

async function restore() {
  const entries = kept();
  const answers = await Promise.allSettled(entries.map(({ id }) => api.digestById(id)));
  const gone = [];
  answers.forEach((one, index) => {
    if (one.status === "fulfilled") showKept(one.value, new Date(entries[index].at));
    else if (one.reason.status === 404) gone.push(entries[index].id);
  });
  if (gone.length) {
    localStorage.setItem(KEPT, JSON.stringify(entries.filter(({ id }) => !gone.includes(id))));
    answer(el("p", {}, w("gone")));
  }
  if (list.lastElementChild) list.lastElementChild.previousElementSibling?.scrollIntoView({ block: "start" });
}

function showKept(record, at) {
  const first = mySaying(hereIfSample(record.article.url) ?? record.article.title ?? w("pastedText"), at);
  const reply = newReply(null, at);
  reply.lastId = record.id;
  reply.show(record);
  return first;
}

// --- beside the channel ---

async function refreshRecent() {
  const records = await api.recentDigests(RECENT).catch(() => null);
  if (records === null) return;
  const items = records.map((record) =>
    el(
      "li",
      {},
      el(
        "button",
        { type: "button", class: "side-item", title: record.article.title, onclick: () => visit(record) },
        el("span", { class: "dot", "data-level": record.difficulty_level.label, "aria-hidden": "true" }),
        el("span", { class: "side-text", lang: record.article.language }, record.article.title ?? w("untitled")),
      ),
    ),
  );
  byId("recent").replaceChildren(
    ...(items.length ? items : [el("li", { class: "side-none", "data-w": "recentNone" }, w("recentNone"))]),
  );
}

function visit(record) {
  const shown = [...replies].find((reply) => reply.record?.id === record.id);
  if (shown) {
    shown.row.scrollIntoView({ block: "start" });
    return;
  }
  keep(null, record.id);
  follow(showKept(record, new Date()));
}

async function visitById(id) {
  const record = await api.digestById(id).catch(() => null);
  if (record === null) answer(el("p", {}, w("gone")));
  else visit(record);
}

async function offerSamples() {
  const samples = await api.samples().catch(() => []);
  const own = currentLanguage();
  samples.sort((a, b) => Number(b.language === own) - Number(a.language === own));
  byId("samples").replaceChildren(
    ...samples.map((sample) =>
      el(
        "li",
        {},
        el(
          "button",
          { type: "button", class: "sample", onclick: () => said(location.origin + sample.path) },
          el("span", { class: "sample-language" }, w(`lang_${sample.language}`)),
          el("b", { lang: sample.language }, sample.title),
          el("span", { class: "sample-teaser", lang: sample.language }, sample.teaser),
        ),
      ),
    ),
  );
}

// --- words, light, tokens ---

function speak() {
  document.documentElement.lang = currentLanguage();
  for (const node of document.querySelectorAll("[data-w]")) node.textContent = w(node.dataset.w);
  for (const node of document.querySelectorAll("[data-w-label]")) node.setAttribute("aria-label", w(node.dataset.wLabel));
  for (const node of document.querySelectorAll("[data-language]")) {
    node.setAttribute("aria-pressed", String(node.dataset.language === currentLanguage()));
  }
  byId("say").placeholder = w("placeholder");
  byId("archive-words").placeholder = w("archivePlaceholder");
  for (const reply of replies) reply.redraw();
}

function isDark() {
  const chosen = document.documentElement.dataset.theme;
  return chosen ? chosen === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
}

function showTheme() {
  byId("theme").replaceChildren(icon(isDark() ? "sun" : "moon"));
}

function switchTheme() {
  const theme = isDark() ? "light" : "dark";
  document.documentElement.dataset.theme = theme;
  localStorage.setItem("theme", theme);
  showTheme();
}

let asking = null;

function askForToken() {
  asking ??= new Promise((resolve) => {
    const dialog = byId("token");
    const value = byId("token-value");
    value.value = "";
    dialog.returnValue = "";
    dialog.onclose = () => {
      asking = null;
      resolve(dialog.returnValue === "ok" ? value.value.trim() : null);
    };
    byId("token-cancel").onclick = () => dialog.close("");
    dialog.showModal();
  });
  return asking;
}

// --- beginning ---

async function begin() {
  for (const node of document.querySelectorAll("[data-icon]")) node.append(icon(node.dataset.icon));
  api.tokensFrom(askForToken);
  new Composer({ form: byId("composer"), box: byId("say"), menu: byId("menu"), send: said, terms: api.terms });
  byId("archive").addEventListener("submit", (event) => {
    event.preventDefault();
    said(`/search ${byId("archive-words").value}`.trim());
  });
  for (const button of document.querySelectorAll("[data-language]")) {
    button.addEventListener("click", () => {
      setLanguage(button.dataset.language);
      speak();
      offerSamples();
    });
  }
  byId("theme").addEventListener("click", switchTheme);
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", showTheme);
  showTheme();
  speak();
  offerSamples();
  byId("say").focus({ preventScroll: true });
  setServed(await api.words().catch(() => ({ en: {}, ko: {} })));
  await restore();
  await refreshRecent();
}

begin();
