/** A page's file: its script comes from this server, its style is inside, and nothing comes from outside. */
export function pageOf(title: string, style: string, script: string, body: string): string {
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${title}</title>
<link rel="icon" href="data:,">
<style>${style}</style>
<script type="module" src="/client/${script}.js"></script>
</head>
<body>
${body}
</body>
</html>
`;
}
