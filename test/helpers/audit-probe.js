/**
 * Runs in a browser, in the document that frames an audit page: marks by keyboard as a reader would and writes into
 * `#seen` what came of it, as encoded JSON.
 */
/* global addEventListener, document */
addEventListener("load", () => {
  const frame = document.querySelector("iframe");
  const page = frame.contentDocument;
  const view = frame.contentWindow;
  const press = (key, target = page.body) =>
    target.dispatchEvent(new view.KeyboardEvent("keydown", { key, bubbles: true, cancelable: true }));
  const text = (id) => page.getElementById(id).textContent;
  const look = () => ({ place: text("place"), summary: text("summary"), code: text("code"), tally: text("tally") });
  const steps = [look()];
  press("k"); // Keep goes on to the next.
  steps.push(look());
  press("w"); // Wrong asks for a reason.
  const focused = page.activeElement.id;
  const reason = page.getElementById("reason");
  reason.value = "describes  its caller";
  reason.dispatchEvent(new view.Event("input", { bubbles: true }));
  press("k", reason); // A letter of the reason, not a mark.
  press("Enter", reason);
  steps.push(look());
  press("ArrowLeft");
  const again = page.getElementById("sample").dataset.mark;
  press("u");
  steps.push(look());
  const stored = Object.fromEntries(Object.entries(view.localStorage));
  view.localStorage.clear();
  const found = {
    steps,
    focused,
    again,
    stored,
    exported: view.exported(),
    acted: page.documentElement.dataset.acted ?? null,
    requests: view.performance.getEntriesByType("resource").map(({ name }) => name),
    labels: [...page.querySelectorAll("button, input")].map((one) => (one.labels?.[0] ?? one).textContent.trim()),
    overflow: Math.max(0, page.documentElement.scrollWidth - page.documentElement.clientWidth),
  };
  document.querySelector("#seen").textContent = encodeURIComponent(JSON.stringify(found));
});
