// SPDX-License-Identifier: Apache-2.0
// The request at hand as code that can be run elsewhere.

const pretty = (value) => JSON.stringify(value, null, 2);

/** A text as a Python literal: JSON's strings are Python's too, as long as every surrogate has its other half. */
const pythonText = (text) => JSON.stringify(text.toWellFormed?.() ?? text);

/** A JSON value as a Python literal. */
function python(value, indent) {
  const inner = indent + "    ";
  if (value === null) return "None";
  if (value === true) return "True";
  if (value === false) return "False";
  if (typeof value === "string") return pythonText(value);
  if (typeof value !== "object") return String(value);
  const isList = Array.isArray(value);
  const items = isList
    ? value.map((item) => python(item, inner))
    : Object.entries(value).map(([key, item]) => `${pythonText(key)}: ${python(item, inner)}`);
  const [open, close] = isList ? ["[", "]"] : ["{", "}"];
  if (!items.length) return open + close;
  const short = open + items.join(", ") + close;
  if (short.length + indent.length <= 88 && !short.includes("\n")) return short;
  return `${open}\n${items.map((item) => inner + item).join(",\n")},\n${indent}${close}`;
}

/**
 * @param request `{origin, body, schema, instruction, needsKey}`: the body of `/v1/transform`, and what the spec stands
 *   for, or null where that is not known.
 */
export const snippets = {
  curl({ origin, body, needsKey }) {
    const key = needsKey ? ` \\\n  -H "Authorization: Bearer $FORMWORK_API_KEY"` : "";
    return `curl -s ${origin}/v1/transform${key} \\\n  -H 'Content-Type: application/json' \\\n`
      + `  --data-binary @- <<'JSON'\n${pretty(body)}\nJSON\n`;
  },

  python({ origin, body, schema, instruction, needsKey }) {
    if (!schema) return "# The spec has problems: once it has none, its JSON Schema is shown here.\n";
    const options = [["temperature", body.temperature], ["seed", body.seed], ["max_tokens", body.max_tokens]]
      .filter(([, value]) => value !== undefined).map(([name, value]) => `    ${name}=${value},\n`).join("");
    return `import json${needsKey ? "\nimport os" : ""}\n\nfrom openai import OpenAI\n\n`
      + `client = OpenAI(base_url="${origin}/v1", api_key=${needsKey ? 'os.environ["FORMWORK_API_KEY"]' : '"none"'})\n\n`
      + `schema = ${python(schema, "")}\n\n`
      + `text = ${pythonText(body.text)}\n\n`
      + `answer = client.chat.completions.create(\n    model=${pythonText(body.model ?? "")},\n    messages=[\n`
      + `        {"role": "system", "content": ${pythonText(instruction)}},\n`
      + `        {"role": "user", "content": text},\n    ],\n`
      + `    response_format={\n        "type": "json_schema",\n`
      + `        "json_schema": {"name": "document", "schema": schema, "strict": True},\n    },\n${options})\n`
      + `document = json.loads(answer.choices[0].message.content)\nprint(document)\n`;
  },

  javascript({ origin, body, needsKey }) {
    const key = needsKey ? "\n    Authorization: `Bearer ${process.env.FORMWORK_API_KEY}`," : "";
    return `const response = await fetch("${origin}/v1/transform", {\n  method: "POST",\n`
      + `  headers: {\n    "Content-Type": "application/json",${key}\n  },\n`
      + `  body: JSON.stringify(${pretty(body).replaceAll("\n", "\n  ")}),\n});\n`
      + `const answer = await response.json();\n`
      + `if (!response.ok) throw new Error(answer.error.message);\nconsole.log(answer.value);\n`;
  },
};

export const notes = {
  curl: "the native route",
  python: "the openai client, unmodified",
  javascript: "fetch, the native route",
};
