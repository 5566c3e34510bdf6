import type { Feature } from "./rank/features.js";

/** Weights of the linear model, by the shape of the query. Fitted by `scripts/fit-ranking.ts`; absent ones are 0. */
export interface Weights {
  readonly symbol: Readonly<Partial<Record<Feature, number>>>;
  readonly words: Readonly<Partial<Record<Feature, number>>>;
  /** What other good chunks of the same file add. */
  readonly fileSupport: number;
  /** What each earlier hit from the same file takes away. */
  readonly sameFile: number;
}

/**
 * Fitted with the package's static encoder on 2,879 questions of 25 held-out repositories, and then changed by hand where
 * such questions mislead: a sentence of documentation names other definitions than the one that it describes (`exactName`
 * and its kin among `words`), short functions were not asked about (`size`, `isFunction`), and no full encoder took part
 * (`full`).
 */
export const WEIGHTS: Weights = {
  symbol: {
    lexical: 0.29,
    static: -0.33,
    full: 0.1,
    lexicalTop: 1.45,
    semanticTop: 0.95,
    lexicalPlace: 0.62,
    semanticPlace: 0.29,
    exactName: 4.11,
    exactCase: 1.14,
    scopedName: 2,
    nameCover: 0.86,
    queryInName: 0.57,
    queryNearName: -0.5,
    queryInScope: 0.84,
    pathMatch: 0.07,
    queryInPath: 0.12,
    folderMatch: 0.18,
    isFunction: 0.14,
    isClass: 0.88,
    isModule: 0.34,
    isDoc: -0.8,
    isConfig: -1,
    isText: -1,
    isTest: -1.2,
    isExample: -0.6,
    isVendored: -0.8,
    isGenerated: -0.6,
    isTypes: -0.4,
    isBarrel: -0.58,
    isLegacy: -0.6,
    isLog: -1,
    size: 1.87,
  },
  words: {
    lexical: 0.22,
    static: 0.36,
    full: 0.6,
    lexicalTop: 1.24,
    semanticTop: 0.32,
    lexicalPlace: 0.38,
    semanticPlace: 0.71,
    exactName: 1,
    exactCase: 0,
    scopedName: 1,
    nameCover: 1.14,
    queryInName: 0.51,
    queryNearName: 0.16,
    queryInScope: -0.07,
    pathMatch: 0.91,
    queryInPath: 1.09,
    folderMatch: 0.21,
    isFunction: 0.8,
    isClass: 0.42,
    isModule: -0.46,
    isDoc: -1,
    isConfig: -0.7,
    isText: -0.7,
    isTest: -1.2,
    isExample: -0.7,
    isVendored: -0.8,
    isGenerated: -0.6,
    isTypes: -0.4,
    isBarrel: -0.51,
    isLegacy: -0.6,
    isLog: -1,
    size: 1.6,
  },
  fileSupport: 0.5,
  sameFile: 1,
};
