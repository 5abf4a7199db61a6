// What both platforms' pages are made of.
import { readFileSync } from "node:fs";

const NAMED = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;" };

export const escaped = (text) => text.replace(/[&<>"]/g, (char) => NAMED[char]);

export const beside = (name) => readFileSync(new URL(name, import.meta.url), "utf8");

/** The bot's sign, or a person's first letter on a colour. */
export function avatar({ name, colour, bot }) {
  const inside = bot
    ? '<path d="M9 10h14M9 16h14M9 22h8" stroke="#fff" stroke-width="3" stroke-linecap="round"/>'
    : `<text x="16" y="22" text-anchor="middle" font-family="Lato, Noto Sans CJK KR" font-size="17"
         font-weight="700" fill="#fff">${escaped(name[0])}</text>`;
  const drawn = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 32 32">
    <rect width="32" height="32" fill="${colour}"/>${inside}</svg>`;
  return `data:image/svg+xml,${encodeURIComponent(drawn)}`;
}
