/** The page of `lodestone serve`: asks as one types, shows hits, explains scores, and tells how far the index is. */
import { codeElement } from "./highlight.js";

interface Explanation {
  readonly cosines: Readonly<Record<string, number>>;
  readonly bm25: number;
  readonly semantic: number;
  readonly lexical: number;
  readonly features: Readonly<Record<string, number>>;
}
interface Hit {
  readonly repository: string;
  readonly path: string;
  readonly startLine: number;
  readonly endLine: number;
  readonly score: number;
  readonly name: string;
  readonly scope: readonly string[];
  readonly kind: string;
  readonly language: string;
  readonly text?: string;
  readonly stale?: boolean;
  readonly explanation?: Explanation;
}
interface Answer {
  readonly hits: readonly Hit[];
  readonly tier: "full" | "static" | "lexical";
  readonly notes: readonly string[];
  readonly milliseconds: number;
}
interface Repository {
  readonly name: string;
  readonly state: "indexing" | "refining" | "ready" | "failed";
  readonly progress: { readonly done: number; readonly total: number | null; readonly unit: string } | null;
  readonly error: string | null;
  readonly files: number;
  readonly chunks: number;
  readonly languages: Readonly<Record<string, number>>;
  readonly answersFrom: Answer["tier"];
}

const BY = { full: "full encoder and words", static: "static encoder and words", lexical: "words alone" };
const find = <T extends HTMLElement>(id: string): T => document.querySelector<T>(`#${id}`)!;
const query = find<HTMLInputElement>("query");
const path = find<HTMLInputElement>("path");
const explain = find<HTMLInputElement>("explain");
const [repository, language, type] = ["repository", "language", "type"].map((id) => find<HTMLSelectElement>(id)) as [
  HTMLSelectElement,
  HTMLSelectElement,
  HTMLSelectElement,
];
const hits = find<HTMLOListElement>("hits");
const status = find("status");
const tokenForm = find<HTMLFormElement>("token-form");

/** Fetches JSON; a refusal's message is thrown. */
async function ask<T>(address: string, init: RequestInit = {}): Promise<T> {
  const token = sessionStorage.getItem("token");
  const headers = new Headers(init.headers);
  if (token !== null) headers.set("Authorization", `Bearer ${token}`);
  const response = await fetch(address, { ...init, headers });
  const body = (await response.json()) as T & { readonly error?: { readonly message: string } };
  tokenForm.hidden = response.status !== 401;
  if (!response.ok) throw new Error(body.error?.message ?? `the server answered ${response.status}`);
  return body;
}

function tell(text: string, wrong = false): void {
  status.textContent = text;
  status.classList.toggle("wrong", wrong);
}

let asking: AbortController | undefined;

async function search(): Promise<void> {
  asking?.abort();
  const controller = (asking = new AbortController());
  remember();
  const text = query.value;
  if (text.trim() === "") {
    hits.replaceChildren();
    tell("");
    return;
  }
  const paths = path.value.split(",").filter((part) => part.trim() !== "");
  const request = {
    query: text,
    limit: 20,
    explain: explain.checked,
    ...(repository.value === "" ? {} : { repository: repository.value }),
    ...(language.value === "" ? {} : { languages: [language.value] }),
    ...(type.value === "" ? {} : { types: [type.value] }),
    ...(paths.length === 0 ? {} : { paths }),
  };
  try {
    const answer = await ask<Answer>("/search", {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify(request),
      signal: controller.signal,
    });
    hits.replaceChildren(...answer.hits.map(hitElement));
    const count = answer.hits.length === 1 ? "1 hit" : `${answer.hits.length} hits`;
    const by = `by ${BY[answer.tier]} in ${answer.milliseconds.toFixed(1)} ms`;
    tell([answer.hits.length === 0 ? "Nothing found" : `${count} ${by}`, ...answer.notes].join(". "));
  } catch (error) {
    if (controller.signal.aborted) return; // A newer query has taken over.
    hits.replaceChildren();
    tell(error instanceof Error ? error.message : String(error), true);
  }
}

/** Keeps the query in the address, so that it can be reloaded and linked to. */
function remember(): void {
  const values = {
    q: query.value,
    repository: repository.value,
    language: language.value,
    type: type.value,
    path: path.value,
  };
  const kept = new URLSearchParams(Object.entries(values).filter(([, value]) => value !== ""));
  if (explain.checked) kept.set("explain", "true");
  const text = kept.toString();
  history.replaceState(null, "", text === "" ? "/" : `/?${text}`);
}

function hitElement(hit: Hit): HTMLLIElement {
  const item = document.createElement("li");
  item.tabIndex = -1;
  const place = `${hit.path}:${hit.startLine}`;
  item.dataset["place"] = place;
  const head = document.createElement("div");
  head.className = "place";
  const name = document.createElement("b");
  name.textContent = repository.options.length > 2 ? `${hit.repository}/${place}` : place;
  const facts = document.createElement("span");
  const stale = hit.stale === true ? "; the file has changed since it was indexed" : "";
  facts.textContent = `${hit.kind} ${[...hit.scope, hit.name].join(" › ")}; ${hit.language}${stale}`;
  head.append(name, facts);
  item.append(head);
  if (hit.explanation !== undefined) item.append(explanationList(hit, hit.explanation));
  if (hit.text !== undefined) item.append(codeElement(hit.text, hit.language, hit.startLine, `Lines of ${place}`));
  return item;
}

/** The parts of a score, side by side. */
function explanationList({ score }: Hit, explanation: Explanation): HTMLElement {
  const { semantic, lexical, features, cosines, bm25 } = explanation;
  const box = document.createElement("div");
  box.className = "explanation";
  const title = document.createElement("p");
  const raw = Object.entries(cosines).map(([tier, value]) => `${tier} cosine ${value.toFixed(3)}`);
  title.textContent = `Score ${score.toFixed(2)} (${[...raw, `BM25 ${bm25.toFixed(2)}`].join(", ")})`;
  const list = document.createElement("dl");
  for (const [part, value] of Object.entries({ meaning: semantic, words: lexical, ...features })) {
    if (value === 0) continue;
    const group = document.createElement("div");
    const [term, amount] = [document.createElement("dt"), document.createElement("dd")];
    term.textContent = part;
    amount.textContent = `${value < 0 ? "−" : "+"}${Math.abs(value).toFixed(2)}`;
    group.append(term, amount);
    list.append(group);
  }
  box.append(title, list);
  return box;
}

async function showIndex(): Promise<boolean> {
  const { repositories } = await ask<{ repositories: readonly Repository[] }>("/repositories");
  find("repositories").replaceChildren(...repositories.map(repositoryElement));
  fill(repository, repositories.map(({ name }) => name)); // prettier-ignore
  find("repository-label").hidden = repositories.length < 2;
  fill(language, [...new Set(repositories.flatMap(({ languages }) => Object.keys(languages)))].sort());
  return repositories.some(({ state }) => state === "indexing" || state === "refining");
}

function repositoryElement(one: Repository): HTMLLIElement {
  const item = document.createElement("li");
  item.dataset["state"] = one.state;
  const count = (value: number): string => value.toLocaleString("en");
  const facts = `${count(one.chunks)} places in ${count(one.files)} files, answers by ${BY[one.answersFrom]}`;
  item.textContent = `${one.name}: ${one.state}; ${facts}${one.error === null ? "" : `; ${one.error}`}`;
  if (one.progress === null) return item;
  const bar = document.createElement("progress");
  bar.setAttribute("aria-label", `${one.name}: ${one.progress.unit} done`);
  if (one.progress.total !== null) {
    bar.max = one.progress.total;
    bar.value = one.progress.done;
  }
  item.append(bar);
  return item;
}

/** Choices of a select, the chosen one kept. */
function fill(select: HTMLSelectElement, values: readonly string[]): void {
  const [all] = select.options;
  if ([...select.options].slice(1).map(({ value }) => value).join("\n") === values.join("\n")) return; // prettier-ignore
  const chosen = select.value;
  select.replaceChildren(all!, ...values.map((value) => new Option(value, value)));
  select.value = values.includes(chosen) ? chosen : "";
}

/** Moves to another hit; above the first one is the query. */
function move(step: number): void {
  const all = [...hits.children] as HTMLElement[];
  const at = all.findIndex((one) => one.contains(document.activeElement));
  const next = all[at + step];
  if (next !== undefined) next.focus();
  else if (step < 0) query.focus();
}

addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  const target = event.target as HTMLElement;
  const typing = /^(INPUT|SELECT|TEXTAREA)$/.test(target.tagName);
  const key = event.key;
  if (key === "Escape") query.focus();
  else if (key === "ArrowDown" && (target === query || !typing)) move(1);
  else if (key === "ArrowUp" && !typing) move(-1);
  else if (typing) return;
  else if (key === "j") move(1);
  else if (key === "k") move(-1);
  else if (key === "/") query.select();
  else if (key === "e") explain.click();
  else if (key === "Enter" && target.dataset["place"] !== undefined) {
    const place = target.dataset["place"];
    navigator.clipboard.writeText(place).then(
      () => tell(`copied ${place}`),
      () => tell(`could not copy ${place}`, true),
    );
  } else return;
  event.preventDefault();
});

let typing: ReturnType<typeof setTimeout> | undefined;
const soon = (): void => {
  clearTimeout(typing);
  typing = setTimeout(() => void search(), 80);
};
query.addEventListener("input", soon);
path.addEventListener("input", soon);
for (const input of [repository, language, type, explain]) input.addEventListener("change", () => void search());
find<HTMLFormElement>("form").addEventListener("submit", (event) => {
  event.preventDefault();
  void search();
});
tokenForm.addEventListener("submit", (event) => {
  event.preventDefault();
  sessionStorage.setItem("token", find<HTMLInputElement>("token").value);
  void begin();
});

/** Looks at the index, more often while it grows; hits are asked for again when it is whole. */
async function watch(wasBusy: boolean): Promise<void> {
  const busy = await showIndex().catch((error: unknown) => {
    tell(error instanceof Error ? error.message : String(error), true);
    return false;
  });
  if (wasBusy && !busy) void search();
  setTimeout(() => void watch(busy), busy ? 500 : 10_000);
}

/** @returns whether the index still grows */
async function begin(): Promise<boolean> {
  const given = new URLSearchParams(location.search);
  const busy = await showIndex().catch(() => false); // The search tells what is wrong.
  query.value = given.get("q") ?? query.value;
  path.value = given.get("path") ?? path.value;
  explain.checked = given.get("explain") === "true";
  for (const [name, select] of Object.entries({ repository, language, type })) select.value = given.get(name) ?? "";
  await search();
  return busy;
}

void begin().then(watch);
