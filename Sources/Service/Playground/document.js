// SPDX-License-Identifier: Apache-2.0
// The document as it grows: laid out in lines, with each token told from the next.

/** Creates an element with properties and children. */
export function make(name, properties = {}, ...children) {
  const element = document.createElement(name);
  for (const [key, value] of Object.entries(properties)) {
    if (key in element) element[key] = value;
    else element.setAttribute(key, value);
  }
  element.append(...children);
  return element;
}

export const count = new Intl.NumberFormat("en");

/** How much choice there was, from 1 (a few tokens) to 4 (tens of thousands). */
export function level(allowed) {
  return allowed <= 10 ? 1 : allowed <= 100 ? 2 : allowed <= 3000 ? 3 : 4;
}

/** The classes that show how a token came. */
export function look(token) {
  if (token.origin === "forced" || token.origin === "closing") return token.origin;
  return `chosen c${level(token.allowed)}`;
}

/** How a token came, in words. */
export function story(token) {
  switch (token.origin) {
    case "forced": return "forced";
    case "closing": return "closing";
    case "value": return "chosen as a value";
    default: return "chosen";
  }
}

export function duration(milliseconds) {
  if (milliseconds >= 10_000) return `${(milliseconds / 1000).toFixed(1)} s`;
  if (milliseconds >= 1000) return `${(milliseconds / 1000).toFixed(2)} s`;
  return `${milliseconds >= 10 ? Math.round(milliseconds) : milliseconds.toFixed(1)} ms`;
}

/** Reads JSON as it comes and says where each piece belongs: a line, its depth, and the value's pointer. */
class Layout {
  constructor() {
    this.stack = [];
    this.inString = false;
    this.isName = false;
    this.escaped = false;
    this.name = "";
    this.pause = "";
  }

  get pointer() {
    return this.stack.map((level) => "/" + String(level.key).replaceAll("~", "~0").replaceAll("/", "~1")).join("");
  }

  /** Cuts a token's text into fragments: `{text, role, pointer, line}`, where `line` is the depth of a new line. */
  take(text) {
    const fragments = [];
    const emit = (piece, role, line) => {
      const last = fragments.at(-1);
      if (last && last.role === role && line === undefined) last.text += piece;
      else fragments.push({ text: piece, role, line, pointer: role === "value" ? this.pointer : null });
    };
    const begin = () => {
      const line = this.pause ? this.stack.length : undefined;
      this.pause = "";
      return line;
    };
    for (const char of text) {
      if (this.inString) {
        emit(char, this.isName ? "name" : "value");
        if (this.isName) this.name += char;
        if (this.escaped) this.escaped = false;
        else if (char === "\\") this.escaped = true;
        else if (char === '"') {
          this.inString = false;
          if (this.isName) this.endName();
        }
        continue;
      }
      const top = this.stack.at(-1);
      switch (char) {
        case " ": case "\n": case "\r": case "\t": break;
        case '"':
          this.isName = top?.expectsName === true;
          this.name = '"';
          this.inString = true;
          emit(char, this.isName ? "name" : "value", begin());
          break;
        case "{": case "[":
          emit(char, "mark", begin());
          this.stack.push(char === "{" ? { key: "", expectsName: true } : { key: 0 });
          this.pause = "open";
          break;
        case "}": case "]": {
          this.stack.pop();
          const line = this.pause === "open" ? undefined : this.stack.length;
          this.pause = "";
          emit(char, "mark", line);
          break;
        }
        case ",":
          emit(char, "mark");
          this.pause = "next";
          if (top && "expectsName" in top) top.expectsName = true;
          else if (top) top.key += 1;
          break;
        case ":":
          emit(": ", "mark");
          break;
        default:
          emit(char, "value", begin());
      }
    }
    return fragments;
  }

  endName() {
    const top = this.stack.at(-1);
    if (!top) return;
    top.expectsName = false;
    try { top.key = JSON.parse(this.name); } catch { top.key = this.name.slice(1, -1); }
  }
}

/** The view of a document and its tokens: text, a strip of choices, and a line about one token. */
export class DocumentView {
  /** @param parts `{text, strip, inspector, under, empty}` */
  constructor(parts) {
    this.parts = parts;
    parts.text.addEventListener("pointerover", (event) => this.point(event.target.dataset?.token, false));
    parts.text.addEventListener("click", (event) => this.point(event.target.dataset?.token, false));
    parts.text.addEventListener("pointerleave", () => this.point(undefined, false));
    parts.strip.addEventListener("pointermove", (event) => this.point(this.tokenAt(event), false));
    parts.strip.addEventListener("pointerleave", () => this.point(undefined, false));
    parts.text.addEventListener("keydown", (event) => this.walk(event));
    this.clear();
  }

  clear() {
    this.layout = new Layout();
    this.tokens = [];
    this.spans = [];
    this.bars = [];
    this.row = null;
    this.at = undefined;
    /** What is known of each value: tokens, and the most tokens that it was chosen among. */
    this.values = new Map();
    this.parts.text.replaceChildren();
    this.parts.strip.replaceChildren();
    this.parts.under.hidden = true;
    this.parts.empty.hidden = false;
    this.parts.inspector.replaceChildren();
  }

  /** Adds tokens: `{text, origin, allowed, milliseconds}`. */
  add(tokens) {
    const { text, strip, under, empty } = this.parts;
    empty.hidden = true;
    under.hidden = false;
    const nearEnd = text.scrollHeight - text.scrollTop - text.clientHeight < 60;
    for (const token of tokens) {
      const index = this.tokens.push(token) - 1;
      const spans = [];
      for (const fragment of this.layout.take(token.text)) {
        if (fragment.line !== undefined || !this.row) this.newRow(fragment.line ?? 0);
        const span = make("span", { className: `t ${look(token)} ${fragment.role}`, textContent: fragment.text });
        span.dataset.token = index;
        this.row.append(span);
        spans.push(span);
        if (fragment.pointer !== null) this.noteValue(fragment.pointer, index, token);
      }
      this.spans.push(spans);
      const bar = document.createElementNS("http://www.w3.org/2000/svg", "rect");
      const height = token.allowed ? 1.5 + Math.log2(token.allowed + 1) : 1;
      bar.setAttribute("class", look(token));
      bar.setAttribute("x", String(index));
      bar.setAttribute("y", String(18 - height));
      bar.setAttribute("width", "0.76");
      bar.setAttribute("height", String(height));
      strip.append(bar);
      this.bars.push(bar);
    }
    strip.setAttribute("viewBox", `0 0 ${Math.max(this.tokens.length, 72)} 18`);
    if (nearEnd) text.scrollTop = text.scrollHeight;
    if (this.at === undefined) this.tell();
  }

  newRow(depth) {
    this.row = make("div", { className: "row" });
    this.row.style.setProperty("--depth", depth);
    this.parts.text.append(this.row);
  }

  noteValue(pointer, index, token) {
    const known = this.values.get(pointer) ?? { tokens: 0, most: 0, last: -1 };
    if (known.last !== index) known.tokens += 1;
    known.last = index;
    known.most = Math.max(known.most, token.allowed ?? 0);
    this.values.set(pointer, known);
  }

  tokenAt(event) {
    const box = this.parts.strip.getBoundingClientRect();
    const index = Math.floor(((event.clientX - box.left) / box.width) * Math.max(this.tokens.length, 72));
    return index < this.tokens.length ? index : undefined;
  }

  /** Shows one token, or none. */
  point(value, byKeyboard) {
    const index = value === undefined ? undefined : Number(value);
    if (index === this.at) return;
    for (const mark of [...(this.spans[this.at] ?? []), this.bars[this.at]]) mark?.classList.remove("at");
    this.at = index;
    for (const mark of [...(this.spans[index] ?? []), this.bars[index]]) mark?.classList.add("at");
    this.parts.inspector.setAttribute("aria-live", byKeyboard ? "polite" : "off");
    if (byKeyboard) this.spans[index]?.[0]?.scrollIntoView({ block: "nearest" });
    this.tell();
  }

  walk(event) {
    const last = this.tokens.length - 1;
    if (last < 0 || event.altKey || event.ctrlKey || event.metaKey) return;
    const at = this.at ?? -1;
    const next = { ArrowRight: Math.min(at + 1, last), ArrowLeft: Math.max(at - 1, 0), Home: 0, End: last }[event.key];
    if (next === undefined) return;
    event.preventDefault();
    this.point(next, true);
  }

  tell() {
    const { inspector } = this.parts;
    const token = this.tokens[this.at];
    if (!token) {
      const forced = this.tokens.filter((token) => token.origin === "forced").length;
      const closing = this.tokens.filter((token) => token.origin === "closing").length;
      const rest = this.tokens.length - forced - closing;
      inspector.textContent =
        `${count.format(this.tokens.length)} tokens: ${count.format(forced)} forced, ${count.format(rest)} chosen`
        + (closing ? `, ${count.format(closing)} closing` : "") + ". Bars: how many tokens were allowed.";
      return;
    }
    const among = token.allowed === undefined
      ? token.origin === "forced" ? "forced: nothing else could follow" : "closing: nothing else fits the budget"
      : `${story(token)} among ${count.format(token.allowed)}`;
    inspector.replaceChildren(
      `${this.at + 1} of ${this.tokens.length} `, make("code", { textContent: visible(token.text) }),
      ` ${among} · at ${duration(token.milliseconds)}`);
  }
}

/** A token's text with its white space to be seen. */
export function visible(text) {
  return text.replaceAll("\n", "⏎").replaceAll("\t", "⇥").replaceAll(" ", "␣") || "…";
}
