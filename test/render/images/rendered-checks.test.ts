import { spawnSync } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Deployment } from "../../../src/deployment/index.ts";
import { omni, temporaryFolder } from "../../e2e/run-node.ts";
import { cudaLibrary, elfFile, fatbinContainer } from "../../fakes/fatbin-elf.ts";
import { referenceDeployment, REFERENCE_SYSTEMS } from "../deployments.ts";
import { execWords, parsedDockerfile, renderedImages } from "./rendered-images.ts";

const home = temporaryFolder();
afterAll(() => home.remove());
let bunker: Deployment;
beforeAll(async () => {
  bunker = await referenceDeployment("concrete-bunker");
});

const shellcheck = spawnSync("shellcheck", ["--version"]).status === 0;
describe("shellcheck", () => {
  it.skipIf(!shellcheck)(
    `finds nothing in the scripts of the reference systems${shellcheck ? "" : " (skipped: shellcheck is not installed)"}`,
    async () => {
      for (const name of REFERENCE_SYSTEMS) {
        const script = renderedImages(await referenceDeployment(name)).files.get("images/build.sh") ?? "";
        const done = spawnSync("shellcheck", ["-"], { input: script, encoding: "utf8" });
        expect([name, done.stdout]).toEqual([name, ""]);
      }
    },
  );
});

describe("the check of a rendered Dockerfile", () => {
  /** The check's own command, with a folder of this machine in place of the mounted stage. */
  const check = async (
    folder: string,
  ): Promise<{ readonly code: number | null; readonly stderr: string }> => {
    const dockerfile = parsedDockerfile(bunker, "images/blackwell/Dockerfile.blackwell");
    const words = execWords(dockerfile).find(([program]) => program === "./omni") ?? [];
    return omni(
      words.slice(1).map((word) => (word === "/built" ? folder : word)),
      home.path,
    );
  };

  it("fails on a library for 9.0 alone and on none at all, and passes on one for 12.0", async () => {
    const app = join(home.path, "built", "app");
    mkdirSync(app, { recursive: true });
    const none = await check(dirname(app));
    expect([none.code, none.stderr]).toEqual([
      1,
      expect.stringContaining("no binary here carries CUDA code"),
    ]);
    const library = join(app, "libggml-cuda.so");
    writeFileSync(library, elfFile({ ".nv_fatbin": fatbinContainer([{ form: "cubin", version: 90 }]) }));
    const refused = await check(dirname(app));
    expect([refused.code, refused.stderr]).toEqual([
      1,
      expect.stringContaining("lacks sm_120; it carries sm_90"),
    ]);
    // llama.cpp makes 120a of 120.
    writeFileSync(library, cudaLibrary());
    expect(await check(dirname(app))).toMatchObject({ code: 0, stderr: "" });
  });
});
