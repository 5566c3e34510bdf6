import { pageOf } from "./_page.js";
import { PAGE_STYLE } from "./_style.js";

/** The page of `lodestone monitor`. Its script is `client/monitor.ts`; nothing comes from outside. */
export const MONITOR_PAGE = pageOf(
  "lodestone monitor",
  PAGE_STYLE,
  "monitor",
  `<main>
<h1>Training runs</h1>
<p id="status" role="status"></p>
<ul id="runs"></ul>
<div id="charts"></div>
<section id="samples" hidden>
<h2>What the model would write</h2>
<ol id="sample-list"></ol>
</section>
</main>`,
);
