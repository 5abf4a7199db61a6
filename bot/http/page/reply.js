// One reply of the bot to one link or text: it waits, fills in, settles, and can be asked again.

import * as api from "./api.js";
import { difficulty, digestCard, freshId, head, hereIfSample, keywords, skeleton, terms } from "./card.js";
import { el, icon } from "./dom.js";
import { decimal, message, servedWord, w } from "./words.js";

export class Reply {
  /** `ask` is what the server is asked, null when only a kept record is known. */
  constructor({ ask, announce, grown, settled }) {
    this.ask = ask;
    this.announce = announce;
    this.grown = grown;
    this.settled = settled;
    this.record = null;
    this.card = el("article", { class: "card" });
  }

  /** Shows a record that is there already. */
  show(record) {
    this.record = record;
    if (this.ask === null && record.article.url) {
      this.ask = { link: hereIfSample(record.article.url), language: "auto" };
    }
    this.draw();
  }

  draw() {
    const { section, more } = terms(this.record);
    this.card.className = "card done";
    this.card.removeAttribute("aria-busy");
    this.card.replaceChildren(...digestCard(this.record, section).filter(Boolean), this.buttons(more));
    this.grown();
  }

  /** Draws the same state again, in the language the page has now. */
  redraw() {
    if (this.record && !this.working) this.draw();
  }

  // --- while it is made ---

  async make(turn) {
    const kept = this.record;
    this.working = new AbortController();
    const { signal } = this.working;
    const view = this.placeholder();
    this.grown();
    try {
      const record = await turn(() => {
        view.status.textContent = w("fetching");
        return api.digest(this.ask, this.listeners(view), signal);
      }, signal);
      this.working = null;
      this.show(record);
      this.settled(record);
      this.announceDone(record);
    } catch (error) {
      this.working = null;
      this.failed(error, kept);
    }
  }

  announceDone(record) {
    const { score, label } = record.difficulty_level;
    const title = record.article.title ?? w("untitled");
    this.announce(w("ready", title, decimal(score), servedWord("labels", label)));
  }

  placeholder() {
    const status = el("p", { class: "stage" }, w("waiting"));
    const stop = el("button", { type: "button", class: "quiet small" }, icon("stop"), w("stop"));
    stop.addEventListener("click", () => this.working?.abort());
    const view = {
      status,
      top: el("div", { class: "slot" }, skeleton(1)),
      judged: el("div", { class: "slot" }),
      body: el("div", { class: "slot" }, skeleton(3)),
    };
    this.card.className = "card filling";
    this.card.setAttribute("aria-busy", "true");
    this.card.replaceChildren(view.top, view.judged, view.body, el("div", { class: "stage-row" }, status, stop));
    return view;
  }

  listeners(view) {
    const parts = [];
    return {
      reading: (data) => {
        view.top.replaceChildren(head(data.article));
        view.status.textContent = w("reading", data.words, data.parts);
        this.grown();
      },
      judged: (data) => {
        view.judged.replaceChildren(difficulty(data.difficulty, data.factors), keywords(data.keywords) ?? "");
        this.grown();
      },
      drafting: (data) => {
        if (parts.length === 0) {
          view.status.textContent = w("drafting");
          view.draft = el("div", { class: "draft" }, el("span", { class: "draft-tag" }, w("draft")));
          view.body.replaceChildren(view.draft);
        }
        if (!parts[data.part]) {
          parts[data.part] = el("p");
          view.draft.append(parts[data.part]);
        }
        parts[data.part].append(data.text);
        this.grown();
      },
      checking: (data) => {
        view.status.textContent = w("checking", data.sentences);
      },
    };
  }

  // --- when it does not work ---

  failed(error, kept) {
    const stopped = error.name === "AbortError";
    const problem = error.problem ?? null;
    if (!stopped && !problem) throw error;
    const sentence = stopped ? w("stopped") : message(problem);
    this.announce(sentence);
    if (kept) {
      this.record = kept;
      this.draw();
      this.say(sentence);
      return;
    }
    const retry = stopped || problem.retryable;
    this.card.className = stopped ? "card stopped" : "card trouble";
    this.card.removeAttribute("aria-busy");
    this.card.replaceChildren(
      el("p", { class: "trouble-text" }, icon("info"), el("span", {}, sentence)),
      ...(retry ? [this.retryButton()] : []),
    );
    this.grown();
  }

  retryButton() {
    const button = el("button", { type: "button", class: "small" }, icon("again"), w("retry"));
    button.addEventListener("click", () => this.again({}));
    return button;
  }

  say(sentence) {
    this.card.querySelector(".said-line")?.remove();
    this.card.append(el("p", { class: "said-line" }, sentence));
    this.grown();
  }

  // --- its buttons ---

  again(changes) {
    this.ask = { ...this.ask, ...changes };
    this.onagain?.(this);
  }

  buttons(more) {
    const other = this.record.details.language === "ko" ? "en" : "ko";
    const language = el("button", { type: "button", class: "small" }, icon("globe"), el("span", { lang: other }, w(other === "ko" ? "otherKo" : "otherEn")));
    const again = el("button", { type: "button", class: "small", title: w("againTitle") }, icon("again"), w("again"));
    language.addEventListener("click", () => this.again({ language: other, again: false }));
    again.addEventListener("click", () => this.again({ language: this.record.details.language, again: true }));
    return el(
      "div",
      { class: "actions", role: "group", "aria-label": w("actions") },
      el("div", { class: "action-group" }, more && this.termsButton(more), this.questionsButton()),
      el("div", { class: "action-group" }, ...this.verdictButtons()),
      this.ask !== null && el("div", { class: "action-group" }, language, again),
    );
  }

  termsButton({ id, rows, count }) {
    const button = el("button", { type: "button", class: "small", "aria-expanded": "false", "aria-controls": id }, icon("book"), w("termsAll", count));
    button.addEventListener("click", () => {
      const open = button.getAttribute("aria-expanded") !== "true";
      button.setAttribute("aria-expanded", String(open));
      for (const row of rows) row.hidden = !open;
    });
    return button;
  }

  questionsButton() {
    const id = freshId("questions");
    const section = el("section", { class: "part questions", id, hidden: true, lang: this.record.details.language });
    const button = el("button", { type: "button", class: "small", "aria-expanded": "false", "aria-controls": id }, icon("ask"), w("questions"));
    button.addEventListener("click", async () => {
      const open = button.getAttribute("aria-expanded") !== "true";
      button.setAttribute("aria-expanded", String(open));
      section.hidden = !open;
      if (!section.isConnected) this.card.querySelector(".context").before(section);
      if (open && !section.dataset.full) await this.fillQuestions(section);
    });
    return button;
  }

  async fillQuestions(section) {
    section.replaceChildren(el("h4", {}, w("questionsTitle")), el("p", { class: "stage" }, w("questionsBusy")));
    this.announce(w("questionsBusy"));
    try {
      const list = await api.questions(this.record.id);
      section.dataset.full = "yes";
      const body = list.length ? el("ol", {}, list.map((one) => el("li", {}, one))) : el("p", {}, w("questionsNone"));
      section.replaceChildren(el("h4", {}, w("questionsTitle")), body);
      this.announce([w("questionsTitle"), ...list].join(". "));
    } catch (error) {
      if (!error.problem) throw error;
      section.replaceChildren(el("h4", {}, w("questionsTitle")), el("p", { class: "trouble-text" }, message(error.problem)));
    }
    this.grown();
  }

  verdictButtons() {
    const make = (verdict, content, label, rival) => {
      const button = el("button", { type: "button", class: "small", "aria-pressed": "false", "aria-label": label, title: label, "data-verdict": verdict }, ...content);
      button.addEventListener("click", () => this.judge(button, verdict, rival));
      return button;
    };
    return [
      make("too_easy", [w("tooEasy")], w("tooEasy"), "too_hard"),
      make("too_hard", [w("tooHard")], w("tooHard"), "too_easy"),
      make("good", [icon("up")], w("good"), "bad"),
      make("bad", [icon("down")], w("bad"), "good"),
    ];
  }

  async judge(button, verdict, rival) {
    try {
      await api.sendVerdict(this.record.id, verdict);
    } catch (error) {
      if (!error.problem) throw error;
      this.say(message(error.problem));
      this.announce(message(error.problem));
      return;
    }
    this.card.querySelector(`[data-verdict="${rival}"]`).setAttribute("aria-pressed", "false");
    button.setAttribute("aria-pressed", "true");
    this.say(w("thanks"));
    this.announce(w("thanks"));
  }
}
