import js from "@eslint/js";
import ts from "typescript-eslint";

export default ts.config(
  {
    ignores: [
      "dist/",
      "node_modules/",
      "quickstart/",
      "results/",
      "test/fixtures/",
      "**/fixtures/",
      ".cache/",
      ".venv*/",
    ],
  },
  js.configs.recommended,
  ...ts.configs.recommended,
  {
    files: ["**/*.ts"],
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    rules: {
      "@typescript-eslint/no-floating-promises": "error",
      "@typescript-eslint/no-misused-promises": "error",
      "@typescript-eslint/await-thenable": "error",
      "@typescript-eslint/consistent-type-imports": "error",
      "@typescript-eslint/no-non-null-assertion": "off",
      // All randomness is seeded and passed in (src/base/rng.ts).
      "no-restricted-properties": ["error", { object: "Math", property: "random", message: "Pass an Rng in." }],
      "no-console": "error",
    },
  },
  { files: ["src/cli/**", "bench/**", "scripts/**", "test/helpers/build.ts"], rules: { "no-console": "off" } },
  {
    files: ["**/*.js", "**/*.mjs"],
    languageOptions: { globals: { process: "readonly", console: "readonly", URL: "readonly" } },
  },
);
