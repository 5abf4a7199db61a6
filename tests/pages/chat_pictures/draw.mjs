// A scene as JSON on standard input becomes a page on standard output; nothing is fetched.
import { readFileSync } from "node:fs";
import { discordPage } from "./discord.mjs";
import { slackPage } from "./slack.mjs";

const scene = JSON.parse(readFileSync(0, "utf8"));
const draw = { slack: slackPage, discord: discordPage }[scene.platform];
const { style, body } = await draw(scene);
process.stdout.write(`<!doctype html>
<html lang="${scene.ui}" data-theme="${scene.theme}">
<meta charset="utf-8"><title>${scene.platform}</title>
<style>${style}</style>
<body>${body}</body></html>`);
