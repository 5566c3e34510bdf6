export type Compression = "none" | "gz" | "xz" | "bz2" | "zst";
export interface ArchiveFormat {
  readonly container: "tar" | "zip" | "deb";
  readonly compression: Compression;
}

const COMPRESSIONS: readonly (readonly [ending: RegExp, compression: Compression])[] = [
  [/\.tar$|\.gem$/i, "none"],
  [/\.tar\.gz$|\.tgz$|\.crate$/i, "gz"],
  [/\.tar\.(xz|lzma)$|\.txz$/i, "xz"],
  [/\.tar\.bz2$|\.tbz2?$/i, "bz2"],
  [/\.tar\.zst$/i, "zst"],
];

/** What kind of archive a file is, by its name; undefined: none that is opened (`.jar` only of sources). */
export function formatOf(name: string): ArchiveFormat | undefined {
  if (/\.(zip|whl)$|-sources?\.jar$/i.test(name)) return { container: "zip", compression: "none" };
  if (/\.deb$/i.test(name)) return { container: "deb", compression: "none" };
  const compression = COMPRESSIONS.find(([ending]) => ending.test(name))?.[1];
  return compression === undefined ? undefined : { container: "tar", compression };
}

/**
 * An entry's path with forward slashes and without `.` parts; undefined if it leads out of the archive: absolute, with a
 * drive, or with `..` in it.
 */
export function cleanPath(raw: string): string | undefined {
  if (raw.includes("\0") || /^([/\\]|[A-Za-z]:[/\\])/.test(raw)) return undefined;
  const parts = raw.split("/").filter((part) => part !== "" && part !== ".");
  if (parts.some((part) => part.split("\\").includes(".."))) return undefined;
  return parts.join("/");
}
