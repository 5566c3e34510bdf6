/** placeholder replaced below */
export const SEARCH_PAGE = "<!doctype html><title>lodestone</title>";
