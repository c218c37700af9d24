import { existsSync, readFileSync } from "node:fs";
import { resolve } from "node:path";
import { Ajv2020 } from "ajv/dist/2020.js";
import addFormats from "ajv-formats";
import { describe, expect, it } from "vitest";
import type { Rendered } from "../../../src/render/index.ts";
import { talos } from "../../../src/render/talos/index.ts";
import { referenceDeployment } from "../deployments.ts";
import { documentsOf, renderSpec } from "./talos-render.ts";

const SCHEMA = resolve(import.meta.dirname, "../../../../shared/schemas/talos-v1.12-config.schema.json");
const missing = !existsSync(SCHEMA);

const machineConfigs = ({ artifacts }: Rendered): readonly (readonly [string, unknown])[] =>
  artifacts
    .filter(({ path }) => /\/(?:patches|nodes)\/[^/]+\.yaml$/.test(path))
    .flatMap(({ path, content }) => documentsOf(content).map((document) => [path, document] as const));

/** Everything that a guest can ask for on Talos 1.12, as lines of a spec. */
const EVERYTHING = {
  talos: `    version: "1.12.11"
    installDisk: nvme
    extensions: [siderolabs/nvidia-open-gpu-kernel-modules-lts, siderolabs/nvidia-container-toolkit-lts]
    modules: { nvidia_drm: [modeset=0], br_netfilter: [] }
    sysctls: { vm.max_map_count: 262144, net.core.bpf_jit_harden: "1" }
    userVolumes:
      data: { disk: nvme, minSize: 100GiB, maxSize: 1TB }
      whole: { disk: spare, type: disk, filesystem: ext4 }
      scratch: { type: directory }
      picked: { selector: 'disk.transport == "sata" && !system_disk' }`,
  guest: `  registries:
    local: { address: "192.168.3.10:5000", insecure: true, mirrorOf: [docker.io] }
    second: { address: mirror.example, mirrorOf: [docker.io, ghcr.io] }
  kubernetes:
    version: "1.35.0"
    cni: cilium
    podSubnet: 10.244.0.0/16
    serviceSubnet: 10.96.0.0/12
    gpuOperator: {}
    nodes:
      first: { address: 192.168.3.2, role: control-plane, labels: { rack: "1" } }
      second: { address: 192.168.3.3, role: worker }
      third: { role: both }`,
  metal: `  memory: { size: 256GiB, hugepages: { size: 2MiB, count: 512 } }
  disks:
    nvme: { serial: S7XXNJ0W, role: models }
    spare: { wwn: "0x5000cca02278736c" }
    other: { byId: nvme-X, prepare: user-volume, mount: /var/mnt/other, filesystem: ext4 }`,
};

describe.skipIf(missing)(
  `Talos' own schema${missing ? " (skipped: ../shared/schemas is not here)" : ""}`,
  () => {
    const ajv = new Ajv2020({ strict: false });
    addFormats.default(ajv);
    const valid = missing ? undefined : ajv.compile(JSON.parse(readFileSync(SCHEMA, "utf8")));

    /** Documents that the schema refuses, with its reasons. */
    const refused = (rendered: Rendered): readonly string[] =>
      machineConfigs(rendered).flatMap(([path, document]) =>
        valid?.(document) === true ? [] : [`${path}: ${JSON.stringify(valid?.errors)}`],
      );

    it.each([
      ["omni-prime", 5],
      ["omni-prime.fixed", 7],
      ["leviathan", 4],
      ["leviathan.fixed", 5],
    ])("takes every document of %s", async (name, least) => {
      const rendered = talos.render(await referenceDeployment(name));
      expect(machineConfigs(rendered).length).toBeGreaterThanOrEqual(least);
      expect(refused(rendered)).toEqual([]);
    });

    it("takes every document of a guest that asks for everything", async () => {
      const rendered = await renderSpec(EVERYTHING.talos, EVERYTHING);
      expect(machineConfigs(rendered)).toHaveLength(19);
      expect(refused(rendered)).toEqual([]);
    });

    it("would notice a number among sysctls and arguments that UKI boots ignore", () => {
      expect(valid?.({ machine: { sysctls: { a: "1" } } })).toBe(true);
      expect(valid?.({ machine: { sysctls: { a: 1 } } })).toBe(false);
      expect(valid?.({ machine: { install: { extraKernelArgs: ["a=b"] } } })).toBe(false);
    });
  },
);
