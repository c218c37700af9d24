import { execFileSync, spawnSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { omni, temporaryFolder } from "./run-node.ts";

const folder = temporaryFolder();
afterAll(() => folder.remove());

const installed = (shell: string): boolean => spawnSync(shell, ["--version"]).status === 0;

async function script(shell: string): Promise<string> {
  const { code, stdout } = await omni(["completion", shell], folder.path);
  expect(code).toBe(0);
  const path = join(folder.path, `omni.${shell}`);
  writeFileSync(path, stdout);
  return path;
}

/** What bash offers for a command line whose last word is being typed. */
function offered(path: string, words: readonly string[]): string[] {
  const run = `source ${path}; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _omni; printf '%s\\n' "\${COMPREPLY[@]}"`;
  return execFileSync("bash", ["-c", run, "bash", ...words], { encoding: "utf8" })
    .trim()
    .split("\n");
}

describe("completion", () => {
  it("offers commands and each command's options in bash", async () => {
    const path = await script("bash");
    expect(offered(path, ["./omni", "st"])).toEqual(["status"]);
    expect(offered(path, ["./omni", "up", "--mo"])).toEqual(["--model"]);
    expect(offered(path, ["./omni", "events", "--"])).toEqual([
      "--json",
      "--follow",
      "--limit",
      "--url",
      "--help",
    ]);
  });

  it.runIf(installed("zsh"))("is a script that zsh reads (skipped where zsh is not installed)", async () => {
    expect(spawnSync("zsh", ["-n", await script("zsh")], { encoding: "utf8" })).toMatchObject({
      status: 0,
      stderr: "",
    });
  });

  it.runIf(installed("fish"))("offers commands in fish (skipped where fish is not installed)", async () => {
    const path = await script("fish");
    const found = execFileSync("fish", ["-c", `source ${path}; complete -C 'omni st'`], { encoding: "utf8" });
    expect(found).toMatch(/^status\t/);
  });

  it("an unknown shell is refused with the known ones", async () => {
    const { code, stderr } = await omni(["completion", "tcsh"], folder.path);
    expect(code).toBe(2);
    expect(stderr).toContain("bash, zsh, fish");
  });
});
