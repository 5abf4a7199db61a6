// Slack: the blocks are drawn by slack-blocks-to-jsx, the thread around them by us.
import { createElement } from "react";
import { renderToStaticMarkup } from "react-dom/server";
import { Message } from "slack-blocks-to-jsx";
import { avatar, beside, escaped } from "./html.mjs";

export function slackPage(scene) {
  const [asked, ...answers] = scene.messages.map((one) => message(one, scene));
  const strip = scene.strip.map(
    (one) => `<div><h2>${escaped(one.caption)}</h2>${message(one, scene)}</div>`,
  );
  return {
    style: beside("./node_modules/slack-blocks-to-jsx/dist/style.css") + beside("./slack.css"),
    body: `
      <header><b>${escaped(scene.words.thread)}</b> <span># ${escaped(scene.words.channel)}</span></header>
      ${asked}
      <div class="replies">${escaped(scene.words.replies)}</div>
      ${answers.join("")}
      <div class="strip">${strip.join("")}</div>`,
  };
}

function message({ author, at, blocks }, scene) {
  const shown = createElement(Message, {
    blocks,
    logo: "",
    name: author.name,
    theme: scene.theme,
    withoutWrapper: true,
  });
  const app = author.bot ? `<i>${escaped(scene.words.app)}</i>` : "";
  return `<article><img src="${avatar(author)}" alt="">
    <div><p class="by"><b>${escaped(author.name)}</b>${app}<time>${escaped(at)}</time></p>
    ${renderToStaticMarkup(shown)}</div></article>`;
}
