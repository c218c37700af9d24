import { existsSync } from "node:fs";
import { join } from "node:path";

const MODULES = join(import.meta.dirname, "suites/node_modules");

/** Foreign programs, by what they are run as; `npm ci --prefix test/mcp/suites` brings them. */
export const SUITES = {
  /** The conformance suite of the eras up to 2025-11-25. */
  conformance: join(MODULES, "@modelcontextprotocol/conformance/dist/index.js"),
  /** The conformance suite that also knows 2026-07-28. */
  conformance2026: join(MODULES, "conformance-2026/dist/index.js"),
  inspector: join(MODULES, "@modelcontextprotocol/inspector/clients/launcher/build/index.js"),
  /** A client of the SDK before its second version. */
  oldClient: join(import.meta.dirname, "suites/old-client.mjs"),
} as const;

/** Whether they are installed; the tests that need them are skipped where they are not, and say so. */
export const INSTALLED = existsSync(join(MODULES, "conformance-2026/package.json"));

/** Ends the title of each test that is skipped without them. */
export const NEEDS = "(needs npm ci --prefix test/mcp/suites)";
