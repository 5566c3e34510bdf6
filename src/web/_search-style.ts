/** Light and dark, narrow and wide. Contrast of text is at least 7:1 on its ground, of code's colours at least 4.5:1. */
export const SEARCH_STYLE = `
:root { color-scheme: light dark; --ground:#fbfaf7; --card:#fff; --text:#1d2127; --muted:#4b535f; --rule:#dcd9d2;
  --edge:#767268; --focus:#1f5fa8; --warn:#8a3b00; --comment:#5b6470; --string:#1e6b3a; --keyword:#8a2f8a; --number:#1f5fa8 }
@media (prefers-color-scheme: dark) { :root { --ground:#14171b; --card:#1c2026; --text:#e8e6e1; --muted:#b9bdc4;
  --rule:#363c45; --edge:#8b919b; --focus:#8fbdf0; --warn:#ffb77d; --comment:#a3aab4; --string:#8fd6a8; --keyword:#e0a3e0;
  --number:#8fbdf0 } }
* { box-sizing:border-box }
body { margin:0; background:var(--ground); color:var(--text); font:16px/1.5 system-ui, sans-serif }
header, main { max-width:980px; margin:0 auto; padding:16px } header { padding-bottom:0 } main { padding-top:0 }
h1 { font-size:1.3rem; margin:0 0 8px } h2 { font-size:1.1rem; margin:24px 0 8px }
[hidden] { display:none !important }
input, select, button { font:inherit; color:inherit; background:var(--card); border:1px solid var(--edge);
  border-radius:6px; padding:6px 8px; max-width:100% }
#query { width:100%; padding:10px 12px; font-size:1.1rem }
#filters { display:flex; flex-wrap:wrap; gap:8px 16px; margin-top:10px; align-items:center } #path { width:15em }
:focus-visible { outline:3px solid var(--focus); outline-offset:1px }
#status { color:var(--muted); margin:10px 0; min-height:1.5em } #status.wrong { color:var(--warn) }
#hits, #repositories { list-style:none; margin:0; padding:0 }
#hits > li { background:var(--card); border:1px solid var(--rule); border-radius:8px; margin:0 0 12px; overflow:hidden }
#hits > li:focus-visible { outline-offset:-3px }
.place { padding:8px 12px; display:flex; flex-wrap:wrap; gap:0 12px; border-bottom:1px solid var(--rule) }
.place b { overflow-wrap:anywhere } .place span { color:var(--muted); overflow-wrap:anywhere }
pre { margin:0; padding:8px 12px; overflow:auto; max-height:22em; font:13px/1.5 ui-monospace, monospace; tab-size:4 }
.n { display:inline-block; min-width:3em; padding-right:1em; text-align:right; color:var(--muted); user-select:none }
.comment { color:var(--comment) } .string { color:var(--string) } .keyword { color:var(--keyword) } .number { color:var(--number) }
.explanation { padding:8px 12px 0; font-size:.9rem } .explanation p { margin:0; color:var(--muted) }
dl { display:flex; flex-wrap:wrap; gap:2px 20px; margin:4px 0 } dl div { display:flex; gap:6px }
dd { margin:0; font-variant-numeric:tabular-nums }
#repositories li { padding:6px 0; border-bottom:1px solid var(--rule); overflow-wrap:anywhere }
progress { vertical-align:middle; margin-left:8px; accent-color:var(--focus) }
.keys { color:var(--muted); font-size:.9rem; margin-top:24px }
kbd { border:1px solid var(--edge); border-radius:4px; padding:0 5px; font:inherit; font-size:.85rem }
`;
