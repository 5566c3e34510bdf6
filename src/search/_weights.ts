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

export const WEIGHTS: Weights = {
  symbol: {
    lexical: 0.8,
    static: 0.3,
    full: 0.3,
    lexicalTop: 1,
    semanticTop: 0.5,
    lexicalPlace: 0.5,
    semanticPlace: 0.3,
    exactName: 4,
    exactCase: 1,
    scopedName: 2,
    nameCover: 1,
    queryInName: 1,
    queryNearName: 0.3,
    queryInScope: 0.2,
    pathMatch: 1,
    queryInPath: 0.5,
    folderMatch: 0.2,
    isFunction: 0.5,
    isClass: 0.9,
    isModule: -0.1,
    isDoc: -0.8,
    isConfig: -1,
    isText: -1,
    isTest: -1.2,
    isExample: -0.6,
    isVendored: -0.8,
    isGenerated: -0.6,
    isTypes: -0.4,
    isBarrel: -0.5,
    isLegacy: -0.6,
    isLog: -1,
    size: 0.1,
  },
  words: {
    lexical: 0.65,
    static: 1.05,
    full: 1.05,
    lexicalTop: 1.85,
    semanticTop: 0.8,
    lexicalPlace: 0.5,
    semanticPlace: 0.5,
    exactName: 2,
    exactCase: 0.3,
    scopedName: 1,
    nameCover: 2,
    queryInName: 1.8,
    queryNearName: 0.8,
    queryInScope: 0.5,
    pathMatch: 0.6,
    queryInPath: 1.2,
    folderMatch: 0.2,
    isFunction: 0.3,
    isClass: 0.4,
    isModule: 0,
    isDoc: -1,
    isConfig: -0.7,
    isText: -0.7,
    isTest: -1.2,
    isExample: -0.7,
    isVendored: -0.8,
    isGenerated: -0.6,
    isTypes: -0.4,
    isBarrel: -0.5,
    isLegacy: -0.6,
    isLog: -1,
    size: 0.5,
  },
  fileSupport: 0.5,
  sameFile: 0.4,
};
