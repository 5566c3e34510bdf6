import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { debianCopyright } from "./debian-copyright.js";
import { debianToSpdx } from "./debian-names.js";
import { allOf, isAllowed, licenceRules, toSpdx } from "./expression.js";
import { headerLicence } from "./header.js";
import { packageJsonLicence } from "./package-json.js";
import { licenceOfText } from "./text.js";

describe("which expressions pass", () => {
  const rules = licenceRules();
  test.each([
    ["MIT", true],
    ["GPL-2.0-only", false],
    ["MIT OR GPL-2.0-only", true],
    ["MIT AND GPL-2.0-only", false],
    ["(MIT OR GPL-2.0-only) AND Apache-2.0", true],
    ["Apache-2.0 WITH LLVM-exception", true],
    ["GPL-2.0-or-later WITH Classpath-exception-2.0", false],
    ["MPL-2.0", false],
    ["LicenseRef-public-domain AND MIT", true],
    ["NOASSERTION", false],
    ["no such thing", false],
  ])("%s: %s", (expression, passes) => {
    expect(isAllowed(expression, rules)).toBe(passes);
  });

  test("a list of one's own, and everything", () => {
    expect(isAllowed("MPL-2.0", licenceRules({ allow: ["MPL-2.0"] }))).toBe(true);
    expect(isAllowed("MIT", licenceRules({ allow: ["MPL-2.0"] }))).toBe(false);
    expect(isAllowed("MIT", licenceRules({}, ["MPL-2.0"]))).toBe(false);
    const gnu = licenceRules({ allow: ["GPL-2.0-only", "LGPL-2.1+"] });
    const passing = [
      "GPL-2.0",
      "GPL-2.0-only",
      "GPL-2.0-only WITH Linux-syscall-note",
      "LGPL-2.1-or-later",
      "LGPL-2.1+",
    ];
    expect(passing.map((one) => isAllowed(one, gnu))).toEqual(passing.map(() => true));
    expect(["GPL-2.0+", "GPL-2.0-or-later", "GPL-3.0", "LGPL-2.1"].map((one) => isAllowed(one, gnu))).toEqual(
      Array(4).fill(false),
    );
    expect(isAllowed("NOASSERTION", licenceRules({ includeOthers: true }))).toBe(true);
  });

  test("what people write", () => {
    expect(toSpdx("Apache 2.0")).toBe("Apache-2.0");
    expect(toSpdx("UNLICENSED")).toBe("NOASSERTION");
    expect(toSpdx("SEE LICENSE IN LICENSE.md")).toBe("NOASSERTION");
    expect(allOf(["MIT", "MIT"])).toBe("MIT");
    expect(allOf(["MIT OR ISC", "Apache-2.0"])).toBe("(MIT OR ISC) AND Apache-2.0");
    expect(allOf([])).toBe("NOASSERTION");
  });
});

describe("headers of files", () => {
  test.each([
    ["// SPDX-License-Identifier: MIT\ncode", "MIT"],
    ["/* SPDX-License-Identifier: GPL-2.0 WITH Linux-syscall-note */", "GPL-2.0 WITH Linux-syscall-note"],
    ["<!-- SPDX-License-Identifier: (Apache-2.0 OR MIT) -->", "(Apache-2.0 OR MIT)"],
    ["# SPDX-License-Identifier: BSD-3-Clause\r\n# SPDX-License-Identifier: ISC", "BSD-3-Clause AND ISC"],
    ["int x;", undefined],
    [`${"x".repeat(5000)}// SPDX-License-Identifier: MIT`, undefined],
  ])("%j", (text, expected) => {
    expect(headerLicence(Buffer.from(text))).toBe(expected);
  });
});

test("package.json in its three forms", () => {
  expect(packageJsonLicence('{"license": "MIT"}')).toBe("MIT");
  expect(packageJsonLicence('{"license": {"type": "BSD-2-Clause", "url": "x"}}')).toBe("BSD-2-Clause");
  expect(packageJsonLicence('{"licenses": [{"type": "MIT"}, {"type": "GPL-2.0"}]}')).toBe("MIT OR GPL-2.0");
  expect(packageJsonLicence("{}")).toBe("NOASSERTION");
  expect(packageJsonLicence("{")).toBe("NOASSERTION");
});

describe("licence texts", () => {
  test.each([
    ["source-map-js/LICENSE", "BSD-3-Clause"],
    ["three/LICENSE", "MIT"],
    ["zod/LICENSE", "MIT"],
    ["typescript/LICENSE.txt", "Apache-2.0"],
    ["semver/LICENSE", "ISC"],
    ["eslint-scope/LICENSE", "BSD-2-Clause"],
  ])("%s is %s", async (path, expected) => {
    const text = await readFile(fileURLToPath(new URL(`../../../../node_modules/${path}`, import.meta.url)), "utf8");
    expect(licenceOfText(text)).toBe(expected);
  });

  test("copyleft goes first where a text names several; prose is none", () => {
    const mit = "Permission is hereby granted, free of charge, to any person obtaining a copy";
    expect(licenceOfText(`${mit}\n GNU GENERAL PUBLIC LICENSE\n  Version 2, June 1991`)).toBe("GPL-2.0-only");
    expect(licenceOfText("see /usr/share/common-licenses/GPL-2 for the text")).toBe("GPL-2.0-or-later");
    expect(licenceOfText("All rights reserved.")).toBe("NOASSERTION");
  });
});

describe("debian/copyright", () => {
  test.each([
    ["Expat", "MIT"],
    ["GPL-2+", "GPL-2.0-or-later"],
    ["GPL-2", "GPL-2.0-only"],
    ["LGPL-2.1+", "LGPL-2.1-or-later"],
    ["GPL", "GPL-1.0-or-later"],
    ["GPL-2+ with OpenSSL exception", "GPL-2.0-or-later"],
    ["GPL-2+ or Expat", "GPL-2.0-or-later OR MIT"],
    ["Apache-2.0 and BSD-3-clause", "Apache-2.0 AND BSD-3-Clause"],
    ["GPL-2+ or Artistic-2.0, and BSD-3-clause", "(GPL-2.0-or-later OR Artistic-2.0) AND BSD-3-Clause"],
    ["BSD-3-clause-Google", "BSD-3-Clause"],
    ["BSD", "LicenseRef-BSD"],
    ["public-domain", "LicenseRef-public-domain"],
    ["Some Odd Licence", "LicenseRef-Some-Odd-Licence"],
    ["", "NOASSERTION"],
  ])("%s is %s", (written, expected) => {
    expect(debianToSpdx(written)).toBe(expected);
  });

  const text = `Format: https://example.org/copyright-format/1.0/
Upstream-Name: x

Files: *
Copyright: 2020 A
License: Apache-2.0

Files: lib/regex/*
 tests/t?.c
Copyright: 1990 B
License: LGPL-2.1+

Files: lib/regex/free.c
Copyright: 1999 C
License: Expat
 Permission is hereby granted, ...
 .
 More text.

Files: debian/*
Copyright: 2021 D
License: GPL-3+

License: Apache-2.0
 See /usr/share/common-licenses/Apache-2.0.
`;

  test("the last paragraph that fits a file of the source decides", () => {
    const licence = debianCopyright(text, "source");
    expect(licence("src/a.c")).toBe("Apache-2.0");
    expect(licence("lib/regex/deep/b.c")).toBe("LGPL-2.1-or-later");
    expect(licence("tests/t1.c")).toBe("LGPL-2.1-or-later");
    expect(licence("tests/t12.c")).toBe("Apache-2.0");
    expect(licence("lib/regex/free.c")).toBe("MIT");
    expect(licence("usr/lib/regex/b.c")).toBe("Apache-2.0");
  });

  test("of a binary package the pattern fits where files end up", () => {
    const licence = debianCopyright(text, "binary");
    expect(licence("usr/share/gocode/src/x/lib/regex/b.c")).toBe("LGPL-2.1-or-later");
    expect(licence("usr/share/gocode/src/x/lib/regex/free.c")).toBe("MIT");
    expect(licence("usr/share/gocode/src/x/a.c")).toBe("Apache-2.0");
  });

  test("free-form text is recognised as a whole", () => {
    const licence = debianCopyright("It is in /usr/share/common-licenses/GPL-3 on Debian.", "source");
    expect(licence("a.c")).toBe("GPL-3.0-or-later");
  });
});
