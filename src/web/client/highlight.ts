/** Code as elements: every line with its number. */
import { colouredLines } from "./coloured-lines.js";

/** A `pre` of coloured lines with numbers from `first` on. Text is only ever set as text. */
export function codeElement(text: string, language: string, first: number, label: string): HTMLPreElement {
  const pre = document.createElement("pre");
  pre.tabIndex = 0; // Long code scrolls, also by keyboard.
  pre.setAttribute("role", "region");
  pre.setAttribute("aria-label", label);
  colouredLines(text, language).forEach((pieces, i) => {
    const number = document.createElement("span");
    number.className = "n";
    number.ariaHidden = "true";
    number.textContent = String(first + i);
    const parts = pieces.map(({ text: part, kind }) => {
      if (kind === undefined) return document.createTextNode(part);
      const span = document.createElement("span");
      span.className = kind;
      span.textContent = part;
      return span;
    });
    pre.append(number, ...parts, "\n");
  });
  return pre;
}
