import { execFileSync } from "node:child_process";
import { readdirSync, rmSync } from "node:fs";
import { join } from "node:path";

/** What Vite makes; the one folder of `dist` that is not this script's. */
const CONSOLE = "console";

/** Compiles `src` to JavaScript in `dist`, after what an older source left there is gone. Throws what the compiler says. */
export function compileSource(root: string): void {
  const dist = join(root, "dist");
  for (const name of existing(dist)) if (name !== CONSOLE) rmSync(join(dist, name), { recursive: true });
  const compiler = join(root, "node_modules/typescript/bin/tsc");
  execFileSync(process.execPath, [compiler, "-p", join(root, "tsconfig.package.json")], { stdio: "inherit" });
}

const existing = (folder: string): readonly string[] => {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
};
