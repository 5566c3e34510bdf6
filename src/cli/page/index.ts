export {
  barChart,
  columnChart,
  escapeHtml,
  lineChart,
  niceTicks,
  type Bar,
  type Column,
  type Series,
} from "./charts.js";
export { renderPage, type Page } from "./page.js";
