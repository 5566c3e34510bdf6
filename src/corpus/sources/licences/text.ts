import { UNKNOWN } from "./expression.js";

/** Names of files that hold a project's licence, in its root folder. */
export function isLicenceFile(name: string): boolean {
  return /^(un)?(licen[cs]e|copying)([.-].*)?$/i.test(name) && !/\.(js|ts|py|rb|go|php|java|cs|c|h)$/i.test(name);
}

/**
 * Which licence a licence file holds, told by sentences that only it has; the first that fits. A file with several
 * licences (third parties' below the project's) is named after the strictest seen: copyleft comes first.
 */
export function licenceOfText(text: string): string {
  const plain = text
    .toLowerCase()
    .replace(/[\s*#>/]+/g, " ")
    .replace(/[“”"'`]/g, "");
  return SIGNS.find(([, signs]) => signs.every((sign) => sign.test(plain)))?.[0] ?? UNKNOWN;
}

const SIGNS: readonly (readonly [spdx: string, signs: readonly RegExp[]])[] = [
  ["AGPL-3.0-only", [/gnu affero general public license version 3/]],
  ["LGPL-3.0-only", [/gnu lesser general public license version 3/]],
  ["LGPL-2.1-only", [/gnu lesser general public license version 2\.1/]],
  ["LGPL-2.0-only", [/gnu library general public license version 2/]],
  ["GPL-3.0-only", [/gnu general public license version 3, 29 june/]],
  ["GPL-2.0-only", [/gnu general public license version 2, june/]],
  // Debian's packages hold these texts in one place and refer to it.
  ["GPL-3.0-or-later", [/common-licenses gpl-3/]],
  ["GPL-2.0-or-later", [/common-licenses gpl-2/]],
  ["GPL-1.0-or-later", [/common-licenses gpl/]],
  ["LGPL-2.1-or-later", [/common-licenses lgpl/]],
  ["EPL-2.0", [/eclipse public license - v 2\.0/]],
  ["EPL-1.0", [/eclipse public license - v 1\.0/]],
  ["MPL-2.0", [/mozilla public license,? version 2\.0/]],
  ["MPL-1.1", [/mozilla public license,? version 1\.1/]],
  ["CDDL-1.0", [/common development and distribution license/]],
  ["BUSL-1.1", [/business source license 1\.1/]],
  ["SSPL-1.0", [/server side public license/]],
  ["Elastic-2.0", [/elastic license 2\.0/]],
  ["Apache-2.0", [/apache license,? version 2\.0/]],
  ["Apache-2.0", [/licensed under the apache license, version 2/]],
  ["Apache-2.0", [/common-licenses apache-2\.0/]],
  ["BSL-1.0", [/boost software license - version 1\.0/]],
  ["CC0-1.0", [/cc0 1\.0 universal/]],
  ["Unlicense", [/free and unencumbered software released into the public domain/]],
  ["Artistic-2.0", [/the artistic license 2\.0/]],
  ["PSF-2.0", [/python software foundation license version 2/]],
  ["PHP-3.01", [/the php license, version 3\.01/]],
  ["BSD-4-Clause", [/redistribution and use in source and binary forms/, /all advertising materials/]],
  [
    "BSD-3-Clause",
    [/redistribution and use in source and binary forms/, /(endorse or promote products|nor the names of)/],
  ],
  ["BSD-2-Clause", [/redistribution and use in source and binary forms/, /binary form must reproduce/]],
  ["Zlib", [/altered source versions must be plainly marked/]],
  [
    "PostgreSQL",
    [
      /permission to use, copy, modify, and distribute this software and its documentation for any purpose, without fee, and without a written agreement/,
    ],
  ],
  ["NCSA", [/university of illinois/, /permission is hereby granted, free of charge/]],
  [
    "MIT",
    [
      /permission is hereby granted, free of charge, to any person obtaining a copy/,
      /the above copyright notice and this permission notice/,
    ],
  ],
  ["MIT-0", [/permission is hereby granted, free of charge, to any person obtaining a copy/]],
  [
    "0BSD",
    [
      /permission to use, copy, modify, and or distribute this software for any purpose with or without fee is hereby granted\. the software/,
    ],
  ],
  [
    "ISC",
    [
      /permission to use, copy, modify,? and( or)? distribute this software for any purpose with or without fee is hereby granted/,
    ],
  ],
  ["Ruby", [/you may make and give away verbatim copies of the source form of the software without restriction/]],
];
