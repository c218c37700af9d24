import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { DeployedService, Deployment } from "../../../src/deployment/index.ts";
import { systemd } from "../../../src/render/systemd/index.ts";
import { deploymentOf } from "../deployments.ts";
import { dumpOf, printedWords } from "./real-systemd.ts";
import { commandWords, noSpecifiers, readUnit, words } from "./unit-file.ts";

const BASE = await deploymentOf(`omni: 1
name: node
metal: { gpus: { card: RTX 4090 } }
runtime: { kind: process, process: { systemd: true } }
models: { m: { source: /models/m.gguf, size: 2GB, family: qwen2.5-3b } }
services: { s: { model: m, engine: llama.cpp, devices: card, context: 4096 } }
`);

/** The deployment with its one service changed. */
function withService(changed: Partial<DeployedService>): Deployment {
  return { ...BASE, services: BASE.services.map((service) => ({ ...service, ...changed })) };
}

function textOf(deployment: Deployment): string {
  const { artifacts } = systemd.render(deployment);
  return artifacts.find(({ path }) => path === "systemd/omni-s.service")?.content ?? "";
}

const unitOf = (deployment: Deployment) =>
  readUnit(textOf(deployment)).get("Service") ?? new Map<string, string[]>();

const canDump = dumpOf("[Service]\nExecStart=/bin/true\n") !== undefined;

const startOf = (changed: Partial<DeployedService["start"]>): DeployedService["start"] => {
  const [service] = BASE.services;
  if (service === undefined) throw new Error("the deployment has no service");
  return { ...service.start, ...changed };
};

/** Any text that a process can be given, with what systemd and shells read as more than text made likely. */
const hostile = fc
  .oneof(
    fc.string({ unit: "grapheme" }),
    fc.string({ unit: fc.constantFrom(..."\"'\\%$;#=:@-+!|*?{}[]()<>&~` \t\n\raxn0".split("")) }),
    fc.constantFrom(
      "%",
      "%%h",
      "$HOME",
      "${X}",
      "$$",
      ";",
      "\\",
      "\\n",
      "-e",
      "a\nExecStart=/bin/evil",
      "\u2028",
      "# x",
    ),
  )
  .filter(
    (text) => !text.includes("\0") && text.isWellFormed() && !/\p{Noncharacter_Code_Point}/u.test(text),
  );

describe("values in units come out as they went in", () => {
  it("words of a command", () => {
    fc.assert(
      fc.property(fc.array(hostile, { maxLength: 8 }), (given) => {
        const unit = unitOf(withService({ start: startOf({ command: ["/opt/an engine", ...given] }) }));
        expect(unit.get("ExecStart")?.map(commandWords)).toEqual([["/opt/an engine", ...given]]);
      }),
    );
  });

  it.skipIf(!canDump)("words and paths, read by systemd itself (skipped where it cannot run)", () => {
    const given = fc.sample(hostile, { numRuns: 300, seed: 7 });
    const paths = [
      ...new Set(
        given.filter((text) => !/\p{Cc}/u.test(text)).map((text) => `/data/${text.replaceAll("/", "_")}x`),
      ),
    ];
    const mounts = paths.map((from, index): DeployedService["mounts"][number] => ({
      name: `data-${index}`,
      source: { kind: "folder", path: from, create: false },
      at: `/seen${from}`,
      readOnly: true,
      purpose: "data",
    }));
    const text = textOf(withService({ mounts, start: startOf({ command: ["/bin/sh", ...given] }) }));
    const dump = dumpOf(text.replaceAll(/^ExecStart(?:Pre|Post)=.*$/gm, ""));
    // Variables are replaced only when it starts.
    const command = printedWords(dump?.get("Command Line")?.[0] ?? "").map((word) =>
      word.replaceAll("$$", "$"),
    );
    expect(command).toEqual(["/bin/sh", ...given]);
    expect(dump?.get("BindReadOnlyPaths")).toEqual(paths.map((from) => `${from}:/seen${from}:rbind`));
  });

  it("variables, of which systemd takes no control characters but tab and newline", () => {
    // oxlint-disable-next-line no-control-regex -- they are what is left out
    const value = hostile.filter((text) => !/[\u0000-\u0008\u000b-\u001f\u007f]/.test(text));
    fc.assert(
      fc.property(value, value, (mine, engines) => {
        const unit = unitOf(
          withService({ environment: { MINE: mine }, start: startOf({ environment: { ENGINE: engines } }) }),
        );
        const read = (unit.get("Environment") ?? []).flatMap((line) => words(line).map(noSpecifiers));
        expect(read).toContain(`MINE=${mine}`);
        expect(read).toContain(`ENGINE=${engines}`);
      }),
    );
    expect(() => systemd.render(withService({ environment: { MINE: "a\u0007b" } }))).toThrow(
      "services.s.environment.MINE: systemd takes no control characters",
    );
  });

  it("paths, which can hold no control characters at all", () => {
    const path = hostile.filter((text) => !/\p{Cc}/u.test(text)).map((text) => `/data/${text}`);
    const mount = (from: string, at: string): DeployedService["mounts"][number] => ({
      name: "data-0",
      source: { kind: "folder", path: from, create: false },
      at,
      readOnly: false,
      purpose: "data",
    });
    fc.assert(
      fc.property(path, path, (from, at) => {
        fc.pre(from !== at);
        const unit = unitOf(withService({ mounts: [mount(from, at)] }));
        const read = (line: string): string[] => words(line, "plain", " \t:").map(noSpecifiers);
        expect(unit.get("BindPaths")?.map(read)).toEqual([[from, at]]);
        expect(unit.get("ReadWritePaths")?.map((line) => words(line, "plain").map(noSpecifiers))).toEqual([
          [from],
        ]);
      }),
    );
    expect(() => systemd.render(withService({ mounts: [mount("/a\nExecStart=/bin/evil", "/b")] }))).toThrow(
      "has a control character",
    );
  });

  it("files of secrets, and the script that reads them", () => {
    const path = hostile
      .filter((text) => !/\p{Cc}/u.test(text) && !/[ \\]$/.test(text) && text.trim() === text)
      .map((text) => `/run/${text}`);
    fc.assert(
      fc.property(path, (file) => {
        const unit = unitOf(withService({ environment: { KEY: { file } } }));
        expect(unit.get("LoadCredential")?.map(noSpecifiers)).toEqual([`KEY:${file}`]);
      }),
    );
    expect(() => systemd.render(withService({ environment: { KEY: { env: "X}; reboot #" } } }))).toThrow(
      "is no name of a variable",
    );
  });

  it("free text, which may become blanks but never a line of its own", () => {
    const described = (text: string, reason: string) =>
      systemd
        .render({
          ...withService({
            kind: text,
            machine: text,
            refused: { code: "does-not-fit", reason, hint: text },
          }),
          name: text,
        })
        .artifacts.filter(({ path }) => /\.(?:service|target|slice)$/.test(path))
        .map(({ path, content }) => ({ path, unit: readUnit(content) }));
    /** All that a unit says but its description. */
    const settings = ({ path, unit }: ReturnType<typeof described>[number]) => [
      path,
      [...unit].map(([name, values]) => [name, [...values].filter(([key]) => key !== "Description")]),
    ];
    const plain = described("plain", "plain").map(settings);
    fc.assert(
      fc.property(hostile, hostile, (text, reason) => {
        const units = described(text, reason);
        // Only the kind of engine decides about a setting, and no text of these is the name of one.
        expect(units.map(settings)).toEqual(plain);
        for (const { unit } of units)
          expect(unit.get("Unit")?.get("Description")?.map(noSpecifiers)).toEqual([
            expect.stringMatching(/^Omni/),
          ]);
      }),
    );
  });

  it("refuses what systemd cannot hold, and names the place", () => {
    const refused = (changed: Partial<DeployedService>, message: string): void =>
      expect(() => systemd.render(withService(changed))).toThrow(message);
    refused({ start: startOf({ command: ["-rm"] }) }, 'services.s: systemd starts "-rm" neither');
    refused({ start: startOf({ command: ["./engine"] }) }, "neither as a path from the root");
    refused({ start: startOf({ command: ["/bin/sh", "a\0b"] }) }, "NUL");
    refused({ start: startOf({ command: ["/bin/sh", "\ud800"] }) }, "no character");
    refused({ cpus: "0-3\nUser=root" }, "services.s.cpus");
    refused({ name: "s\nx" }, "cannot be part of a unit's name");
    expect(() => systemd.render({ ...BASE, process: { cgroups: true, systemd: true, user: "a b" } })).toThrow(
      "runtime.process.user",
    );
  });
});
