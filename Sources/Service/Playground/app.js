// SPDX-License-Identifier: Apache-2.0
// The playground: a page over the routes that every client has.

import { count, DocumentView, duration, level, make, story, visible } from "./document.js";
import { SpecEditor } from "./editor.js";
import { samples } from "./samples.js";
import { notes, snippets } from "./snippets.js";

const $ = (id) => document.getElementById(id);

/** A refusal by the service, with what it tells about it. */
class Refusal extends Error {
  constructor(error, status) {
    super(error?.message ?? `the service answered with status ${status}`);
    Object.assign(this, { code: error?.code ?? "", parameter: error?.param, pointer: error?.pointer, status });
  }
}

// What is kept: the inputs and the key until the tab is closed, the colours for good. Storage may be switched off.
const keep = {
  get(store, name) { try { return store().getItem(`formwork.${name}`); } catch { return null; } },
  set(store, name, value) {
    try {
      if (value) store().setItem(`formwork.${name}`, value);
      else store().removeItem(`formwork.${name}`);
    } catch { /* Nothing is kept then. */ }
  },
};
const tab = () => sessionStorage;
const forGood = () => localStorage;

const editor = new SpecEditor({ box: $("specEditor"), list: $("problems") });
const view = new DocumentView({
  text: $("document"), strip: $("strip"), inspector: $("inspector"), under: $("under"), empty: $("empty"),
});

let running = null; // The AbortController of the request at hand.
let answer = null; // The last event of the last answer.
let checked = null; // What /v1/check said about the spec at hand.
let needsKey = false;

function announce(text) { $("live").textContent = text; }

// MARK: The service

function headers() {
  const key = $("key").value.trim();
  return { "Content-Type": "application/json", ...(key ? { Authorization: `Bearer ${key}` } : {}) };
}

async function call(path, body, signal) {
  let response;
  try {
    response = await fetch(path, {
      method: body === undefined ? "GET" : "POST", headers: headers(), signal,
      body: body === undefined ? undefined : JSON.stringify(body),
    });
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new Refusal({ message: "The service cannot be reached. Is it still running?", code: "network" }, 0);
  }
  if (response.ok) return response;
  let error = null;
  try { error = (await response.json()).error; } catch { /* The status has to say it. */ }
  const refusal = new Refusal(error, response.status);
  if (response.status === 401) askForKey();
  refusal.after = response.headers.get("Retry-After");
  throw refusal;
}

/** The server-sent events of a response. */
async function* events(response) {
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  let rest = "";
  for (;;) {
    const { value, done } = await reader.read();
    if (done) return;
    const parts = (rest + value).split("\n\n");
    rest = parts.pop();
    for (const part of parts) {
      let name = "message";
      let data = "";
      for (const line of part.split("\n")) {
        if (line.startsWith("event: ")) name = line.slice(7);
        else if (line.startsWith("data: ")) data += line.slice(6);
      }
      if (data) yield { name, data: JSON.parse(data) };
    }
  }
}

// MARK: Models and the key

function askForKey() {
  needsKey = true;
  if (!$("keyBox").open) {
    $("keyBox").open = true;
    $("key").focus();
  }
  $("keyState").textContent = $("key").value ? "API key is wrong" : "API key needed";
}

async function loadModels() {
  try {
    const list = await (await call("/v1/models")).json();
    const before = $("model").value || keep.get(tab, "model");
    $("model").replaceChildren(...list.data.map(({ id }) => make("option", { value: id, textContent: id })));
    if (list.data.some(({ id }) => id === before)) $("model").value = before;
    if ($("key").value) {
      needsKey = true;
      $("keyState").textContent = "API key set";
    }
    watchReadiness();
    drawCode();
  } catch (error) {
    ready(error.status === 401 ? "" : "down", error.status === 401 ? "" : "not reachable");
  }
}

function ready(state, text) {
  $("ready").dataset.is = state;
  $("ready").textContent = text;
}

async function watchReadiness() {
  for (let turn = 0; turn < 60; turn += 1) {
    let response = null;
    try { response = await fetch("/ready"); } catch { /* Told below. */ }
    if (!response) return ready("down", "not reachable");
    if (response.ok) return ready("ready", "ready");
    ready("loading", "model is loading");
    await new Promise((done) => setTimeout(done, 1000));
  }
  return ready("loading", "loads on first use");
}

// MARK: Inputs

function number(id) {
  const text = $(id).value.trim();
  return text === "" ? undefined : Number(text);
}

/** The body of the request, in the order in which it is read best. */
function requestBody() {
  return {
    model: $("model").value || undefined, text: $("text").value, spec: editor.value,
    instruction: $("instruction").value.trim() || undefined, temperature: number("temperature"),
    seed: number("seed"), max_tokens: number("maxTokens"),
  };
}

function drawInputs() {
  const length = $("text").value.length;
  $("textCount").textContent = length ? `${count.format(length)} characters` : "";
  const set = [
    ["temperature", "temperature"], ["seed", "seed"], ["at most", "maxTokens"],
  ].filter(([, id]) => $(id).value).map(([name, id]) => `${name} ${$(id).value}`);
  if ($("instruction").value.trim()) set.unshift("own instruction");
  $("optionsState").textContent = set.join(", ") || "greedy, at most 512 tokens";
  drawCode();
}

const optionFields = ["instruction", "temperature", "seed", "maxTokens"];

function keepInputs() {
  const fields = Object.fromEntries(["text", "spec", "sample", ...optionFields].map((id) => [id, $(id).value]));
  keep.set(tab, "inputs", JSON.stringify(fields));
}

let checking = null;
let checkTimer = 0;

function checkSoon() {
  clearTimeout(checkTimer);
  checking?.abort();
  checked = null;
  checkTimer = setTimeout(check, 350);
}

/** Asks the service about the spec, and shows its problems at their lines. */
async function check() {
  const text = editor.value;
  checking?.abort();
  if (!text.trim()) {
    editor.show([]);
    $("specState").textContent = "a short spec, or JSON Schema";
    return drawCode();
  }
  checking = new AbortController();
  try {
    const result = await (await call("/v1/check", { spec: text }, checking.signal)).json();
    if (text !== editor.value) return;
    checked = result;
    editor.show(result.problems);
    const errors = result.problems.filter((problem) => problem.severity === "error").length;
    const notes = result.problems.length - errors;
    const parts = [];
    if (errors) parts.push(errors === 1 ? "1 problem" : `${errors} problems`);
    if (notes) parts.push(notes === 1 ? "1 remark" : `${notes} remarks`);
    $("specState").textContent = parts.length
      ? parts.join(", ") : result.form === "short" ? "short spec, no problems" : "JSON Schema, no problems";
    if (errors) announce(`The spec has ${parts.join(", ")}.`);
    drawCode();
  } catch (error) {
    if (error.name !== "AbortError") $("specState").textContent = error.status === 401 ? "not checked" : error.message;
  }
}

// MARK: Samples

let replaced = null;

function useSample(index) {
  const sample = samples[index];
  if (!sample) return;
  const own = { text: $("text").value, spec: editor.value };
  const isOwn = (own.text || own.spec) && !samples.some((one) => one.text === own.text && one.spec === own.spec);
  replaced = isOwn ? own : null;
  $("restore").hidden = !isOwn;
  setInputs(sample);
}

function setInputs({ text, spec }) {
  $("text").value = text;
  editor.value = spec;
  drawInputs();
  keepInputs();
  check();
}

// MARK: The run

function verdict(state, text) {
  $("verdict").dataset.is = state;
  $("verdict").textContent = text;
  $("result").dataset.state = state;
}

/** Figures as `[name, value, unit or remark]`. */
function figures(list) {
  $("figures").replaceChildren(...list.map(([name, value, remark]) => make("div", {},
    make("dt", { textContent: name }),
    make("dd", {}, value, ...(remark ? [make("small", { textContent: remark })] : [])))));
}

/** What the time went to: a bar, and its key. It has its place before it is known, so that nothing moves then. */
function drawParts(times) {
  const list = [
    ["Waiting", times?.wait, "wait"], ["Compiling", times?.compile, "compile"], ["Prompt", times?.prefill, "prompt"],
    ["Decoding", times?.decode, "decode"], ["Masks", times?.constraint, "masks"],
  ];
  $("split").replaceChildren(...(times ? list : []).map(([, time, colour]) => {
    const part = make("span", { className: `key-${colour}` });
    part.style.flexGrow = String(Math.max(time, 0.001));
    return part;
  }));
  $("parts").replaceChildren(...list.map(([name, time, colour]) => make("div", {},
    make("dt", {}, make("i", { className: `key-${colour}`, ariaHidden: "true" }), name),
    make("dd", { textContent: time === undefined ? "–" : duration(time) }))));
}

function drawFailure(error) {
  const box = $("failure");
  box.hidden = !error;
  if (!error) return box.replaceChildren();
  const facts = [["Code", error.code], ["Field", error.parameter], ["Pointer", error.pointer]].filter(([, value]) => value);
  if (error.after) facts.push(["Try again after", `${error.after} s`]);
  const place = { 401: "key", 404: "model" }[error.status]
    ?? { spec: "spec", schema: "spec", text: "text", model: "model", max_tokens: "maxTokens", instruction: "instruction",
      temperature: "temperature", seed: "seed" }[error.parameter]
    ?? { "generation.budget-too-small": "maxTokens", context_length_exceeded: "text" }[error.code];
  const children = [
    make("strong", { textContent: error.status ? `Refused with status ${error.status}` : "The run failed" }),
    make("p", { textContent: error.message }),
    make("dl", {}, ...facts.map(([name, value]) =>
      make("div", {}, make("dt", { textContent: name }), make("dd", { textContent: value })))),
  ];
  if (place) {
    const names = { key: "the API key", spec: "the spec", text: "the text", model: "the model", maxTokens: "the most tokens",
      instruction: "the instruction", temperature: "the temperature", seed: "the seed" };
    const button = make("button", { type: "button", className: "secondary small", textContent: `Go to ${names[place]}` });
    button.addEventListener("click", () => {
      if (optionFields.includes(place)) $("options").open = true;
      if (place === "key") $("keyBox").open = true;
      if (place === "spec") {
        const problem = editor.problems.find((one) => one.pointer === error.pointer) ?? editor.problems[0];
        return editor.go(problem?.place);
      }
      $(place).focus();
    });
    children.push(button);
  }
  box.replaceChildren(...children);
}

/** The rows of the fields, as their events come. */
const fields = {
  rows: new Map(),
  waiting: [],
  clear() {
    this.rows.clear();
    this.waiting = [];
    $("fieldRows").replaceChildren();
    $("fieldCount").textContent = "";
    $("noFields").hidden = false;
  },
  take(event) {
    if (event.type === "start") {
      if (event.kind === "object" || event.kind === "array") return;
      const cells = ["pointer", "value", "number", "number", "number"].map((name) => make("td", { className: name }));
      cells[0].textContent = event.pointer || "/";
      const row = make("tr", { className: "open" }, ...cells);
      $("fieldRows").append(row);
      this.rows.set(event.pointer, { row, cells });
      $("fieldCount").textContent = String(this.rows.size);
      $("noFields").hidden = true;
      return;
    }
    const known = this.rows.get(event.pointer);
    if (!known) return;
    if (event.type === "delta") known.cells[1].textContent += event.text;
    else {
      known.row.className = "";
      const value = event.value;
      known.cells[1].textContent = typeof value === "string" ? value || '""' : JSON.stringify(value);
      this.waiting.push(event.pointer);
    }
  },
  /** After the token with which the waiting fields ended. */
  settle(milliseconds) {
    for (const pointer of this.waiting) {
      const known = this.rows.get(pointer);
      const value = view.values.get(pointer);
      known.cells[2].textContent = value ? String(value.tokens) : "";
      known.cells[3].textContent = value?.most ? count.format(value.most) : "forced";
      known.cells[4].textContent = duration(milliseconds);
    }
    this.waiting = [];
  },
};

function addTokenRows(tokens) {
  const first = view.tokens.length - tokens.length;
  $("tokenRows").append(...tokens.map((token, index) => make("tr", {},
    make("td", { className: "number", textContent: String(first + index + 1) }),
    make("td", { className: "piece", textContent: visible(token.text) }),
    make("td", { className: "how" },
      make("i", { className: token.allowed ? `c${level(token.allowed)}` : token.origin, ariaHidden: "true" }), story(token)),
    make("td", { className: "number", textContent: token.allowed ? count.format(token.allowed) : "–" }),
    make("td", { className: "number", textContent: duration(token.milliseconds) }))));
  $("tokenCount").textContent = String(view.tokens.length);
  $("noTokens").hidden = true;
}

function switchButton(id, isOn) { $(id).setAttribute("aria-disabled", String(!isOn)); }

function clearResult() {
  answer = null;
  view.clear();
  fields.clear();
  $("tokenRows").replaceChildren();
  $("tokenCount").textContent = "";
  $("noTokens").hidden = false;
  drawParts(null);
  switchButton("copyDocument", false);
  drawFailure(null);
}

async function run() {
  if (running) return;
  running = new AbortController();
  clearResult();
  // Buttons that are off can still have the focus, so that it is not lost while something runs.
  switchButton("run", false);
  switchButton("cancel", true);
  $("measures").hidden = false;
  $("document").classList.add("growing");
  $("document").setAttribute("aria-busy", "true");
  verdict("running", "Waiting");
  announce("Running");
  if (window.matchMedia("(max-width: 900px)").matches) $("result").scrollIntoView({ block: "start" });

  const began = performance.now();
  let firstToken = null;
  let promptTokens = null;
  let batch = [];
  let frame = 0;
  const draw = () => {
    cancelAnimationFrame(frame);
    frame = 0;
    if (batch.length > 0) {
      view.add(batch);
      addTokenRows(batch);
      fields.settle(batch.at(-1).milliseconds);
      batch = [];
    }
    const seconds = (performance.now() - began - firstToken) / 1000;
    const forced = view.tokens.filter((token) => token.origin === "forced").length;
    figures([
      ["First token", firstToken === null ? "–" : duration(firstToken)], ["Total", duration(performance.now() - began)],
      ["Speed", firstToken === null || seconds < 0.2 ? "–" : count.format(Math.round(view.tokens.length / seconds)), "tokens/s"],
      ["Tokens", count.format(view.tokens.length), `${count.format(forced)} forced`],
      ["Prompt", promptTokens === null ? "–" : count.format(promptTokens), "tokens"],
    ]);
  };
  const drawSoon = () => { frame ||= requestAnimationFrame(draw); };
  draw();

  try {
    const response = await call("/v1/transform", { ...requestBody(), stream: true, tokens: true }, running.signal);
    for await (const { name, data } of events(response)) {
      if (name === "started") {
        promptTokens = data.prompt_tokens;
        verdict("running", "Reading the prompt");
      } else if (name === "token") {
        if (firstToken === null) {
          firstToken = performance.now() - began;
          verdict("running", "Writing");
        }
        batch.push(data);
      } else if (name === "field") {
        // A field ends with a token that is told of after it.
        if (batch.length && data.type === "end") draw();
        fields.take(data);
      } else if (name === "done") {
        answer = data;
      } else if (name === "error") {
        throw new Refusal(data.error, 0);
      }
      drawSoon();
    }
    draw();
    if (!answer) throw new Refusal({ message: "The stream ended before the document did.", code: "network" }, 0);
    finish(performance.now() - began, firstToken);
  } catch (error) {
    draw();
    if (error.name === "AbortError") {
      verdict("cancelled", "Cancelled");
      announce("Cancelled");
    } else {
      $("measures").hidden = view.tokens.length === 0;
      verdict("bad", "No document");
      drawFailure(error);
      if (["spec", "schema"].includes(error.parameter)) check();
    }
  } finally {
    running = null;
    switchButton("run", true);
    switchButton("cancel", false);
    $("document").classList.remove("growing");
    $("document").removeAttribute("aria-busy");
  }
}

function finish(total, firstToken) {
  const { report } = answer;
  const { tokens, milliseconds: times } = report;
  const isShort = report.finish_reason === "length";
  verdict(isShort ? "short" : "good", isShort ? "Valid, cut short" : "Valid, complete");
  const writing = Math.max(times.total - times.prefill, 0.01);
  const speed = (tokens.output / writing) * 1000;
  drawParts(times);
  figures([
    ["First token", firstToken === null ? "–" : duration(firstToken)],
    ["Total", duration(total)],
    ["Speed", count.format(Math.round(speed)), "tokens/s"],
    ["Tokens", count.format(tokens.output), `${count.format(tokens.forced)} forced`],
    ["Prompt", count.format(tokens.prompt), tokens.prompt_cached ? `${count.format(tokens.prompt_cached)} cached` : "tokens"],
  ]);
  switchButton("copyDocument", true);
  announce(
    `${isShort ? "Done: the document is valid, and cut short by the budget." : "Done: the document is valid."} `
    + `${tokens.output} tokens in ${duration(total)}.`);
}

function cancel() { running?.abort(); }

// MARK: Code

function language() { return document.querySelector("input[name=language]:checked").value; }

function drawCode() {
  const kind = language();
  const schema = checked?.valid ? checked.schema : null;
  let instruction = $("instruction").value.trim() || checked?.instruction || "Turn the text into JSON.";
  if (!checked?.instruction && checked?.summary) instruction += ` ${checked.summary}`;
  $("code").textContent = snippets[kind]({
    origin: location.origin, body: requestBody(), schema, instruction, needsKey,
  });
  $("codeNote").textContent = notes[kind];
}

async function copy(button, text, what) {
  let done = true;
  try {
    await navigator.clipboard.writeText(text);
  } catch {
    // Pages on plain HTTP from other machines have no clipboard of their own.
    const area = make("textarea", { value: text, className: "hidden" });
    document.body.append(area);
    area.select();
    done = document.execCommand("copy");
    area.remove();
    button.focus();
  }
  const label = button.dataset.label ??= button.textContent;
  button.textContent = done ? "Copied" : "Not allowed";
  announce(done ? `${what} copied` : "The browser does not allow copying");
  setTimeout(() => { button.textContent = label; }, 1600);
}

// MARK: Tabs, colours, keys

function setUpTabs() {
  const tabs = [...document.querySelectorAll("[role=tab]")];
  const show = (chosen) => {
    for (const one of tabs) {
      const isChosen = one === chosen;
      one.setAttribute("aria-selected", String(isChosen));
      one.tabIndex = isChosen ? 0 : -1;
      $(one.getAttribute("aria-controls")).hidden = !isChosen;
    }
  };
  tabs.forEach((one, index) => {
    one.addEventListener("click", () => show(one));
    one.addEventListener("keydown", (event) => {
      const next = { ArrowRight: index + 1, ArrowLeft: index - 1 + tabs.length, Home: 0, End: tabs.length - 1 }[event.key];
      if (next === undefined) return;
      event.preventDefault();
      const chosen = tabs[next % tabs.length];
      show(chosen);
      chosen.focus();
    });
  });
}

function setUpTheme() {
  const radios = [...document.querySelectorAll("input[name=theme]")];
  const use = (theme) => {
    if (theme === "auto") delete document.documentElement.dataset.theme;
    else document.documentElement.dataset.theme = theme;
  };
  const kept = keep.get(forGood, "theme");
  for (const radio of radios) {
    if (radio.value === kept) {
      radio.checked = true;
      use(kept);
    }
    radio.addEventListener("change", () => {
      use(radio.value);
      keep.set(forGood, "theme", radio.value === "auto" ? "" : radio.value);
    });
  }
}

function setUpInputs() {
  $("sample").replaceChildren(
    make("option", { value: "", textContent: "Choose …" }),
    ...samples.map((sample, index) => make("option", { value: String(index), textContent: sample.name })));
  let kept = null;
  try { kept = JSON.parse(keep.get(tab, "inputs")); } catch { /* What was kept is of no use. */ }
  if (kept && typeof kept.text === "string" && typeof kept.spec === "string") {
    for (const id of ["sample", ...optionFields]) $(id).value = kept[id] ?? "";
    setInputs(kept);
  } else {
    $("sample").value = "0";
    setInputs(samples[0]);
  }
  $("sample").addEventListener("change", (event) => useSample(event.target.value));
  $("restore").addEventListener("click", () => {
    if (replaced) setInputs(replaced);
    $("restore").hidden = true;
    $("sample").value = "";
    $("sample").focus();
  });
  $("form").addEventListener("input", (event) => {
    if (event.target.id === "sample") return;
    if (event.target.id === "text" || event.target.id === "spec") $("sample").value = "";
    if (event.target.id === "spec") checkSoon();
    drawInputs();
    keepInputs();
  });
  $("model").addEventListener("change", () => {
    keep.set(tab, "model", $("model").value);
    drawCode();
  });
  $("key").value = keep.get(tab, "key") ?? "";
  let keyTimer = 0;
  $("key").addEventListener("input", () => {
    keep.set(tab, "key", $("key").value.trim());
    clearTimeout(keyTimer);
    keyTimer = setTimeout(() => { loadModels(); check(); }, 400);
  });
}

setUpTheme();
setUpTabs();
setUpInputs();
loadModels();

$("form").addEventListener("submit", (event) => {
  event.preventDefault();
  run();
});
$("cancel").addEventListener("click", cancel);
$("shade").addEventListener("change", () => $("document").classList.toggle("shaded", $("shade").checked));
$("document").classList.add("shaded");
$("copyDocument").addEventListener("click", () =>
  answer && copy($("copyDocument"), answer.text, "Document"));
$("copyCode").addEventListener("click", () => copy($("copyCode"), $("code").textContent, "Code"));
for (const radio of document.querySelectorAll("input[name=language]")) radio.addEventListener("change", drawCode);
document.addEventListener("keydown", (event) => {
  if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) {
    event.preventDefault();
    if (!running) $("form").requestSubmit();
  } else if (event.key === "Escape") {
    if ($("keyBox").open) {
      $("keyBox").open = false;
      $("keyBox").querySelector("summary").focus();
    } else {
      cancel();
    }
  }
});
