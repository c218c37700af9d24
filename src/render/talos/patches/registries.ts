import type { Diagnostic } from "../../../core/index.ts";
import type { GuestSystem } from "../../../deployment/index.ts";
import { yamlDocument, yamlDocuments } from "../../documents/yaml.ts";
import { finding, NO_PATCH } from "../talos-guest.ts";
import type { PatchResult, TalosGuest } from "../talos-guest.ts";

type Registry = NonNullable<GuestSystem["registries"]>[string];

interface Mirror {
  readonly name: string;
  readonly urls: readonly string[];
  /** The registry is the mirror itself; nobody else has its images. */
  readonly itself: boolean;
}

const urlOf = ({ address, insecure }: Registry): string =>
  `${insecure === true ? "http" : "https"}://${address}`;

/**
 * A mirror for each registry of plain HTTP, which containerd would ask by HTTPS, and for each name that is mirrored. One
 * entry a name: Talos refuses a patch with two documents of one name.
 */
function mirrorsOf(registries: readonly Registry[]): readonly Mirror[] {
  const itself = new Set(
    registries.filter(({ insecure }) => insecure === true).map(({ address }) => address),
  );
  const urls = new Map<string, Set<string>>([...itself].map((name) => [name, new Set([`http://${name}`])]));
  for (const own of registries) {
    for (const name of own.mirrorOf ?? []) urls.set(name, (urls.get(name) ?? new Set()).add(urlOf(own)));
  }
  return [...urls].map(([name, set]): Mirror => ({ name, urls: [...set], itself: itself.has(name) }));
}

/** A password is stored in the machine config as it is, so it is never rendered; this says how it gets there. */
function authFindings(own: TalosGuest): readonly Diagnostic[] {
  return Object.entries(own.guest.registries ?? {}).flatMap(([name, { address, username, password }]) =>
    username === undefined && password === undefined
      ? []
      : [
          finding(
            own,
            "render.not-applicable",
            "warning",
            `registries.${name}`,
            `Talos keeps the credentials of ${address} in the machine config itself and knows no reference; Omni writes no secret into a file.`,
            own.contract.registryDocuments
              ? `Keep a patch outside of the repository (apiVersion: v1alpha1, kind: RegistryAuthConfig, name: ${address}, username, password) and name it in guest.talos.patches.`
              : `Keep a patch outside of the repository (machine.registries.config.${JSON.stringify(address)}.auth) and name it in guest.talos.patches.`,
          ),
        ],
  );
}

const about = ({ itself, name }: Mirror): string =>
  itself
    ? `${name} speaks plain HTTP; without this Talos asks it by HTTPS. Nobody else has its images: no fallback.`
    : `Images of ${name} are asked for here first, then at ${name} itself.`;

function content(own: TalosGuest, mirrors: readonly Mirror[]): string {
  const head = `Machine config patch: container registries. Rendered by Omni from omni.yaml (guest ${own.name}), used by apply.sh. Talos reads it at once, without a reboot.`;
  if (!own.contract.registryDocuments) {
    const value = Object.fromEntries(
      mirrors.map(({ name, urls, itself }) => [
        name,
        { endpoints: urls, ...(itself ? { skipFallback: true } : {}) },
      ]),
    );
    return yamlDocument(
      { machine: { registries: { mirrors: value } } },
      [head, ...mirrors.map(about)].join("\n"),
    );
  }
  return yamlDocuments(
    mirrors.map((mirror, index) => ({
      value: {
        apiVersion: "v1alpha1",
        kind: "RegistryMirrorConfig",
        name: mirror.name,
        endpoints: mirror.urls.map((url) => ({ url })),
        ...(mirror.itself ? { skipFallback: true } : {}),
      },
      comment: index === 0 ? `${head}\n${about(mirror)}` : about(mirror),
    })),
  );
}

/** `50-registries.yaml`: mirrors and registries of plain HTTP. */
export function registriesPatch(own: TalosGuest): PatchResult {
  const registries = Object.values(own.guest.registries ?? {});
  if (registries.length === 0) return NO_PATCH;
  const diagnostics = authFindings(own);
  const mirrors = mirrorsOf(registries);
  if (mirrors.length === 0) return { diagnostics };
  return {
    patch: {
      file: "50-registries.yaml",
      content: content(own, mirrors),
      reason: `Asked for by guests.${own.name}.registries (${mirrors.map(({ name }) => name).join(", ")}).`,
      scope: "all",
    },
    diagnostics,
  };
}
