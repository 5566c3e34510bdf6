export { cutLicence, excludedByName, excludedByText } from "./files.js";
export { candidate, extract, type Candidate, type Extraction, type ExtractOptions } from "./extract.js";
export { leaks, type Leak, type Leakable } from "./leak.js";
