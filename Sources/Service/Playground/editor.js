// SPDX-License-Identifier: Apache-2.0
// A text area with line numbers, whose problems are shown at their lines.

import { make } from "./document.js";

export class SpecEditor {
  /** @param parts `{box, list}`: the editor, and the list of problems under it. */
  constructor(parts) {
    this.area = parts.box.querySelector("textarea");
    this.gutter = parts.box.querySelector(".gutter");
    this.lines = parts.box.querySelector(".lines");
    this.list = parts.list;
    this.problems = [];
    this.area.addEventListener("scroll", () => this.follow());
    this.area.addEventListener("input", () => this.draw());
    this.area.addEventListener("keydown", (event) => this.indent(event));
    this.draw();
  }

  get value() { return this.area.value; }

  set value(text) {
    this.area.value = text;
    this.area.scrollTop = 0;
    this.problems = [];
    this.list.replaceChildren();
    this.draw();
  }

  /** Shows problems: `{severity, message, hint, place}`. */
  show(problems) {
    this.problems = problems;
    this.list.replaceChildren(...problems.map((problem) => {
      const line = problem.place?.line;
      const text = make("span", {}, problem.message);
      if (problem.hint) text.append(make("span", { className: "help", textContent: problem.hint }));
      const button = make("button", { type: "button" },
        make("span", { className: "where", textContent: line ? `Line ${line}` : "Spec" }), text);
      button.addEventListener("click", () => this.go(problem.place));
      return make("li", { className: problem.severity === "error" ? "error" : "warning" }, button);
    }));
    const hasErrors = problems.some((problem) => problem.severity === "error");
    this.area.setAttribute("aria-invalid", String(hasErrors));
    this.draw();
  }

  /** Moves the caret to a place. */
  go(place) {
    this.area.focus();
    if (!place) return;
    const rows = this.area.value.split("\n");
    const before = rows.slice(0, place.line - 1).reduce((sum, row) => sum + row.length + 1, 0);
    const start = Math.min(before + Math.max((place.column ?? 1) - 1, 0), this.area.value.length);
    this.area.setSelectionRange(start, start);
    this.area.scrollTop = Math.max((place.line - 4) * 20, 0);
  }

  draw() {
    const total = this.area.value.split("\n").length;
    const worst = new Map();
    for (const { place, severity } of this.problems) {
      if (place && worst.get(place.line) !== "error") worst.set(place.line, severity === "error" ? "error" : "warning");
    }
    const rows = (content) => Array.from({ length: total }, (_, index) =>
      make("div", { className: worst.get(index + 1) ?? "", textContent: content(index + 1) }));
    // Room at the end, as the area itself may have a scroll bar there.
    this.gutter.replaceChildren(...rows(String), make("div"));
    this.lines.replaceChildren(...rows(() => ""), make("div"));
    this.follow();
  }

  follow() {
    this.gutter.scrollTop = this.area.scrollTop;
    this.lines.scrollTop = this.area.scrollTop;
  }

  /** A new line begins below the one before. */
  indent(event) {
    if (event.key !== "Enter" || event.ctrlKey || event.metaKey || event.shiftKey || event.isComposing) return;
    const { selectionStart, value } = this.area;
    const line = value.slice(value.lastIndexOf("\n", selectionStart - 1) + 1, selectionStart);
    const space = /^ */.exec(line)[0] + (/[:[{]\s*$/.test(line) ? "  " : "");
    if (!space) return;
    event.preventDefault();
    // The only way to write into a text area that can be undone.
    if (!document.execCommand("insertText", false, "\n" + space)) {
      this.area.setRangeText("\n" + space, selectionStart, this.area.selectionEnd, "end");
      this.area.dispatchEvent(new Event("input", { bubbles: true }));
    }
  }
}
