import { parseAllDocuments } from "yaml";
import type { Rendered } from "../../../src/render/index.ts";
import { talos } from "../../../src/render/talos/index.ts";
import { deploymentOf } from "../deployments.ts";

/** The files of a spec given as the lines of `guest` and `metal`, indented by two, on a machine with two disks. */
export async function renderSpec(
  talosLines: string,
  more: { guest?: string; metal?: string } = {},
): Promise<Rendered> {
  const text = `omni: 1
name: node
metal:
  platform: proxmox
  gpus: { card: { model: RTX 5090, uuid: GPU-f4f210c1-5a52-7267-979e-fe922961190a } }
${more.metal ?? "  disks: { nvme: { serial: S7XXNJ0W } }"}
guest:
  address: 192.168.3.2
${more.guest ?? "  vm: { id: 105, cores: 8, memory: 32GiB }"}
  talos:
${talosLines}
`;
  return talos.render(await deploymentOf(text));
}

/** The content of the file whose path ends so; throws where there is none. */
export function fileOf({ artifacts }: Rendered, end: string): string {
  const found = artifacts.find(({ path }) => path.endsWith(`/${end}`));
  if (found === undefined) throw new Error(`no ${end} among ${artifacts.map(({ path }) => path).join(", ")}`);
  return found.content;
}

export const hasFile = ({ artifacts }: Rendered, end: string): boolean =>
  artifacts.some(({ path }) => path.endsWith(`/${end}`));

/** Plain data of all documents of a text; throws where YAML finds an error. */
export function documentsOf(text: string): unknown[] {
  return parseAllDocuments(text).map((document) => {
    if (document.errors[0] !== undefined) throw document.errors[0];
    return document.toJS() as unknown;
  });
}

/** Plain data of a file's only document. */
export const documentOf = (rendered: Rendered, end: string): unknown => documentsOf(fileOf(rendered, end))[0];

/** Codes and paths of the findings, for comparing at a glance. */
export const findingsOf = ({ diagnostics }: Rendered): readonly string[] =>
  diagnostics.map(({ severity, code, path }) => `${severity} ${code} ${path ?? ""}`);
