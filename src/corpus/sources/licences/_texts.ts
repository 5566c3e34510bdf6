/** A licence's text: the sentences that only it has, and where it ends if it speaks of other licences. */
export interface LicenceText {
  readonly spdx: string;
  /** All have to be there; the first tells where it begins. */
  readonly signs: readonly RegExp[];
  /**
   * Sentences it ends with, the last one first. What stands between is cut out before other licences are looked for: such
   * texts name others without giving anything under them.
   */
  readonly ends?: readonly RegExp[];
}

const TERMS_END = /end of terms and conditions/;

/** Texts that name other licences, longest names first. Signs are matched with text as `plainText` makes it. */
export const SPEAKING: readonly LicenceText[] = [
  {
    spdx: "AGPL-3.0-only",
    signs: [/gnu affero general public license,? version 3, 19 november/],
    ends: [/apply and follow the gnu agpl, see/, TERMS_END],
  },
  {
    spdx: "LGPL-3.0-only",
    signs: [/gnu lesser general public license,? version 3, 29 june/],
    ends: [/permanent authorization for you to choose that version for the library/],
  },
  {
    spdx: "LGPL-2.1-only",
    signs: [/gnu lesser general public license,? version 2\.1, february/],
    ends: [/thats all there is to it/, TERMS_END],
  },
  {
    spdx: "LGPL-2.0-only",
    signs: [/gnu library general public license,? version 2, june/],
    ends: [/thats all there is to it/, TERMS_END],
  },
  {
    spdx: "GPL-3.0-only",
    signs: [/gnu general public license,? version 3, 29 june/],
    ends: [/why-not-lgpl/, TERMS_END],
  },
  {
    spdx: "GPL-2.0-only",
    signs: [/gnu general public license,? version 2, june/],
    ends: [/use the gnu (lesser|library) general public license instead of this license/, TERMS_END],
  },
  {
    spdx: "GPL-1.0-only",
    signs: [/gnu general public license,? version 1, february/],
    ends: [/thats all there is to it/, TERMS_END],
  },
  {
    spdx: "EPL-2.0",
    signs: [/eclipse public license - v 2\.0/],
    ends: [
      /you may add additional accurate notices of copyright ownership/,
      /enforceable by .{0,60}third party beneficiary/,
    ],
  },
  {
    spdx: "EPL-1.0",
    signs: [/eclipse public license - v 1\.0/],
    ends: [/waives its rights to a jury trial in any resulting litigation/],
  },
  {
    spdx: "MPL-2.0",
    signs: [/mozilla public license,? version 2\.0 [-= ]*1\. definitions/],
    ends: [/incompatible with secondary licenses, as defined by the mozilla public license/, /secondary licenses/],
  },
  {
    spdx: "MPL-1.1",
    signs: [/mozilla public license,? version 1\.1 [-= ]*1\. definitions/],
    ends: [/exhibit a ?- ?mozilla public license/],
  },
  {
    spdx: "SSPL-1.0",
    signs: [/server side public license version 1/],
    ends: [TERMS_END],
  },
  {
    spdx: "Ruby",
    signs: [
      /you can redistribute (it|\w+) and or modify it under either the terms of .{0,120}?or the conditions below:? ?-? ?1\.? you may make and give away verbatim copies of the source form of the software without restriction/,
    ],
    ends: [/for a particular purpose/],
  },
  {
    spdx: "PSF-2.0",
    signs: [/python software foundation license version 2/],
    ends: [
      /cwi license agreement for python 0\.9\.0/,
      /agrees to be bound by the terms and conditions of this license agreement/,
    ],
  },
  {
    spdx: "Apache-2.0",
    signs: [/apache license,? version 2\.0, january 2004/],
    ends: [/governing permissions and limitations under the license/, TERMS_END],
  },
];

/** Texts that name no other; of each group the first that fits is the one. */
export const SILENT: readonly (readonly LicenceText[])[] = [
  [{ spdx: "CDDL-1.0", signs: [/common development and distribution license .{0,20}version 1\.[01]/] }],
  [
    { spdx: "Apache-2.0", signs: [/apache license,? version 2\.0/] },
    { spdx: "Apache-2.0", signs: [/licensed under the apache license, version 2/] },
    { spdx: "Apache-2.0", signs: [/common-licenses apache-2\.0/] },
  ],
  [{ spdx: "BSL-1.0", signs: [/boost software license - version 1\.0/] }],
  [{ spdx: "CC0-1.0", signs: [/cc0 1\.0 universal/] }],
  [{ spdx: "Unlicense", signs: [/free and unencumbered software released into the public domain/] }],
  [{ spdx: "Artistic-2.0", signs: [/the artistic license 2\.0/] }],
  [{ spdx: "PHP-3.01", signs: [/the php license, version 3\.01/] }],
  [{ spdx: "WTFPL", signs: [/do what the fuck you want to public license/] }],
  [
    {
      spdx: "BSD-4-Clause",
      signs: [/redistribution and use in source and binary forms/, /all advertising materials/],
    },
    {
      spdx: "BSD-3-Clause",
      signs: [/redistribution and use in source and binary forms/, /(endorse or promote products|nor the names of)/],
    },
    {
      spdx: "BSD-2-Clause-Patent",
      signs: [
        /redistribution and use in source and binary forms/,
        /each copyright holder and contributor hereby grants .{0,200}patent license/,
      ],
    },
    {
      spdx: "BSD-2-Clause",
      signs: [/redistribution and use in source and binary forms/, /binary form must reproduce/],
    },
  ],
  [{ spdx: "Zlib", signs: [/altered source versions must be plainly marked/] }],
  [
    {
      spdx: "PostgreSQL",
      signs: [
        /permission to use, copy, modify, and distribute this software and its documentation for any purpose, without fee, and without a written agreement/,
      ],
    },
    {
      spdx: "HPND",
      signs: [
        /permission to use, copy, modify,? and distribute this software and its documentation (with or without modifications and )?for any purpose and without fee is hereby granted/,
      ],
    },
  ],
  [
    { spdx: "NCSA", signs: [/permission is hereby granted, free of charge/, /university of illinois/] },
    {
      spdx: "MIT",
      signs: [
        /permission is hereby granted, free of charge, to any person obtaining a copy/,
        /the above copyright notice and this permission notice/,
      ],
    },
    { spdx: "MIT-0", signs: [/permission is hereby granted, free of charge, to any person obtaining a copy/] },
  ],
  [
    {
      spdx: "curl",
      signs: [
        /permission to use, copy, modify, and distribute this software for any purpose with or without fee is hereby granted, provided that/,
        /except as contained in this notice, the name of a copyright holder shall not be used in advertising/,
      ],
    },
    {
      spdx: "0BSD",
      signs: [
        /permission to use, copy, modify, and or distribute this software for any purpose with or without fee is hereby granted\. the software/,
      ],
    },
    {
      spdx: "ISC",
      signs: [
        /permission to use, copy, modify,? and( or)? distribute this software for any purpose with or without fee is hereby granted/,
      ],
    },
  ],
  [
    {
      spdx: "Ruby",
      signs: [/you may make and give away verbatim copies of the source form of the software without restriction/],
    },
  ],
];
