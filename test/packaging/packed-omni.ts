import { execFile, spawn } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { clonedTree } from "../readme/walk-readme.ts";

const run = promisify(execFile);

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
  clonedTree(copy);
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

/** What `npm ci` makes of the packed lock, as the recipe of Omni's image asks for it; it installs nothing. */
export async function ciOfPacked(file: string, folder: string, env: NodeJS.ProcessEnv): Promise<string> {
  mkdirSync(folder);
  const wanted = ["package/package.json", "package/npm-shrinkwrap.json"];
  await run("tar", ["-xzf", file, "-C", folder, "--strip-components=1", ...wanted]);
  await run("npm", ["pkg", "delete", "devDependencies"], { cwd: folder, env });
  const { stdout } = await run("npm", ["ci", "--omit=dev", "--dry-run"], { cwd: folder, env });
  return stdout;
}

/** Installs the packed file without its optional parts, and gives the path of its command. */
export async function installLean(file: string, folder: string, env: NodeJS.ProcessEnv): Promise<string> {
  mkdirSync(folder);
  await run("npm", ["install", "--omit=optional", "--prefer-offline", file], { cwd: folder, env });
  return join(folder, "node_modules/.bin/omni");
}
