import { debianToSpdx } from "./debian-names.js";
import { UNKNOWN } from "./expression.js";
import { licenceOfText } from "./text.js";

/**
 * Reads `debian/copyright` in the machine-readable format (copyright-format/1.0, "DEP-5").
 *
 * @param places `source`: paths are those of the source package. `binary`: they are where its files get installed, so a
 * pattern fits the end of a path.
 * @returns each file's licence as an SPDX expression, by the last paragraph that fits, as the format says. Of a free-form
 * file: what its text is recognised as, for all files.
 */
export function debianCopyright(text: string, places: "source" | "binary"): (path: string) => string {
  if (!/^Format(-Specification)?:/im.test(text)) {
    const licence = licenceOfText(text);
    return () => licence;
  }
  const rules = paragraphs(text)
    .filter((fields) => fields.has("files"))
    .map((fields) => ({
      pattern: filesPattern(fields.get("files")!, places),
      licence: debianToSpdx((fields.get("license") ?? "").split("\n")[0]!),
    }))
    .reverse();
  const decided = new Map<string, string>();
  return (path) => {
    let licence = decided.get(path);
    if (licence === undefined) {
      licence = rules.find(({ pattern }) => pattern.test(path))?.licence ?? UNKNOWN;
      if (decided.size < 10_000) decided.set(path, licence);
    }
    return licence;
  };
}

/** Paragraphs of fields, by their names in lower case; lines that go on a field are joined with line breaks. */
function paragraphs(text: string): Map<string, string>[] {
  return text
    .replace(/\r\n?/g, "\n")
    .split(/\n(?:[ \t]*\n)+/)
    .map((paragraph) => {
      const fields = new Map<string, string>();
      let name: string | undefined;
      for (const line of paragraph.split("\n")) {
        const field = /^([\w-]+):[ \t]*(.*)$/.exec(line);
        if (field !== null) fields.set((name = field[1]!.toLowerCase()), field[2]!);
        else if (name !== undefined && /^[ \t]/.test(line)) fields.set(name, `${fields.get(name)}\n${line.trim()}`);
      }
      return fields;
    });
}

/** `*` and `?` cross slashes; a backslash takes a character as it is. */
function filesPattern(files: string, places: "source" | "binary"): RegExp {
  const globs = files
    .split(/[\s,]+/)
    .filter((glob) => glob !== "")
    .map((glob) =>
      glob.replace(/^\.\//, "").replace(/\\.|[*?]|[.+^${}()|[\]\\/]/g, (token) => {
        if (token === "*") return ".*";
        if (token === "?") return ".";
        const character = token.length === 2 ? token[1]! : token;
        return /\w/.test(character) ? character : `\\${character}`;
      }),
    );
  return new RegExp(`^${places === "binary" ? "(?:.*/)?" : ""}(?:${globs.join("|")})$`, "s");
}
