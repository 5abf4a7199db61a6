// Discord: the thread and its messages are @skyra/discord-components-core's web components. They
// know no Components V2, so containers, text displays, separators and buttons are drawn by us.
import { build } from "esbuild";
import { fileURLToPath } from "node:url";
import { avatar, beside, escaped } from "./html.mjs";
import { markdown } from "./markdown.mjs";

const CONTAINER = 17, TEXT = 10, SEPARATOR = 14, ROW = 1, BUTTON = 2;
const STYLES = { 1: "primary", 2: "secondary", 3: "success", 4: "danger" };

const DRAWN = {
  [CONTAINER]: (one) => {
    const colour = (one.accent_color ?? 0).toString(16).padStart(6, "0");
    return `<section class="container" style="--accent: #${colour}">${all(one.components)}</section>`;
  },
  [TEXT]: (one) => `<div class="text">${markdown(one.content)}</div>`,
  [SEPARATOR]: (one) => `<hr class="${one.divider ? "" : "bare"} room-${one.spacing}">`,
  [ROW]: (one) => `<div class="row">${all(one.components)}</div>`,
  [BUTTON]: (one) => {
    const emoji = one.emoji ? `<span class="emoji">${escaped(one.emoji.name)}</span>` : "";
    const off = one.disabled ? "disabled" : "";
    return `<button class="${STYLES[one.style]}" ${off}>${emoji}${escaped(one.label ?? "")}</button>`;
  },
};

export async function discordPage(scene) {
  const light = scene.theme === "light" ? "light-theme" : "";
  const [asked, ...answers] = scene.messages.map((one) => message(one, light));
  const strip = scene.strip.map(
    (one) => `<div><h2>${escaped(one.caption)}</h2>
      <discord-messages ${light}>${message(one, light)}</discord-messages></div>`,
  );
  return {
    style: beside("./discord.css"),
    body: `
      <header><span># ${escaped(scene.words.channel)}</span> <span>›</span> <b>${escaped(scene.words.thread)}</b></header>
      <discord-messages ${light}>${asked}${answers.join("")}</discord-messages>
      <div class="strip">${strip.join("")}</div>
      <script>${await components()}</script>`,
  };
}

function message({ author, at, text, components: shown }, light) {
  return `<discord-message ${light} author="${escaped(author.name)}" avatar="${avatar(author)}"
    timestamp="${escaped(at)}" ${author.bot ? "bot" : ""}>${text ? markdown(text) : ""}
    ${shown ? `<div slot="components">${all(shown)}</div>` : ""}</discord-message>`;
}

function all(components) {
  return components.map((one) => {
    if (!(one.type in DRAWN)) throw new Error(`a component of type ${one.type} cannot be drawn`);
    return DRAWN[one.type](one);
  }).join("");
}

async function components() {
  const made = await build({
    stdin: {
      contents: 'import "@skyra/discord-components-core";',
      resolveDir: fileURLToPath(new URL(".", import.meta.url)),
    },
    bundle: true,
    minify: true,
    write: false,
    format: "iife",
  });
  return made.outputFiles[0].text.replaceAll("</script", "<\\/script");
}
