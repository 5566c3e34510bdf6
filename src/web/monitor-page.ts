import { PAGE_STYLE } from "./_style.js";

/** The page of `lodestone monitor`. Its script is `client/monitor.ts`; nothing comes from outside. */
export const MONITOR_PAGE = `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>lodestone monitor</title>
<link rel="icon" href="data:,">
<style>${PAGE_STYLE}</style>
<script type="module" src="/client/monitor.js"></script>
</head>
<body>
<main>
<h1>Training runs</h1>
<p id="status" role="status"></p>
<ul id="runs"></ul>
<div id="charts"></div>
<section id="samples" hidden>
<h2>What the model would write</h2>
<ol id="sample-list"></ol>
</section>
</main>
</body>
</html>
`;
