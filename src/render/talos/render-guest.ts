import type { Artifact, Rendered } from "../artifact.ts";
import { imagesEnv } from "./images.ts";
import { nodeFindings } from "./node-findings.ts";
import { nodePatch, talosNodes } from "./nodes.ts";
import { clusterPatch, schedulingPatch } from "./patches/cluster.ts";
import { installPatch } from "./patches/install.ts";
import { kernelArgumentsPatch } from "./patches/kernel-arguments.ts";
import { modulesPatch } from "./patches/modules.ts";
import { podSecurityPatch } from "./patches/pod-security.ts";
import { registriesPatch } from "./patches/registries.ts";
import { hugepagesPatch, sysctlsPatch } from "./patches/sysctls.ts";
import { volumesPatch } from "./patches/volumes.ts";
import { readme } from "./readme.ts";
import { schematicOf } from "./schematic.ts";
import type { Schematic } from "./schematic.ts";
import { applyScript } from "./scripts/apply-script.ts";
import { schematicIdScript } from "./scripts/schematic-id-script.ts";
import { upgradeScript } from "./scripts/upgrade-script.ts";
import type { TalosGuest, TalosPatch } from "./talos-guest.ts";
import { versionFindings } from "./version-findings.ts";

/** All files of one guest below `talos/NAME/`. */
export function renderGuest(own: TalosGuest): Rendered {
  const schematic = schematicOf(own);
  const results = [
    installPatch(own, schematic),
    modulesPatch(own),
    sysctlsPatch(own),
    volumesPatch(own),
    registriesPatch(own),
    podSecurityPatch(own),
    kernelArgumentsPatch(own),
    hugepagesPatch(own),
    clusterPatch(own),
    schedulingPatch(own),
  ];
  const patches = results.flatMap(({ patch }) => (patch === undefined ? [] : [patch]));
  return {
    artifacts: [...plainFiles(own, schematic, patches), ...patchFiles(own, patches), ...nodeFiles(own)],
    diagnostics: [
      ...versionFindings(own),
      ...nodeFindings(own),
      ...schematic.diagnostics,
      ...results.flatMap(({ diagnostics }) => diagnostics),
    ],
  };
}

function plainFiles(
  own: TalosGuest,
  schematic: Schematic,
  patches: readonly TalosPatch[],
): readonly Artifact[] {
  const asked = `Asked for by guests.${own.name}.talos: `;
  const file = (name: string, content: string, mode: number, reason: string): Artifact => ({
    path: `talos/${own.name}/${name}`,
    content,
    mode,
    reason: asked + reason,
  });
  return [
    file(
      "README.md",
      readme(own, schematic, patches),
      0o644,
      "what the files are and in which order they are used.",
    ),
    file(
      "schematic.yaml",
      schematic.text,
      0o644,
      "what the image factory builds in; without a comment, because its hash is the id.",
    ),
    file(
      "schematic-id.sh",
      schematicIdScript(own, schematic),
      0o755,
      "posts the schematic to the image factory and checks the id.",
    ),
    file(
      "images.env",
      imagesEnv(own, schematic),
      0o644,
      "names of the images for this version, platform and schematic.",
    ),
    file(
      "apply.sh",
      applyScript(own, schematic, patches),
      0o755,
      "makes, checks and applies the machine configs.",
    ),
    file(
      "upgrade.sh",
      upgradeScript(own, schematic),
      0o755,
      "upgrades Talos and Kubernetes to the versions of the spec.",
    ),
  ];
}

const patchFiles = (own: TalosGuest, patches: readonly TalosPatch[]): readonly Artifact[] =>
  patches.map(({ file, content, reason }) => ({
    path: `talos/${own.name}/patches/${file}`,
    content,
    mode: 0o644,
    reason,
  }));

const nodeFiles = (own: TalosGuest): readonly Artifact[] =>
  talosNodes(own).flatMap((node): Artifact[] => {
    const content = nodePatch(own, node);
    if (content === undefined) return [];
    const reason = `Asked for by guests.${own.name}.kubernetes.nodes.${node.name}: host name and labels.`;
    return [{ path: `talos/${own.name}/nodes/${node.name}.yaml`, content, mode: 0o644, reason }];
  });
