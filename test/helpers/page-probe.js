/**
 * Runs in a browser, in the document that frames a page: when both have loaded, writes what it finds in the page into
 * `#seen`, as encoded JSON.
 */
/* global addEventListener, document */
addEventListener("load", () => {
  const frame = document.querySelector("iframe");
  document.querySelector("#seen").textContent = encodeURIComponent(JSON.stringify(look(frame)));
});

function look(frame) {
  const page = frame.contentDocument;
  const all = (selector) => [...page.querySelectorAll(selector)];
  const texts = (selector) => all(selector).map((element) => element.textContent);
  const style = frame.contentWindow.getComputedStyle(page.body);
  return {
    text: page.body.innerText,
    headings: texts("h1, h2, h3"),
    captions: texts("figcaption"),
    code: texts("pre"),
    marked: texts("li.correct b"),
    active: all("script, img, iframe, object, embed, link, [src], [href], [onerror], [onload]").length,
    acted: page.documentElement.dataset.acted ?? null,
    requests: frame.contentWindow.performance.getEntriesByType("resource").map(({ name }) => name),
    overflow: overflow(page, all),
    pageOverflow: page.documentElement.scrollWidth - page.documentElement.clientWidth,
    collisions: all("svg").flatMap(collisions),
    background: style.backgroundColor,
    foreground: style.color,
  };
}

/** How far anything reaches past the right edge of its card or of the page, in pixels. Code scrolls inside its box. */
function overflow(page, all) {
  const width = page.documentElement.clientWidth;
  const beyond = all("main *")
    .filter((element) => element.tagName === "PRE" || element.closest("pre") === null)
    .map((element) => {
      const card = element.closest("figure, article");
      return element.getBoundingClientRect().right - (card?.getBoundingClientRect().right ?? width);
    });
  return Math.round(Math.max(0, page.documentElement.scrollWidth - width, ...beyond));
}

/** Pairs of labels that cover each other. */
function collisions(chart) {
  const labels = [...chart.querySelectorAll("text")].map((label) => [label.textContent, label.getBoundingClientRect()]);
  return labels.flatMap(([name, a], i) =>
    labels
      .slice(i + 1)
      .filter(([, b]) => a.left < b.right && b.left < a.right && a.top < b.bottom && b.top < a.bottom)
      .map(([other]) => `${name} / ${other}`),
  );
}
