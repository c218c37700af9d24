import { mkdirSync } from "node:fs";
import { fileURLToPath } from "node:url";

const FOLDER = fileURLToPath(new URL("../../node_modules/.cache/omni-simulation", import.meta.url));

/**
 * Variables under which Node keeps what it made of the source files: a simulated program then starts several times as fast.
 * None where that folder cannot be written.
 */
export function compileCache(): Readonly<Record<string, string>> {
  try {
    mkdirSync(FOLDER, { recursive: true });
    return { NODE_COMPILE_CACHE: FOLDER };
  } catch {
    return {};
  }
}
