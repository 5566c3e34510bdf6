/**
 * Orders Debian versions, as deb-version(7) says: epoch, upstream version, revision; runs of non-digits (letters before
 * other characters, `~` before everything, the end included) and of digits in turn.
 *
 * `compareVersions("1.0~rc1-1", "1.0-1")` is negative. @returns a negative number, zero or a positive one
 */
export function compareVersions(a: string, b: string): number {
  const [x, y] = [split(a), split(b)];
  return x.epoch - y.epoch || compareParts(x.upstream, y.upstream) || compareParts(x.revision, y.revision);
}

function split(version: string): { epoch: number; upstream: string; revision: string } {
  const [, epoch = "0", rest] = /^(?:(\d+):)?(.*)$/.exec(version) as unknown as [string, string | undefined, string];
  const dash = rest.lastIndexOf("-");
  return {
    epoch: Number(epoch),
    upstream: dash === -1 ? rest : rest.slice(0, dash),
    revision: dash === -1 ? "0" : rest.slice(dash + 1),
  };
}

function compareParts(a: string, b: string): number {
  const [x, y]: [string[], string[]] = [a.match(/\D+|\d+/g) ?? [], b.match(/\D+|\d+/g) ?? []];
  // The first run is one of non-digits, possibly empty.
  if (/^\d/.test(a)) x.unshift("");
  if (/^\d/.test(b)) y.unshift("");
  for (let i = 0; i < Math.max(x.length, y.length); i += 2) {
    const order = compareText(x[i] ?? "", y[i] ?? "") || Number(x[i + 1] ?? 0) - Number(y[i + 1] ?? 0);
    if (order !== 0) return order;
  }
  return 0;
}

function compareText(a: string, b: string): number {
  for (let i = 0; i < Math.max(a.length, b.length); i++) {
    const order = weight(a[i]) - weight(b[i]);
    if (order !== 0) return order;
  }
  return 0;
}

function weight(character: string | undefined): number {
  if (character === "~") return -1;
  if (character === undefined) return 0;
  return character.charCodeAt(0) + (/[A-Za-z]/.test(character) ? 0 : 256);
}

/** Whether a version is a single one rather than a range. */
export function isExactDebian(version: string): boolean {
  return !/[<>=*,\s]/.test(version);
}

/**
 * The versions in a range, the newest first: `*`, a version, or constraints with commas between them, each `<<`, `<=`, `=`, `>=` or
 * `>>` and a version, as in Debian's control files.
 */
export function inRange(versions: readonly string[], range: string): string[] {
  const constraints = range
    .split(",")
    .map((one) => one.trim())
    .filter((one) => one !== "*" && one !== "")
    .map((one) => {
      const [, operator = "=", version] = /^(<<|<=|=|>=|>>|<|>)?\s*(\S+)$/.exec(one) ?? [];
      return { operator, version };
    });
  const fits = (candidate: string): boolean =>
    constraints.every(({ operator, version }) => {
      if (version === undefined) return false;
      const order = compareVersions(candidate, version);
      if (operator === "=") return order === 0;
      if (operator === "<<") return order < 0;
      if (operator === ">>") return order > 0;
      return operator.startsWith("<") ? order <= 0 : order >= 0; // As in dpkg, a single `<` means `<=`.
    });
  return versions.filter(fits).sort((a, b) => compareVersions(b, a));
}
