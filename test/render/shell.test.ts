import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { expect, it } from "vitest";
import { parseAllDocuments } from "yaml";
import type { Artifact } from "../../src/render/index.ts";
import { TARGETS } from "../../src/render/targets.ts";
import { REFERENCE_SYSTEMS, referenceDeployment } from "./deployments.ts";

/** A script and where it stands, for whoever has to correct it. */
interface Script {
  readonly where: string;
  readonly shell: "sh" | "bash";
  readonly text: string;
}

const shellOf = (program: string): Script["shell"] | undefined =>
  ["sh", "dash", "ash"].includes(basename(program))
    ? "sh"
    : basename(program) === "bash"
      ? "bash"
      : undefined;

/** Files that begin as a script does, or are named as one. */
function whole({ path, content }: Artifact): Script[] {
  const shebang = /^#!\s*(\S+)(?:[ \t]+(\S+))?/.exec(content);
  const program = shebang?.[1]?.endsWith("/env") === true ? shebang[2] : shebang?.[1];
  const shell = shellOf(program ?? (path.endsWith(".sh") ? "sh" : ""));
  return shell === undefined ? [] : [{ where: path, shell, text: content }];
}

/** `[sh, -c, TEXT]` of containers, and scripts that are values of a ConfigMap. */
function embedded({ path, content }: Artifact): Script[] {
  if (!/\.ya?ml$/.test(path)) return [];
  const undo = path.startsWith("compose/") ? (text: string) => text.replaceAll("$$", "$") : undoKubernetes;
  return parseAllDocuments(content).flatMap((document) =>
    scriptsIn(document.toJS()).map(([shell, text]): Script => ({ where: path, shell, text: undo(text) })),
  );
}

/** The kubelet replaces $(NAME) and takes $$ before it for one dollar. */
const undoKubernetes = (text: string): string => text.replaceAll("$$(", "$(");

type Found = readonly [shell: Script["shell"], text: string];

function scriptsIn(value: unknown): Found[] {
  if (typeof value === "string") {
    const shebang = /^#!\s*(\S+)/.exec(value);
    const shell = shellOf(shebang?.[1] ?? "");
    return shell === undefined ? [] : [[shell, value]];
  }
  if (Array.isArray(value)) return [...commandIn(value), ...value.flatMap(scriptsIn)];
  if (typeof value !== "object" || value === null) return [];
  const fields = new Map(Object.entries(value));
  // A container's command and its arguments are one command line; so are entry point and command of a service.
  const lines = [
    ["command", "args"],
    ["entrypoint", "command"],
  ].flatMap(([first = "", second = ""]) => {
    const [program, rest]: unknown[] = [fields.get(first), fields.get(second)];
    return Array.isArray(program) && Array.isArray(rest) && commandIn(program).length === 0
      ? commandIn([...program, ...rest])
      : [];
  });
  return [...lines, ...[...fields.values()].flatMap(scriptsIn)];
}

function commandIn(words: readonly unknown[]): Found[] {
  const at = words.findIndex((word) => typeof word === "string" && /^-[a-z]*c$/.test(word));
  const [program, script]: unknown[] = [words[at - 1], words[at + 1]];
  const shell = typeof program === "string" ? shellOf(program) : undefined;
  return shell === undefined || typeof script !== "string" ? [] : [[shell, script]];
}

it.skipIf(spawnSync("shellcheck", ["--version"]).error !== undefined)(
  "every shell script of every target passes shellcheck (skipped where shellcheck is not installed)",
  async () => {
    const scripts = new Map<string, Script>();
    for (const name of [...REFERENCE_SYSTEMS, "workstation", "laptop"]) {
      const deployment = await referenceDeployment(name);
      for (const target of TARGETS.filter(({ wanted }) => wanted(deployment)))
        for (const artifact of target.render(deployment).artifacts)
          for (const script of [...whole(artifact), ...embedded(artifact)])
            scripts.set(`${script.shell} ${script.text}`, { ...script, where: `${name}: ${script.where}` });
    }
    const found = [...scripts.values()];
    expect(found.length).toBeGreaterThan(20);
    for (const some of [/omni-switch$/, /compose\.yaml$/, /kubernetes\/.*\.yaml$/, /images\/build\.sh$/])
      expect(found.map(({ where }) => where)).toContainEqual(expect.stringMatching(some));

    const folder = mkdtempSync(join(tmpdir(), "omni-scripts-"));
    try {
      const complaints = (["sh", "bash"] as const).flatMap((shell) => {
        const of = found.filter((script) => script.shell === shell);
        mkdirSync(join(folder, shell));
        of.forEach(({ text }, index) => writeFileSync(join(folder, shell, String(index)), text));
        const names = of.map((_, index) => String(index));
        if (names.length === 0) return [];
        const { stdout, stderr } = spawnSync("shellcheck", ["-s", shell, "-f", "gcc", ...names], {
          cwd: join(folder, shell),
          encoding: "utf8",
          maxBuffer: 2 ** 26,
        });
        return `${stdout}${stderr}`
          .split("\n")
          .filter((line) => line !== "")
          .map((line) => line.replace(/^\d+/, (index) => of[Number(index)]?.where ?? index));
      });
      expect(complaints).toEqual([]);
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  },
);
