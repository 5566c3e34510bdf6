import { pageOf } from "./_page.js";
import { SEARCH_STYLE } from "./_search-style.js";

const OPTIONS = ["function", "method", "class", "module", "doc", "config", "text"]
  .map((kind) => `<option value="${kind}">${kind}</option>`)
  .join("");

/** The page of `lodestone serve`. Its script is `client/search.ts`; nothing comes from outside. */
export const SEARCH_PAGE = pageOf(
  "lodestone search",
  SEARCH_STYLE,
  "search",
  `<header>
<h1>Search code</h1>
<form id="form" role="search">
<input id="query" type="search" aria-label="Query" autocomplete="off" autocapitalize="off" spellcheck="false"
 placeholder="A question, a name, or code" autofocus>
<div id="filters" role="group" aria-label="Filters">
<label id="repository-label">Repository <select id="repository"><option value="">all</option></select></label>
<label>Language <select id="language"><option value="">all</option></select></label>
<label>Type <select id="type"><option value="">all</option>${OPTIONS}</select></label>
<label>Path <input id="path" type="text" placeholder="src/**,!**/*.test.ts" autocomplete="off" spellcheck="false"></label>
<label><input id="explain" type="checkbox"> Explain scores</label>
</div>
</form>
<form id="token-form" hidden>
<label>This server asks for a token <input id="token" type="password" autocomplete="off"></label>
<button type="submit">Use it</button>
</form>
<p id="status" role="status"></p>
</header>
<main>
<ol id="hits" aria-label="Hits"></ol>
<section aria-labelledby="index-title">
<h2 id="index-title">Index</h2>
<ul id="repositories"></ul>
</section>
<p class="keys"><kbd>/</kbd> query &nbsp; <kbd>↓</kbd> <kbd>↑</kbd> or <kbd>j</kbd> <kbd>k</kbd> hits &nbsp; <kbd>Enter</kbd>
 copy the place &nbsp; <kbd>e</kbd> explain &nbsp; <kbd>Esc</kbd> back to the query</p>
</main>`,
);
