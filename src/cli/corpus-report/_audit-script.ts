/**
 * The script of the audit page. Reads the samples from `#samples`, keeps marks in the browser's local storage and
 * shows one pair at a time; all text of the corpus goes in through `textContent`.
 */
export const AUDIT_SCRIPT = String.raw`
"use strict";
const { key, samples } = JSON.parse(document.getElementById("samples").textContent);
const at = (id) => document.getElementById(id);
const idOf = (sample) => sample.lang + "/" + sample.id;
let marks = {};
try { marks = JSON.parse(localStorage.getItem(key) || "{}"); } catch { at("status").textContent = "Marks cannot be kept in this browser: export them before you leave."; }
for (const sample of samples) {
  const mark = marks[idOf(sample)];
  if (mark) Object.assign(sample, mark);
}
let languages = [...new Set(samples.map((sample) => sample.lang))];
let shown = Math.max(0, samples.findIndex((sample) => sample.mark === ""));

function keep() {
  marks = {};
  for (const { lang, id, mark, reason } of samples) if (mark !== "" || reason !== "") marks[lang + "/" + id] = { mark, reason };
  try { localStorage.setItem(key, JSON.stringify(marks)); } catch { /* Told at the start. */ }
}

function draw() {
  const sample = samples[shown];
  const ofLanguage = samples.filter((one) => one.lang === sample.lang);
  at("place").textContent = sample.lang + " " + (ofLanguage.indexOf(sample) + 1) + " of " + ofLanguage.length;
  at("origin").textContent = sample.origin + " " + sample.path + ":" + sample.startLine;
  at("summary").textContent = sample.summary;
  at("code").textContent = sample.code;
  at("reason").value = sample.reason;
  at("keep").setAttribute("aria-pressed", String(sample.mark === "keep"));
  at("wrong").setAttribute("aria-pressed", String(sample.mark === "wrong"));
  at("sample").dataset.mark = sample.mark;
  tally();
}

function tally() {
  const list = at("tally");
  list.replaceChildren(...languages.map((lang) => {
    const all = samples.filter((one) => one.lang === lang);
    const kept = all.filter((one) => one.mark === "keep").length;
    const wrong = all.filter((one) => one.mark === "wrong").length;
    const button = document.createElement("button");
    const share = kept + wrong === 0 ? "" : ", " + (100 * kept / (kept + wrong)).toFixed(0) + "% kept";
    button.textContent = lang + " " + (kept + wrong) + "/" + all.length + share;
    button.setAttribute("aria-current", String(samples[shown].lang === lang));
    button.addEventListener("click", () => go(samples.indexOf(all.find((one) => one.mark === "") || all[0])));
    return button;
  }));
}

function go(index) {
  if (index < 0 || index >= samples.length) return;
  shown = index;
  draw();
}

function mark(value) {
  const sample = samples[shown];
  sample.mark = sample.mark === value ? "" : value;
  keep();
  if (sample.mark === "wrong") { draw(); at("reason").focus(); return; }
  if (sample.mark === "keep" && shown + 1 < samples.length) shown += 1;
  draw();
}

function nextUnmarked() {
  const after = samples.findIndex((sample, i) => i > shown && sample.mark === "");
  go(after >= 0 ? after : samples.findIndex((sample) => sample.mark === ""));
}

function exported() {
  return samples.map((sample) => JSON.stringify(sample)).join("\n") + "\n";
}

function download() {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([exported()], { type: "application/jsonl" }));
  link.download = "audit-" + samples[0].seed + ".jsonl";
  link.click();
  at("status").textContent = "Exported " + samples.filter((sample) => sample.mark !== "").length + " marks.";
}

at("keep").addEventListener("click", () => mark("keep"));
at("wrong").addEventListener("click", () => mark("wrong"));
at("previous").addEventListener("click", () => go(shown - 1));
at("next").addEventListener("click", () => go(shown + 1));
at("unmarked").addEventListener("click", nextUnmarked);
at("export").addEventListener("click", download);
at("reason").addEventListener("input", () => { samples[shown].reason = at("reason").value.replace(/\s+/g, " "); keep(); });
at("reason").addEventListener("keydown", (event) => {
  if (event.key === "Escape") at("reason").blur();
  if (event.key === "Enter") { at("reason").blur(); go(shown + 1); }
});
document.addEventListener("keydown", (event) => {
  if (event.target === at("reason") || event.ctrlKey || event.metaKey || event.altKey) return;
  const act = { k: () => mark("keep"), w: () => mark("wrong"), ArrowLeft: () => go(shown - 1), ArrowRight: () => go(shown + 1),
    u: nextUnmarked, r: () => at("reason").focus(), e: download }[event.key];
  if (act === undefined) return;
  event.preventDefault();
  act();
});
draw();
`;
