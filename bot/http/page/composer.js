// The message box: it grows with its text, completes commands, and knows what was meant.

import { el } from "./dom.js";
import { w } from "./words.js";

export const MAX_LINKS = 10;
const TEXT_FROM = 400; // characters without a link from which a message is taken for an article
const COMMANDS = [
  { name: "/digest", argument: "argLink", about: "cmdDigest" },
  { name: "/explain", argument: "argTerm", about: "cmdExplain" },
  { name: "/ask", argument: "argQuestion", about: "cmdAsk" },
  { name: "/search", argument: "argWords", about: "cmdSearch" },
  { name: "/help", argument: null, about: "cmdHelp" },
];

/** The links in a message, each once, without the punctuation that belongs to the sentence. */
export function linksIn(text) {
  const found = text.match(/https?:\/\/[^\s<>"'`|]+/gi) ?? [];
  return [...new Set(found.map(trimmed))];
}

function trimmed(raw) {
  let link = raw.replace(/[.,;:!?…。、，]+$/u, "");
  while (/[)\]}]$/.test(link) && unbalanced(link)) link = link.slice(0, -1).replace(/[.,;:!?]+$/, "");
  return link;
}

function unbalanced(link) {
  const closing = link.at(-1);
  const opening = { ")": "(", "]": "[", "}": "{" }[closing];
  return link.split(closing).length > link.split(opening).length;
}

/** What a message means, as a value. */
export function meaning(text) {
  const said = text.trim();
  if (!said) return { kind: "nothing" };
  if (/^\/[a-z]+(\s|$)/i.test(said)) return command(said);
  const links = linksIn(said);
  if (links.length > 0) return { kind: "links", links };
  if (said.length >= TEXT_FROM) return { kind: "text", text: said };
  // A sentence that asks is a question to what was read.
  return /[?？]\s*$/.test(said) ? { kind: "ask", question: said } : { kind: "unclear" };
}

function command(said) {
  const [name, ...rest] = said.split(/\s+/);
  const argument = rest.join(" ").trim();
  switch (name.toLowerCase()) {
    case "/digest": {
      const links = linksIn(argument);
      if (links.length > 0) return { kind: "links", links };
      // Not a link to our eyes: the server says in a sentence what is wrong with it.
      return argument ? { kind: "links", links: [argument] } : { kind: "needs", what: "needsLink" };
    }
    case "/explain":
      return argument ? { kind: "explain", term: argument } : { kind: "needs", what: "needsTerm" };
    case "/ask":
      return argument ? { kind: "ask", question: argument } : { kind: "needs", what: "needsQuestion" };
    case "/search":
      return { kind: "search", words: argument };
    case "/help":
      return { kind: "help" };
    default:
      return { kind: "unknown", name };
  }
}

export function commandList() {
  return el(
    "ul",
    { class: "commands" },
    COMMANDS.map(({ name, argument, about }) =>
      el("li", {}, el("code", {}, argument ? `${name} <${w(argument)}>` : name), " ", w(about)),
    ),
  );
}

export class Composer {
  constructor({ form, box, menu, send, terms }) {
    this.terms = terms;
    this.asked = 0;
    this.box = box;
    this.menu = menu;
    this.send = send;
    this.chosen = 0;
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.submit();
    });
    box.addEventListener("input", () => this.changed());
    box.addEventListener("keydown", (event) => this.key(event));
    box.addEventListener("blur", () => this.close());
  }

  submit() {
    const text = this.box.value;
    if (!text.trim()) return;
    this.box.value = "";
    this.changed();
    this.send(text);
  }

  changed() {
    this.grow();
    const typed = /^\/[a-z]*$/i.exec(this.box.value);
    const fitting = typed ? COMMANDS.filter(({ name }) => name.startsWith(typed[0].toLowerCase())) : [];
    const term = /^\/explain\s+(\S.{0,60})$/i.exec(this.box.value);
    if (term) this.offerTerms(term[1]);
    else if (fitting.length === 0) this.close();
    else this.open(fitting);
  }

  /** Terms that can be explained, while one is typed; an answer that comes late is not shown. */
  async offerTerms(typed) {
    const turn = ++this.asked;
    const found = await this.terms(typed).catch(() => []);
    if (turn !== this.asked || !this.box.value.startsWith("/explain")) return;
    if (found.length === 0 || found[0] === typed) this.close();
    else this.open(found.map((term) => ({ name: `/explain ${term}`, argument: null, about: null })));
  }

  grow() {
    this.box.style.setProperty("height", "auto");
    this.box.style.setProperty("height", `${Math.min(this.box.scrollHeight, 180)}px`);
  }

  open(fitting) {
    this.fitting = fitting;
    this.chosen = 0;
    const rows = fitting.map((one, index) =>
      el(
        "div",
        {
          class: "option",
          role: "option",
          id: `option-${index}`,
          // mousedown, since a click would come after the box lost its focus and the menu closed
          onmousedown: (event) => {
            event.preventDefault();
            this.complete(one);
          },
        },
        el("code", {}, one.argument ? `${one.name} <${w(one.argument)}>` : one.name),
        one.about && el("span", {}, w(one.about)),
      ),
    );
    this.menu.replaceChildren(...rows);
    this.menu.hidden = false;
    this.chose = false;
    this.box.setAttribute("aria-expanded", "true");
    this.mark(0);
  }

  close() {
    this.fitting = [];
    this.menu.hidden = true;
    this.box.setAttribute("aria-expanded", "false");
    this.box.removeAttribute("aria-activedescendant");
  }

  mark(index) {
    this.chosen = (index + this.fitting.length) % this.fitting.length;
    [...this.menu.children].forEach((row, at) => row.setAttribute("aria-selected", String(at === this.chosen)));
    this.box.setAttribute("aria-activedescendant", `option-${this.chosen}`);
  }

  complete({ name, argument }) {
    this.box.value = argument ? `${name} ` : name;
    this.close();
    this.box.focus();
    if (!argument) this.submit();
  }

  key(event) {
    if (event.isComposing) return; // Enter ends a Korean syllable first
    if (!this.menu.hidden && this.menuKey(event)) {
      event.preventDefault();
      return;
    }
    if (event.key === "Enter" && !event.shiftKey) {
      event.preventDefault();
      this.submit();
    }
  }

  menuKey(event) {
    switch (event.key) {
      case "ArrowDown":
        this.chose = true;
        this.mark(this.chosen + 1);
        return true;
      case "ArrowUp":
        this.chose = true;
        this.mark(this.chosen - 1);
        return true;
      case "Enter":
        // a term may be finished although longer ones are offered
        if (!this.chose && this.fitting[0].about === null) {
          this.close();
          return false;
        }
        this.complete(this.fitting[this.chosen]);
        return true;
      case "Tab":
        this.complete(this.fitting[this.chosen]);
        return true;
      case "Escape":
        this.close();
        return true;
      default:
        return false;
    }
  }
}
