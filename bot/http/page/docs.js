// Shows openapi.json as a page, without anything from another machine.

import { el } from "./dom.js";

const EXAMPLE = `curl -X POST ${location.origin}/v1/digest \\
  -H 'Content-Type: application/json' \\
  -d '{"link": "${location.origin}/samples/write-ahead-logging.html"}'`;

function kind(schema = {}) {
  if (schema.enum) return schema.enum.join(" | ");
  if (schema.anyOf) return schema.anyOf.map(kind).join(" or ");
  if (schema.$ref) return schema.$ref.split("/").at(-1);
  return schema.type ?? "any";
}

function rows(entries) {
  if (entries.length === 0) return null;
  return el(
    "table",
    {},
    entries.map(([name, type, note]) => el("tr", {}, el("th", {}, el("code", {}, name)), el("td", {}, type), el("td", {}, note))),
  );
}

function bodies(operation) {
  const schema = operation.requestBody?.content?.["application/json"]?.schema;
  if (!schema) return [];
  return (schema.anyOf ?? [schema]).map((one) =>
    el(
      "details",
      {},
      el("summary", {}, `Body: ${one.title}`),
      rows(
        Object.entries(one.properties ?? {}).map(([name, value]) => [
          name,
          kind(value),
          (one.required ?? []).includes(name) ? "required" : "",
        ]),
      ),
    ),
  );
}

function address(path, method, operation) {
  const parameters = (operation.parameters ?? []).map((one) => [one.name, kind(one.schema), one.required ? "required" : ""]);
  return el(
    "section",
    {},
    el("h2", {}, el("span", { class: "method" }, method.toUpperCase()), el("code", {}, path), el("span", {}, operation.summary ?? "")),
    operation.description && el("p", {}, operation.description),
    rows(parameters),
    bodies(operation),
  );
}

const answer = await fetch("/openapi.json");
const description = await answer.json();
document.getElementById("example").textContent = EXAMPLE;
document.getElementById("addresses").append(
  ...Object.entries(description.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => address(path, method, operation)),
  ),
);
