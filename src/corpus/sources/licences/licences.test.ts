import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { debianCopyright } from "./debian-copyright.js";
import { debianToSpdx } from "./debian-names.js";
import { allOf, isAllowed, licenceRules, toSpdx } from "./expression.js";
import { headerLicence } from "./header.js";
import { packageJsonLicence } from "./package-json.js";
import { noticeLicence } from "./notice.js";
import { isLicenceFile, licenceOfText, licenceOfTexts } from "./text.js";

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

  const mit =
    "Permission is hereby granted, free of charge, to any person obtaining a copy of this software. " +
    "The above copyright notice and this permission notice shall be included.";
  const bsd =
    "Redistribution and use in source and binary forms are permitted. Redistributions in binary form must reproduce " +
    "the notice. Neither the name nor the names of its contributors may be used.";
  const apache = "Apache License\n Version 2.0, January 2004 ... END OF TERMS AND CONDITIONS";
  const gpl2 = "GNU GENERAL PUBLIC LICENSE\n Version 2, June 1991 ... END OF TERMS AND CONDITIONS";
  const notice = (kind: string, version: string): string =>
    `it under the terms of the GNU ${kind}General Public License as\npublished by the Free Software Foundation, either ` +
    `version ${version} of the\nLicense, or (at your option) any later version.`;

  test.each<[what: string, text: string, expected: string]>([
    ["texts beside each other", `${mit}\n${gpl2}`, "MIT AND GPL-2.0-only"],
    ["a pointer of Debian's", "see /usr/share/common-licenses/GPL-2 for the text", "GPL-2.0-or-later"],
    ["prose", "All rights reserved.", "NOASSERTION"],
    [
      "an AGPL notice before a module's BSD text",
      `${notice("Affero ", "3")}\n${bsd}`,
      "AGPL-3.0-or-later AND BSD-3-Clause",
    ],
    ["an LGPL notice behind the text", `${mit}\nlib/x: ${notice("Lesser ", "2.1")}`, "MIT AND LGPL-2.1-or-later"],
    ["version before the name", `${mit} parts: version 2 of the GNU General Public License`, "MIT AND GPL-2.0-only"],
    ["a notice says which versions", `${notice("", "2")}\n${gpl2}`, "GPL-2.0-or-later"],
    ["an abbreviation at the beginning", `GPLv3 or later; parts:\n${mit}`, "GPL-3.0-or-later AND MIT"],
    ["an abbreviation far behind it", `${mit}${" .".repeat(2000)} the tables of two GPL projects`, "MIT"],
    ["Ms-PL", `Microsoft Public License (Ms-PL)\nMonoGame\n... The MIT License\n${mit}`, "MS-PL AND MIT"],
    ["a split licence", `Six Labors Split License\n ... under the Apache License, Version 2.0 if`, "NOASSERTION"],
    ["Commons Clause", `"Commons Clause" License Condition v1.0\n${apache}`, "NOASSERTION"],
    ["SSPL", `Server Side Public License\nVERSION 1, OCTOBER 16, 2018\n...`, "SSPL-1.0"],
    [
      "BUSL with its later licence",
      `Business Source License 1.1\nChange License: Apache License, Version 2.0`,
      "BUSL-1.1 AND Apache-2.0",
    ],
    ["Elastic beside Apache", `Parts under Elastic License 2.0, the rest: ${apache}`, "Elastic-2.0 AND Apache-2.0"],
    ["Apache first, Eclipse later", `${apache} APPENDIX\nEclipse Public License - v 2.0 ...`, "Apache-2.0 AND EPL-2.0"],
    [
      "a choice, then both texts",
      `Files are provided under a dual [Apache-2.0](https://example.org/Apache-2.0.html)\nOR [GPL-2.0-or-later](https://example.org/GPL-2.0-or-later.html) license.\nThe full text is below.\n${apache}\n${gpl2}`,
      "Apache-2.0 OR GPL-2.0-or-later",
    ],
    ["an SPDX line beside a text", `SPDX-License-Identifier: Elastic-2.0\n${mit}`, "Elastic-2.0 AND MIT"],
    ["an SPDX line that is a choice", "`SPDX-License-Identifier: Apache-2.0 OR MIT`\n", "Apache-2.0 OR MIT"],
    [
      "a choice covers what it names only",
      `Licensed under either of MIT or Apache-2.0 at your option. Parts are MPL.\n${mit}\nMozilla Public License, version 2.0`,
      "(MIT OR Apache-2.0) AND MPL-2.0",
    ],
    ["a choice within a part", `${notice("Affero ", "3")} Module x is dual-licensed.`, "AGPL-3.0-or-later"],
    [
      "curl's",
      "Permission to use, copy, modify, and distribute this software for any purpose\nwith or without fee is hereby granted, provided that the above. Except as contained in this notice, the name of a copyright holder shall not\nbe used in advertising",
      "curl",
    ],
    [
      "Ruby's own, with its other choice",
      "You can redistribute it and/or modify it under either the terms of the\nGPL (see COPYING), or the conditions below:\n 1. You may make and give away verbatim copies of the\n source form of the software without restriction",
      "Ruby",
    ],
    [
      "the GPL instead, if one likes",
      `${bsd} Alternatively, the contents of this package may be used under the terms of the GNU General Public License ("GPL") version 2, in which case the provisions of the GPL are applicable instead. A recipient may use it under either the BSD or the GPL.\n\nOn Debian systems, the text of the GNU General Public License version 2 can be found in \`/usr/share/common-licenses/GPL-2'.`,
      "BSD-3-Clause",
    ],
    [
      "documentation of its own",
      `${bsd} Documentation components of this are licensed under a Creative Commons Attribution-ShareAlike 3.0 license.`,
      "BSD-3-Clause",
    ],
  ])("%s", (_, text, expected) => {
    expect(licenceOfText(text)).toBe(expected);
  });

  test("several files together; those without a licence say nothing", () => {
    expect(licenceOfTexts([mit, "see LICENSE.md", bsd])).toBe("MIT AND BSD-3-Clause");
    expect(licenceOfTexts(["see LICENSE.md"])).toBeUndefined();
    expect(licenceOfTexts([mit, "Commons Clause"])).toBe("NOASSERTION");
  });

  test("what their files are called", () => {
    const are = ["LICENSE", "LICENCE.txt", "COPYING", "MIT-LICENSE", "LICENSE-MIT", "LICENSE-APACHE", "UNLICENSE"];
    expect(are.filter((name) => !isLicenceFile(name))).toEqual([]);
    const none = [
      "LICENSE-docs",
      "LICENSE-3rdparty.csv",
      "license.js",
      "LICENSE_OF_LOGO",
      "LICENSE-binary",
      "COPYRIGHT",
    ];
    expect(none.filter(isLicenceFile)).toEqual([]);
  });
});

describe("notices in files", () => {
  const GPL =
    "This program is free software; you can redistribute it and/or modify\n * it under the terms of the GNU General Public\n * License as published by the Free Software Foundation; either version 2\n * of the License, or (at your option) any later version.";
  test.each<[what: string, text: string, expected: string | undefined]>([
    ["GPL", `/*\n * x\n *\n * ${GPL}\n */\nint x;`, "GPL-2.0-or-later"],
    [
      "LGPL in Python",
      '"""x\n\nDistributed under the GNU Lesser General Public License, version 3.\n"""',
      "LGPL-3.0-only",
    ],
    [
      "AGPL in Ruby",
      "# frozen_string_literal: true\n# under the terms of the GNU Affero General Public License\n",
      "AGPL-3.0-or-later",
    ],
    [
      "MPL",
      "/* This Source Code Form is subject to the terms of the Mozilla Public\n * License, v. 2.0. */",
      "MPL-2.0",
    ],
    ["EPL", "// made available under the terms of the Eclipse Public License 2.0\n", "EPL-2.0"],
    [
      "Elastic",
      "// or more contributor license agreements. Licensed under the Elastic License\n// 2.0;",
      "Elastic-2.0",
    ],
    ["none", "/* Licensed under the Apache License, Version 2.0 */", undefined],
    ["not in a comment", 'const text = "under the terms of the GNU General Public License";', undefined],
    ["a remark", "// Detects the GNU General Public License by its title.\n", undefined],
    [
      "another file's",
      "/* The following BSD-style license applies to this file only. The rest of Valgrind is licensed under the\n terms of the GNU General Public License, version 2. */",
      undefined,
    ],
    ["far behind the beginning", `${" ".repeat(5000)}/* ${GPL} */`, undefined],
    [
      "besides another",
      `/* BSD. Alternatively, this software may be distributed under the terms of the GNU General Public License. */`,
      undefined,
    ],
    [
      "a choice",
      "/* This software is available to you under a choice of one of two\n * licenses.  You may choose to be licensed under the terms of the GNU\n * General Public License (GPL) Version 2, or the\n * OpenIB.org BSD license below: */",
      "GPL-2.0-only OR LicenseRef-BSD",
    ],
  ])("%s", (_, text, expected) => {
    expect(noticeLicence(Buffer.from(text))).toBe(expected);
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
