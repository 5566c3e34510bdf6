export { MONITOR_PAGE } from "./monitor-page.js";
export { SEARCH_PAGE } from "./search-page.js";
