import { execFileSync } from "node:child_process";
import { DockerfileParser } from "dockerfile-ast";
import fc from "fast-check";
import { beforeAll, describe, expect, it } from "vitest";
import { OmniError } from "../../../src/core/index.ts";
import type { Deployment, ImageBuild } from "../../../src/deployment/index.ts";
import { referenceDeployment } from "../deployments.ts";
import { renderedImages, withImages } from "./rendered-images.ts";

let deployment: Deployment;
beforeAll(async () => {
  deployment = await referenceDeployment("concrete-bunker");
});

const HOSTILE = [
  "'",
  '"',
  "`id`",
  "$(id)",
  "${HOME}",
  "$$",
  "\\",
  "\\\\'",
  "a\\",
  "--privileged",
  "-",
  "# comment",
  "%s %n",
  "a: b",
  "&& rm -rf /",
  "; exit 1",
  "<<EOF",
  "ü 漢 \u{1F600}",
  "\u202E",
  "*",
  "~root",
  "a=b",
  "|x|",
  "[]",
];
/** Texts of one line; line breaks cannot stand in an instruction and are refused. */
const hostile = fc
  .array(fc.oneof(fc.constantFrom(...HOSTILE), fc.string({ unit: "grapheme", maxLength: 6 })), {
    minLength: 1,
    maxLength: 4,
  })
  .map((parts) => parts.join(" "));
// oxlint-disable-next-line no-control-regex -- what the renderer refuses
const CONTROLS = /[\u0000-\u0008\u000a-\u001f\u007f\u0085\u2028\u2029]/;
const writable = hostile.filter((text) => !CONTROLS.test(text));

const dockerfileOf = (build: Partial<ImageBuild>): string =>
  renderedImages(withImages(deployment, [build])).files.get("images/engine/Dockerfile") ?? "";

/**
 * Runs the commands of one RUN with recorders in place of its programs; words come back NUL-separated. PATH is empty: a
 * text that got out of its quotes finds nothing that it could start.
 */
function wordsOf(text: string, program: "git" | "cmake"): readonly (readonly string[])[] {
  const commands = DockerfileParser.parse(text)
    .getInstructions()
    .filter((one) => one.getKeyword() === "RUN")
    .map((one) => one.getArgumentsContent() ?? "")
    .find((content) => content.startsWith(`${program} `));
  const stubs = ["git", "cmake", "nproc"].map(
    (name) => `${name}() { ${name === program ? String.raw`printf '%s\0' "$@"; printf '\1'` : ":"}; }`,
  );
  const told = execFileSync("/bin/sh", ["-c", `${stubs.join("\n")}\n${commands ?? "exit 9"}`], {
    encoding: "utf8",
    env: { PATH: "/nonexistent" },
  });
  return told
    .split("\u0001")
    .filter((call) => call !== "")
    .map((call) => call.split("\0").slice(0, -1));
}

describe("hostile texts in a Dockerfile", () => {
  it("come back from ENV as they were", () => {
    fc.assert(
      fc.property(writable, (value) => {
        const dockerfile = DockerfileParser.parse(dockerfileOf({ environment: { PROBE: value } }));
        const read = dockerfile
          .getENVs()
          .flatMap((env) => env.getProperties())
          .filter((property) => property.getName() === "PROBE")
          // The parser leaves \$ as it stands; Docker's own takes the backslash away.
          .map((property) => property.getValue()?.replaceAll(String.raw`\$`, "$"));
        expect(read).toEqual([value]);
      }),
      { numRuns: 300 },
    );
  });

  it("come back from the shell as one word of cmake and of git", () => {
    fc.assert(
      fc.property(writable, writable, (value, repository) => {
        const text = dockerfileOf({ flags: { [`PROBE ${value}`]: value }, repository, commit: value });
        const [configure] = wordsOf(text, "cmake");
        expect(configure).toContain(`-DPROBE ${value}=${value}`);
        expect(wordsOf(text, "git").find(([verb]) => verb === "fetch")).toEqual([
          "fetch",
          "-q",
          "--depth",
          "1",
          "--",
          repository,
          value,
        ]);
      }),
      { numRuns: 25 },
    );
  });

  it("never leave comments or labels: the instructions are the same", () => {
    const keywords = (text: string): readonly string[] =>
      DockerfileParser.parse(text)
        .getInstructions()
        .map((one) => one.getKeyword());
    const plain = keywords(dockerfileOf({}));
    fc.assert(
      fc.property(hostile, (name) => {
        const files = renderedImages(
          withImages({ ...deployment, name }, [
            { name: "engine", dockerfile: `/x/Dockerfile`, path: name, context: name },
          ]),
        ).files;
        expect(keywords(files.get("images/engine/Dockerfile") ?? "")).toEqual(plain);
      }),
      { numRuns: 200 },
    );
  });

  it("line breaks and bad references are refused by place", () => {
    const refused = (build: Partial<ImageBuild>): unknown => {
      try {
        dockerfileOf(build);
        return "rendered";
      } catch (thrown) {
        return thrown instanceof OmniError ? [thrown.code, thrown.message] : thrown;
      }
    };
    expect(refused({ environment: { A: "x\ny" } })).toEqual([
      "render.unrepresentable",
      expect.stringContaining("engines.engine.build.environment.A holds a line break"),
    ]);
    expect(refused({ environment: { "A B": "x" } })).toEqual(["render.unrepresentable", expect.any(String)]);
    expect(refused({ flags: { A: "x\ny" } })).toEqual([
      "render.unrepresentable",
      expect.stringContaining("flags.A"),
    ]);
    expect(refused({ base: "ubuntu AS build\nRUN id" })).toEqual([
      "render.unrepresentable",
      expect.stringContaining("base"),
    ]);
    expect(refused({ packages: ["--allow-unauthenticated"] })).toEqual([
      "render.unrepresentable",
      expect.stringContaining("no package"),
    ]);
  });

  it("secrets are mounted for the build alone and never written", () => {
    const text = dockerfileOf({
      environment: { GIT_TOKEN: { env: "TOKEN_OF_OWNER" }, CACHE: { file: "/run/cache key" } },
    });
    expect(text).toContain("--mount=type=secret,id=GIT_TOKEN,required=true");
    expect(text).not.toMatch(/ENV (?:GIT_TOKEN|CACHE)/);
    const script = renderedImages(
      withImages(deployment, [
        { environment: { GIT_TOKEN: { env: "TOKEN_OF_OWNER" }, CACHE: { file: "/run/cache key" } } },
      ]),
    ).files.get("images/build.sh");
    expect(script).toContain(
      "--secret 'id=GIT_TOKEN,env=TOKEN_OF_OWNER' --secret 'id=CACHE,src=/run/cache key'",
    );
  });
});
