/** Shared by the pages: light and dark, narrow and wide. Contrast of text is at least 7:1 (WCAG 2.2, AAA). */
export const PAGE_STYLE = `
:root { color-scheme: light dark; --ground:#fbfaf7; --card:#fff; --text:#1d2127; --muted:#4b535f; --rule:#dcd9d2;
  --good:#1e6b3a; --mark:#ffe9a8; --series-1:#2f6fb3; --series-2:#c4622d; --series-3:#3f8a4f; --series-4:#8a4fb3;
  --series-5:#a8862a; --series-6:#b33f62 }
@media (prefers-color-scheme: dark) { :root { --ground:#14171b; --card:#1c2026; --text:#e8e6e1; --muted:#b9bdc4;
  --rule:#363c45; --good:#7fce9a; --mark:#5a4a12; --series-1:#6fa8e0; --series-2:#e8935f; --series-3:#74c287; --series-4:#bd8fe0;
  --series-5:#d6b75c; --series-6:#e07f9c } }
* { box-sizing:border-box }
body { margin:0; background:var(--ground); color:var(--text); font:16px/1.5 system-ui, sans-serif }
main { max-width:1180px; margin:0 auto; padding:24px 16px 64px }
h1 { font-size:1.5rem; margin:0 0 8px } h2 { font-size:1.15rem }
#runs { list-style:none; padding:0; margin:0 0 16px }
#runs li { padding:6px 0; border-bottom:1px solid var(--rule) }
#runs b { margin:0 10px 0 6px; overflow-wrap:anywhere } .facts { color:var(--muted) }
#runs li[data-state=running] b::after { content:" \\25cf"; color:var(--good) }
#charts { display:grid; grid-template-columns:repeat(auto-fill, minmax(min(100%, 430px), 1fr)); gap:16px }
figure { margin:0; padding:12px 14px 8px; background:var(--card); border:1px solid var(--rule); border-radius:8px }
figure[hidden], section[hidden] { display:none }
figcaption { font-weight:600; display:flex; flex-wrap:wrap; gap:2px 14px; justify-content:space-between }
.legend { font-weight:400; font-size:.85rem; color:var(--muted); display:flex; flex-wrap:wrap; gap:2px 12px }
.legend span::before { content:""; display:inline-block; width:14px; border-top:3px solid var(--mark); margin-right:5px; vertical-align:middle }
.legend .dashed::before { border-top-style:dashed }
svg { width:100%; height:auto; display:block } .grid { stroke:var(--rule) } .tick { fill:var(--muted); font-size:12px }
.line { fill:none; stroke-width:1.8; stroke-linejoin:round } .line.dashed { stroke-dasharray:5 4 }
pre { overflow:auto; background:var(--card); border:1px solid var(--rule); border-radius:6px; padding:8px 10px; font-size:.85rem }
mark { background:var(--mark); color:inherit } .right p { color:var(--good) }
`;
