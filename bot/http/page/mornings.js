// Daily digests: subscribe on this machine, see what came, read past mornings. At a secret address
// (/feeds/…) only the mornings of one subscription are shown, whoever's it is.

import { call } from "./api.js";
import { el, link } from "./dom.js";
import { finder } from "./known.js";
import { currentLanguage, decimal, message, servedWord, setLanguage, setServed } from "./words.js";

const WORDS = {
  en: {
    title: "Daily digest",
    lead: "Every morning the best of what your feeds announced, of the difficulty you like.",
    archiveLead: "What was posted on past mornings.",
    yours: "Your subscriptions",
    none: "There is none yet. Subscribe below.",
    subscribe: "Subscribe", save: "Save", cancel: "Cancel", edit: "Edit", pause: "Pause", resume: "Resume",
    remove: "Remove", asFeed: "As a feed:", form: "New subscription", change: "Change the subscription",
    archive: "Past mornings", nothing: "Nothing has come yet.", removed: "The subscription is removed.",
    minutes: (n) => `${n} min read`, working: "Looking for the feeds…",
    sources: "Feeds or sites", difficulty: "Difficulty (1–5)", language: "Language of digests", include: "Only with one of these words",
    avoid: "Without these words", at: "Time", timezone: "Time zone", days: "Days", size: "At most so many a day",
    quiet: "Quiet hours", say_nothing_new: "On days without anything new",
    hint_sources: "One a line; the address of a blog is enough.", hint_difficulty: "As in 2-3.5",
    hint_include: "Separated by commas", hint_avoid: "Separated by commas", hint_days: "As in daily, weekdays, mon-fri",
    hint_quiet: "As in 22:00-07:00; empty: none", auto: "As the article", ko: "Korean", en: "English",
    yes: "Say so in one line", no: "Post nothing",
    find: "Find feeds by name", find_as: "As in Netflix, Cloudflare, arXiv", found_some: "Press one to add it above, or to take it out again.",
    found_none: "No feed in the list has that name. You can write its address above.",
  },
  ko: {
    title: "매일 아침 요약",
    lead: "구독한 피드의 새 글 가운데 원하는 난이도의 글을 매일 아침 골라 드립니다.",
    archiveLead: "지난 아침에 올라온 글입니다.",
    yours: "구독 목록",
    none: "아직 없습니다. 아래에서 구독해 보세요.",
    subscribe: "구독하기", save: "저장", cancel: "취소", edit: "바꾸기", pause: "잠시 멈춤", resume: "다시 시작",
    remove: "삭제", asFeed: "피드로 받기:", form: "새 구독", change: "구독 바꾸기",
    archive: "지난 아침", nothing: "아직 올라온 글이 없습니다.", removed: "구독을 삭제했습니다.",
    minutes: (n) => `읽는 데 ${n}분`, working: "피드를 찾고 있습니다…",
    sources: "블로그나 피드 주소", difficulty: "난이도(1–5)", language: "요약의 언어", include: "이런 말이 있는 글만",
    avoid: "이런 말이 있으면 제외", at: "시각", timezone: "시간대", days: "요일", size: "하루에 최대 몇 편",
    quiet: "조용한 시간", say_nothing_new: "새 글이 없는 날",
    hint_sources: "한 줄에 하나씩. 블로그 주소만 적어도 됩니다.", hint_difficulty: "예: 2-3.5",
    hint_include: "쉼표로 구분합니다.", hint_avoid: "쉼표로 구분합니다.", hint_days: "예: 매일, 평일, 월-금",
    hint_quiet: "예: 22:00-07:00. 비워 두면 없습니다.", auto: "글의 언어 그대로", ko: "한국어", en: "영어",
    yes: "한 줄로 알리기", no: "아무것도 올리지 않기",
    find: "이름으로 피드 찾기", find_as: "예: 카카오, Cloudflare, arXiv", found_some: "누르면 위에 추가되고, 다시 누르면 빠집니다.",
    found_none: "목록에 그런 이름의 피드가 없습니다. 위에 주소를 직접 적어도 됩니다.",
  },
};
const FIELDS = ["sources", "difficulty", "language", "include", "avoid", "at", "timezone", "days", "size", "quiet", "say_nothing_new"];
const CHOICES = { language: ["auto", "ko", "en"], say_nothing_new: ["no", "yes"] };
const HINTED = new Set(["sources", "difficulty", "include", "avoid", "days", "quiet"]);
const DEFAULTS = {
  sources: "", difficulty: "1-5", language: "auto", include: "", avoid: "", at: "08:00",
  timezone: Intl.DateTimeFormat().resolvedOptions().timeZone, days: "daily", size: "5", quiet: "", say_nothing_new: "no",
};
const secret = location.pathname.startsWith("/feeds/") ? location.pathname.split("/")[2] : null;

let known = [];
let past = null;
let editing = null;
let last = null;

function w(key, ...values) {
  const word = WORDS[currentLanguage()][key];
  return typeof word === "function" ? word(...values) : word;
}

function show(id, ...nodes) {
  document.getElementById(id).replaceChildren(...nodes.filter(Boolean));
}

function tell(words, wrong = false) {
  last = { words, wrong };
  const told = document.getElementById("told");
  told.className = wrong ? "told wrong" : "told";
  told.textContent = words === null ? "" : typeof words === "string" ? words : words[currentLanguage()];
}

async function send(path, method, body) {
  return call(path, {
    method,
    headers: body === undefined ? {} : { "Content-Type": "application/json" },
    body: body === undefined ? undefined : JSON.stringify(body),
  });
}

function act(label, run, first = false) {
  return el("button", { type: "button", class: first ? "act first" : "act", onclick: () => run().catch(trouble) }, label);
}

function trouble(error) {
  if (error.problem === undefined) throw error;
  tell({ en: error.problem.message_en, ko: error.problem.message_ko }, true);
  for (const [name, told] of Object.entries(error.problem.fields ?? {})) {
    const field = document.querySelector(`[data-field="${name}"] small`);
    field?.replaceChildren(told[currentLanguage()]);
    field?.classList.add("mistake");
  }
}

function subscription(one) {
  const told = one.told[currentLanguage()].map((line) => el("p", {}, line));
  return el(
    "article",
    { class: "subscription" },
    told,
    el("p", {}, w("asFeed"), " ", el("a", { href: one.atom }, "Atom"), " · ", el("a", { href: one.json }, "JSON")),
    el(
      "div",
      { class: "row" },
      act(one.paused ? w("resume") : w("pause"), async () => {
        await send(`/v1/subscriptions/${one.id}/pause`, "POST", { paused: !one.paused });
        await load();
      }),
      act(w("edit"), async () => {
        editing = one;
        draw();
        document.querySelector('[data-field="sources"] textarea').focus();
      }),
      act(w("remove"), async () => {
        await send(`/v1/subscriptions/${one.id}`, "DELETE");
        tell(w("removed"));
        editing = null;
        await load();
      }),
    ),
  );
}

function field(name, value) {
  const input = CHOICES[name]
    ? el("select", { name }, CHOICES[name].map((one) => el("option", { value: one, selected: one === value }, w(one))))
    : name === "sources"
      ? el("textarea", { name, rows: "3" }, value)
      : el("input", { name, value, type: name === "at" ? "time" : "text", autocomplete: "off" });
  const wide = name === "sources" ? "wide" : false;
  const hint = el("small", {}, HINTED.has(name) ? w(`hint_${name}`) : "");
  return el("label", { "data-field": name, class: wide }, w(name), input, hint);
}

function editedId() {
  return editing?.id ?? "";
}

/** What is typed already stays when the page is drawn again, in another language for example. */
function typed() {
  const shown = document.querySelector("form.wishes");
  return shown?.dataset.of === editedId() ? Object.fromEntries(new FormData(shown)) : null;
}

function form() {
  const values = typed() ?? editing?.form ?? DEFAULTS;
  const [sources, ...further] = FIELDS.map((name) => field(name, values[name]));
  const find = finder(sources.querySelector("textarea"), w);
  const node = el("form", { class: "wishes", "data-of": editedId(), lang: currentLanguage(), onsubmit: submitted }, sources, find, further);
  node.append(
    el(
      "div",
      { class: "row" },
      el("button", { type: "submit", class: "act first" }, editing === null ? w("subscribe") : w("save")),
      editing !== null &&
        act(w("cancel"), async () => {
          editing = null;
          draw();
        }),
    ),
  );
  return node;
}

async function submitted(event) {
  event.preventDefault();
  const body = { ui: currentLanguage() };
  for (const name of FIELDS) body[name] = new FormData(event.target).get(name);
  for (const hint of event.target.querySelectorAll(".mistake")) hint.classList.remove("mistake");
  tell(w("working"));
  try {
    const path = editing === null ? "/v1/subscriptions" : `/v1/subscriptions/${editing.id}`;
    const answer = await send(path, editing === null ? "POST" : "PATCH", body);
    editing = null;
    event.target.remove(); // nothing is kept of what is saved
    const { told } = await answer.json();
    await load();
    tell(told);
  } catch (error) {
    trouble(error);
  }
}

function article(one) {
  const small = [`${decimal(one.score)} / 5 · ${servedWord("labels", one.label)}`];
  if (one.minutes) small.push(w("minutes", one.minutes));
  if (one.source) small.push(one.source);
  return el("li", {}, link(one.link, one.title || one.link), el("p", { class: "small" }, small.join(" · ")), one.sentence && el("p", {}, one.sentence));
}

function morning(one) {
  const day = new Intl.DateTimeFormat(currentLanguage(), { dateStyle: "full", timeZone: "UTC" }).format(new Date(`${one.day}T00:00:00Z`));
  return el("section", { class: "morning" }, el("h3", {}, day), el("ul", {}, one.articles.map(article)));
}

function draw() {
  const language = currentLanguage();
  document.documentElement.lang = language;
  for (const button of document.querySelectorAll("[data-language]")) button.setAttribute("aria-pressed", String(button.dataset.language === language));
  show("title", w("title"));
  show("lead", secret === null ? w("lead") : (past?.about?.[language] ?? w("archiveLead")));
  document.title = `${w("title")} · SmartDevDigest`;
  if (last !== null) tell(last.words, last.wrong);
  if (secret === null) {
    show("subscriptions", el("h2", {}, w("yours")), ...(known.length ? known.map(subscription) : [el("p", {}, w("none"))]));
    // Somebody may be writing in it: it is drawn again for another subscription or language only.
    const shown = document.querySelector("form.wishes");
    if (shown?.lang !== language || shown.dataset.of !== editedId()) show("form", el("h2", {}, editing === null ? w("form") : w("change")), form());
  }
  const told = past === null || past.mornings.length === 0 ? [el("p", {}, w("nothing"))] : past.mornings.map(morning);
  show("archive", el("h2", {}, w("archive")), ...told);
}

async function load() {
  if (secret !== null) {
    past = await (await call(`/feeds/${encodeURIComponent(secret)}/mornings`)).json();
  } else {
    known = (await (await call("/v1/subscriptions")).json()).subscriptions;
    const each = await Promise.all(known.map(async (one) => (await (await call(`/v1/subscriptions/${one.id}/mornings`)).json()).mornings));
    const mornings = each.flat().sort((one, other) => (one.day < other.day ? 1 : -1));
    past = { mornings };
  }
  draw();
}

for (const button of document.querySelectorAll("[data-language]")) {
  button.addEventListener("click", () => {
    setLanguage(button.dataset.language);
    draw();
  });
}
draw();
try {
  setServed(await (await call("/v1/words")).json());
  await load();
} catch (error) {
  if (error.problem === undefined) throw error;
  tell(message(error.problem), true);
}
