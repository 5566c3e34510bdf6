export { MONITOR_PAGE } from "./monitor-page.js";
