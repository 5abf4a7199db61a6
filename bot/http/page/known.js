// Feeds to choose from, without knowing an address: the catalogue, searched while somebody types.
// What is pressed goes into the field of addresses, and out of it when it is pressed again.

import { call } from "./api.js";
import { el } from "./dom.js";

const SHOWN = 8;
const PAUSE = 150; // milliseconds after a letter

function lines(field) {
  return field.value.split(/[\s,]+/).filter(Boolean);
}

/** `field` holds the addresses, `w` has the words. */
export function finder(field, w) {
  const box = el("input", { type: "search", id: "find", autocomplete: "off", maxlength: "200", placeholder: w("find_as") });
  const found = el("ul", { class: "found" });
  const told = el("p", { class: "small", role: "status" });
  const node = el("div", { class: "finder wide" }, el("label", { for: "find" }, w("find")), box, found, told);
  let turn = 0;
  let waiting = null;

  function mark() {
    const there = new Set(lines(field));
    for (const button of found.querySelectorAll("button")) button.setAttribute("aria-pressed", String(there.has(button.dataset.url)));
  }

  function press(url) {
    const there = lines(field);
    const without = there.filter((one) => one !== url);
    field.value = (without.length < there.length ? without : [...there, url]).join("\n");
    mark();
  }

  function show(feeds, typed) {
    node.hidden = feeds.length === 0 && !typed; // there is no catalogue
    found.replaceChildren(
      ...feeds.map(({ title, url, site }) =>
        el("li", {}, el("button", { type: "button", "data-url": url, title: url, onclick: () => press(url) }, el("b", {}, title), " ", el("span", {}, site))),
      ),
    );
    told.textContent = feeds.length === 0 ? w("found_none") : w("found_some");
    mark();
  }

  /** What comes late is not shown, and what goes wrong shows nothing: addresses can still be written. */
  async function look() {
    const asked = ++turn;
    const typed = box.value.trim();
    const answer = await call(`/v1/feeds/known?limit=${SHOWN}&q=${encodeURIComponent(typed)}`).catch(() => null);
    if (answer === null || asked !== turn) return;
    const { feeds } = await answer.json();
    if (asked === turn) show(feeds, typed);
  }

  box.addEventListener("focus", () => found.childElementCount === 0 && look());
  box.addEventListener("input", () => {
    clearTimeout(waiting);
    waiting = setTimeout(look, PAUSE);
  });
  box.addEventListener("keydown", (event) => {
    if (event.key !== "Enter") return;
    event.preventDefault(); // the form is not ready to be sent
    if (!event.isComposing) found.querySelector('[aria-pressed="false"]')?.click();
  });
  field.addEventListener("input", mark);
  return node;
}
