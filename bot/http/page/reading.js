// What is asked of the articles that were read: terms, questions, searches. Each becomes a message.

import * as api from "./api.js";
import { hereIfSample, originTag } from "./card.js";
import { el, link } from "./dom.js";
import { currentLanguage, level, message, w } from "./words.js";

const TURNS = 3; // questions before this one that are sent along
const HITS = 8;
const SNIPPET = 220; // characters

export class Reading {
  /** `answer` says something in the channel, `said` speaks for the person, `visit` shows a digest. */
  constructor({ answer, said, visit }) {
    this.answer = answer;
    this.said = said;
    this.visit = visit;
    this.earlier = [];
  }

  async explain(term) {
    await this.orSorry(async () => {
      const found = await api.explain(term, currentLanguage());
      this.answer(
        el("p", { class: "explained-term" }, el("b", {}, found.term), this.alsoCalled(found.names)),
        ...found.said.map((one) => this.sentence(one)),
        found.easiest && el("p", { class: "context" }, w("easiest"), " ", this.source(found.easiest), ` (${level(found.easiest)})`),
        this.offers("senses", found.senses),
        this.offers("related", found.related),
      );
    });
  }

  alsoCalled(names) {
    return names.length ? el("span", { class: "context" }, ` ${w("alsoCalled", names.join(", "))}`) : null;
  }

  sentence(one) {
    const tag = one.kind === "use" ? el("span", { class: "tag" }, w("onlyUsed")) : originTag(one.origin, one.credit);
    return el(
      "div",
      { class: "explained" },
      el("p", { lang: one.language }, one.text),
      el("p", { class: "context" }, tag, one.article && this.source(one.article)),
    );
  }

  /** An article with its link, and its digest behind the title where the link is no link. */
  source({ title, link: address, digest_id: id }) {
    const name = title || address || w("untitled");
    const shown = address && /^https?:/.test(address) ? link(hereIfSample(address), name) : el("span", {}, name);
    return el("span", { class: "read-article" }, shown, " ", el("button", { type: "button", class: "quiet small", onclick: () => this.visit(id) }, w("showDigest")));
  }

  offers(key, terms) {
    if (!terms?.length) return null;
    return el(
      "p",
      { class: "offers" },
      el("span", { class: "context" }, w(key)),
      terms.map((term) =>
        el("button", { type: "button", class: "chip", onclick: () => this.said(`/explain ${term}`) }, term),
      ),
    );
  }

  async ask(question) {
    await this.orSorry(async () => {
      const found = await api.ask(question, this.earlier.slice(-TURNS));
      const understood = (found.answer ?? found.not_read).question;
      this.earlier = [...this.earlier, understood].slice(-TURNS);
      if (found.answered) this.answered(found.answer);
      else this.notRead(found.not_read);
    });
  }

  answered({ sentences, citations, language }) {
    const model = sentences.some((one) => one.origin === "model");
    this.answer(
      el(
        "p",
        { class: "answer", lang: language },
        sentences.map((one) => [one.text, " ", one.cited.map((number) => el("sup", {}, `[${number}]`)), " "]),
      ),
      el(
        "ol",
        { class: "sources" },
        citations.map((one) => el("li", { value: one.number, title: one.quote }, this.source(one))),
      ),
      el("p", { class: "context" }, w(model ? "answerWritten" : "answerQuoted")),
    );
  }

  notRead({ near }) {
    this.answer(
      el("p", {}, w("notRead")),
      near.length ? el("p", { class: "context" }, w("closest")) : null,
      near.length ? el("ul", { class: "sources" }, near.map((one) => el("li", {}, this.source(one)))) : null,
    );
  }

  async search(words) {
    await this.orSorry(async () => {
      const hits = await api.search(words, HITS);
      if (hits.length === 0) {
        this.answer(el("p", {}, w("foundNothing", words)));
        return;
      }
      this.answer(
        el("p", {}, words ? w("foundFor", words) : w("newest")),
        el("ul", { class: "hits" }, hits.map((hit) => this.hit(hit))),
      );
    });
  }

  hit(hit) {
    const { score, label } = hit.difficulty_level;
    const snippet = hit.text.length > SNIPPET ? `${hit.text.slice(0, SNIPPET)}…` : hit.text;
    const beside = [hit.site, level({ difficulty: score, label }), hit.digested_at.slice(0, 10)];
    return el(
      "li",
      {},
      el("p", {}, this.source(hit)),
      el("p", { class: "context" }, el("span", { class: "dot", "data-level": label, "aria-hidden": "true" }), " ", beside.filter(Boolean).join(" · ")),
      el("p", { class: "snippet", lang: hit.language }, snippet),
    );
  }

  async orSorry(work) {
    try {
      await work();
    } catch (error) {
      if (!error.problem) throw error;
      this.answer(el("p", {}, message(error.problem)), this.offers("near", error.problem.near));
    }
  }
}
