import { execFile, spawn } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { ROOT } from "../e2e/run-node.ts";

const run = promisify(execFile);

/** What `npm pack` needs of a clone. */
const SOURCES = [
  "LICENSE",
  "README.md",
  "console",
  "demo/MODEL_CARD.md",
  "demo/omni-demo.gguf",
  "omni",
  "package-lock.json",
  "package.json",
  "scripts",
  "src",
  "tsconfig.json",
  "tsconfig.package.json",
];

/** npm as a person's shell has it: nothing of the npm that runs the tests, its own cache, this registry alone. */
export function npmEnvironment(folder: string, registry: string): NodeJS.ProcessEnv {
  const userconfig = join(folder, "npmrc");
  writeFileSync(userconfig, "");
  const inherited = Object.entries(process.env).filter(([name]) => !/^npm_/i.test(name));
  return {
    ...Object.fromEntries(inherited),
    NO_COLOR: "1",
    OMNI_STATE: join(folder, "state"),
    npm_config_audit: "false",
    npm_config_cache: join(folder, "cache"),
    npm_config_fund: "false",
    // None of the dependencies needs its install script, in a clone neither (allowScripts); some would compile for minutes.
    npm_config_ignore_scripts: "true",
    npm_config_registry: registry,
    npm_config_update_notifier: "false",
    npm_config_userconfig: userconfig,
  };
}

/** `npm pack` in a copy of the clone, because it builds in place and other tests read what is built here. */
export async function packOmni(
  folder: string,
): Promise<{ readonly file: string; readonly contents: readonly string[] }> {
  const copy = join(folder, "clone");
  mkdirSync(copy);
  const archive = join(folder, "sources.tar");
  await run("tar", ["-C", ROOT, "-cf", archive, ...SOURCES]);
  await run("tar", ["-C", copy, "-xf", archive]);
  symlinkSync(join(ROOT, "node_modules"), join(copy, "node_modules"));
  const env = { ...npmEnvironment(folder, "http://127.0.0.1:9"), npm_config_ignore_scripts: "false" };
  const { stdout } = await run("npm", ["pack", "--silent", "--pack-destination", folder], { cwd: copy, env });
  const file = join(folder, stdout.trim().split("\n").at(-1) ?? "");
  const listed = await run("tar", ["-tzf", file], { maxBuffer: 2 ** 24 });
  return { file, contents: listed.stdout.trim().split("\n") };
}

/** `npx` of the packed file in a folder, in a process group of its own. */
export function npx(
  file: string,
  args: readonly string[],
  cwd: string,
  env: NodeJS.ProcessEnv,
): ChildProcess {
  return spawn("npx", ["--yes", `--package=${file}`, "--", "omni", ...args], {
    cwd,
    env,
    detached: true,
    stdio: ["ignore", "pipe", "pipe"],
  });
}
