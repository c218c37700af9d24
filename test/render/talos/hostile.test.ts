import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { evaluate } from "@marcbachmann/cel-js";
import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { z } from "zod";
import type { Deployment } from "../../../src/deployment/index.ts";
import type { Rendered } from "../../../src/render/index.ts";
import { talos } from "../../../src/render/talos/index.ts";
import { referenceDeployment } from "../deployments.ts";
import { documentOf, documentsOf, fileOf } from "./talos-render.ts";

const CHOSEN = [
  "it's",
  'say "x"',
  "a\nb: c",
  "a\r\n---\nkind: Pod",
  "$(id)",
  "`id`",
  "${HOME}",
  "- x",
  "--help",
  "~",
  "null",
  "no",
  "0x10",
  "1e3",
  "2026-01-01",
  "&a *b !c %d @e",
  "# not a comment",
  "a #b",
  "[x, {y: z}]",
  "trailing: ",
  " leading",
  "%s\\n\\",
  "\u2028\u0085\ufeff",
  "é😀",
  "|",
  ">-",
  "'",
];

/** Texts that a shell word can hold: all but NUL. */
const hostile = fc.oneof(
  fc.constantFrom(...CHOSEN),
  fc
    .string({ unit: "binary", minLength: 1, maxLength: 20 })
    .filter((text) => text.isWellFormed() && !text.includes("\0")),
);

/** The guest of omni-prime.fixed with this text wherever a spec takes free text. */
function withText(deployment: Deployment, text: string): Deployment {
  return {
    ...deployment,
    hosts: deployment.hosts.map((host) => ({
      ...host,
      disks: {
        serial: { serial: text },
        wwn: { wwn: `w${text}` },
        byId: { byId: `i${text}` },
        device: { device: `/dev/${text}` },
      },
    })),
    guests: deployment.guests.map((guest) => ({
      ...guest,
      address: text,
      registries: { local: { address: text, insecure: true, mirrorOf: [`m${text}`] } },
      kubernetes: {
        version: "1.35.0",
        clusterName: text,
        endpoint: text,
        podSubnet: text,
        serviceSubnet: text,
        nodes: { first: { address: text, role: "both", labels: { [`k${text}`]: text } } },
      },
      talos: {
        version: "1.12.11",
        factory: `https://${text}`,
        installDisk: "serial",
        extensions: [text],
        kernelArguments: { by: "schematic", arguments: [text] },
        meta: { "10": text },
        modules: { [`n${text}`]: [text] },
        sysctls: { [`s${text}`]: text },
        patches: [text],
        userVolumes: {
          serial: { disk: "serial" },
          wwn: { disk: "wwn" },
          byid: { disk: "byId" },
          device: { disk: "device" },
          own: { selector: text },
        },
      },
    })),
  };
}

const volumes = z.array(
  z.object({ provisioning: z.object({ diskSelector: z.object({ match: z.string() }) }) }),
);

function selectorsOf(rendered: Rendered): readonly string[] {
  const read = volumes.parse(documentsOf(fileOf(rendered, "patches/40-volumes.yaml")));
  return read.map(({ provisioning }) => provisioning.diskSelector.match);
}

const NOTHING = { serial: "", wwid: "", symlinks: [""], dev_path: "" };

describe("hostile texts in a Talos guest", () => {
  it("come back from YAML and CEL as they were", async () => {
    const deployment = await referenceDeployment("omni-prime.fixed");
    fc.assert(
      fc.property(hostile, (text) => {
        const rendered = talos.render(withText(deployment, text));
        expect(documentOf(rendered, "schematic.yaml")).toEqual({
          customization: {
            extraKernelArgs: [text],
            meta: [{ key: 10, value: text }],
            systemExtensions: { officialExtensions: [text] },
          },
        });
        expect(documentOf(rendered, "patches/20-modules.yaml")).toEqual({
          machine: { kernel: { modules: [{ name: `n${text}`, parameters: [text] }] } },
        });
        expect(documentOf(rendered, "patches/30-sysctls.yaml")).toEqual({
          machine: { sysctls: { [`s${text}`]: text } },
        });
        expect(documentsOf(fileOf(rendered, "patches/50-registries.yaml"))).toMatchObject([
          { name: text, endpoints: [{ url: `http://${text}` }] },
          { name: `m${text}`, endpoints: [{ url: `http://${text}` }] },
        ]);
        expect(documentOf(rendered, "patches/85-cluster.yaml")).toMatchObject({
          cluster: { network: { podSubnets: [text], serviceSubnets: [text] } },
        });
        expect(documentsOf(fileOf(rendered, "nodes/first.yaml"))[1]).toEqual({
          machine: { nodeLabels: { [`k${text}`]: text } },
        });
        expect(documentOf(rendered, "patches/10-install.yaml")).toMatchObject({
          machine: { install: { diskSelector: { serial: text } } },
        });
        const [serial = "", wwn = "", byId = "", device = "", own] = selectorsOf(rendered);
        expect(own).toBe(text);
        const disk = {
          serial: text,
          wwid: `w${text}`,
          symlinks: [`/dev/disk/by-id/i${text}`],
          dev_path: `/dev/${text}`,
        };
        for (const match of [serial, wwn, byId, device]) {
          expect(evaluate(match, { disk, system_disk: false })).toBe(true);
          expect(evaluate(match, { disk, system_disk: true })).toBe(false);
          expect(evaluate(match, { disk: NOTHING, system_disk: false })).toBe(false);
        }
      }),
      { numRuns: 80 },
    );
  });
});

describe("hostile texts in the scripts of a Talos guest", () => {
  let folder = "";
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "omni-talos-"));
    mkdirSync(join(folder, "bin"));
    const program = '#!/bin/sh\nprintf \'%s\\0\' "$@" >> "$LOG"\n';
    writeFileSync(join(folder, "bin/talosctl"), program, { mode: 0o755 });
    writeFileSync(join(folder, "bin/curl"), program, { mode: 0o755 });
    mkdirSync(join(folder, "secrets"));
    writeFileSync(join(folder, "secrets/secrets.yaml"), "");
  });
  afterEach(() => {
    rmSync(folder, { recursive: true, force: true });
  });

  /** Runs a script and gives the words that its programs got. */
  function wordsOf(script: string, id: string): readonly string[] {
    const log = join(folder, "log");
    rmSync(log, { force: true });
    const env = {
      PATH: `${join(folder, "bin")}:${process.env["PATH"] ?? ""}`,
      LOG: log,
      TALOS_SCHEMATIC: id,
      OMNI_TALOS_SECRETS: join(folder, "secrets"),
    };
    spawnSync("sh", [join(folder, "talos/omni-prime", script)], { cwd: folder, env });
    return readFileSync(log, "utf8").split("\0");
  }

  it("reach the programs as they were", async () => {
    const deployment = await referenceDeployment("omni-prime.fixed");
    fc.assert(
      fc.property(hostile, (text) => {
        for (const { path, content, mode } of talos.render(withText(deployment, text)).artifacts) {
          mkdirSync(dirname(join(folder, path)), { recursive: true });
          writeFileSync(join(folder, path), content, { mode });
        }
        const applied = wordsOf("apply.sh", "ID");
        const config = applied.indexOf("config");
        expect(applied.slice(config, config + 3)).toEqual(["config", text, text]);
        expect(applied[applied.indexOf("--nodes") + 1]).toBe(text);
        expect(applied).toContain(text.startsWith("/") ? `@${text}` : `@./${text}`);
        const upgraded = wordsOf("upgrade.sh", "ID");
        expect(upgraded[upgraded.indexOf("--nodes") + 1]).toBe(text);
        const factory = text.replace(/\/+$/, "");
        const known = /^TALOS_SCHEMATIC=(.*)$/m.exec(
          fileOf(talos.render(withText(deployment, text)), "images.env"),
        );
        expect(upgraded[upgraded.indexOf("--image") + 1]).toBe(
          `${factory}/metal-installer/${known?.[1] ?? "ID"}:v1.12.11`,
        );
        expect(wordsOf("schematic-id.sh", "ID").at(-2)).toBe(`https://${factory}/schematics`);
      }),
      { numRuns: 20, examples: CHOSEN.slice(0, 9).map((text): [string] => [text]) },
    );
  });

  it("with NUL are refused", async () => {
    const deployment = await referenceDeployment("omni-prime.fixed");
    expect(() => talos.render(withText(deployment, "a\0b"))).toThrow(
      expect.objectContaining({ code: "render.unrepresentable" }),
    );
  });
});
