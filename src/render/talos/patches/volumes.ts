import type { Diagnostic } from "../../../core/index.ts";
import type { GuestSystem, Host } from "../../../deployment/index.ts";
import { yamlDocuments } from "../../documents/yaml.ts";
import { diskPath, selectDisk } from "../disk-selector.ts";
import { finding, NO_PATCH } from "../talos-guest.ts";
import type { PatchResult, TalosGuest } from "../talos-guest.ts";

type UserVolume = NonNullable<NonNullable<GuestSystem["talos"]>["userVolumes"]>[string];
type Disk = NonNullable<Host["disks"]>[string];

interface Volume {
  readonly name: string;
  readonly value: unknown;
  readonly comment: string;
}

interface VolumeResult {
  readonly volume?: Volume;
  readonly diagnostics: readonly Diagnostic[];
}

const MOUNTS = "/var/mnt/";

/** Bytes as Talos reads them back exactly: whole GiB or MiB where they are, else digits. */
function talosSize(bytes: number): string {
  if (bytes % 2 ** 30 === 0) return `${bytes / 2 ** 30}GiB`;
  return bytes % 2 ** 20 === 0 ? `${bytes / 2 ** 20}MiB` : `${bytes}B`;
}

/** The disk of a volume as a condition, never the one that Talos itself is on. */
function selectorOf(
  own: TalosGuest,
  name: string,
  volume: UserVolume,
): { readonly match?: string; readonly diagnostics: readonly Diagnostic[] } {
  if (volume.selector !== undefined) return { match: volume.selector, diagnostics: [] };
  const key = `talos.userVolumes.${name}`;
  const disk = volume.disk === undefined ? undefined : own.host?.disks?.[volume.disk];
  if (volume.disk === undefined || disk === undefined) {
    const message = `User volume ${name} names ${volume.disk === undefined ? "neither a disk nor a selector" : `the disk ${volume.disk}, which the machine of this guest does not have`}; it is left out.`;
    return {
      diagnostics: [
        finding(own, "render.needs-value", "error", key, message, "disk: NAME   # of the machine's disks"),
      ],
    };
  }
  const { match, diagnostics } = selectDisk(own, volume.disk, disk);
  const elsewhere = mountFinding(own, volume.disk, disk, name);
  return {
    ...(match === undefined ? {} : { match: `${match} && !system_disk` }),
    diagnostics: [...diagnostics, ...elsewhere],
  };
}

/** Talos mounts user volumes at /var/mnt/NAME and nowhere else. */
function mountFinding(own: TalosGuest, disk: string, { mount }: Disk, volume: string): readonly Diagnostic[] {
  const place = `${MOUNTS}${volume}`;
  if (mount === undefined || mount.replace(/\/+$/, "") === place) return [];
  return [
    {
      code: "render.not-applicable",
      severity: "warning",
      path: `${diskPath(own, disk)}.mount`,
      message: `Talos mounts the user volume ${volume} at ${place}, and nowhere else; the spec says ${mount}.`,
      hint: `mount: ${place}`,
    },
  ];
}

/** Sizes of a partition; Talos wants a least or a greatest size, and forbids both for whole disks. */
function sizes(
  own: TalosGuest,
  name: string,
  volume: UserVolume,
): { readonly value: object; readonly diagnostics: readonly Diagnostic[] } {
  const { type = "partition", minSize, maxSize, grow } = volume;
  if (type === "partition") {
    const least = minSize ?? (maxSize === undefined ? 2 ** 30 : undefined);
    const value = {
      ...(least === undefined ? {} : { minSize: talosSize(least) }),
      ...(maxSize === undefined ? {} : { maxSize: talosSize(maxSize) }),
      grow: grow ?? maxSize === undefined,
    };
    return { value, diagnostics: [] };
  }
  const typed = Object.entries({ minSize, maxSize, grow }).filter(([, own]) => own !== undefined);
  if (typed.length === 0) return { value: {}, diagnostics: [] };
  const keys = typed.map(([key]) => key).join(", ");
  const message = `${keys} of user volume ${name} ${typed.length === 1 ? "is" : "are"} left out: a volume of type ${type} takes what is there, and Talos refuses sizes for it.`;
  return {
    value: {},
    diagnostics: [
      finding(
        own,
        "render.not-applicable",
        "warning",
        `talos.userVolumes.${name}`,
        message,
        `Remove ${keys}, or type: partition.`,
      ),
    ],
  };
}

function userVolume(own: TalosGuest, name: string, volume: UserVolume): VolumeResult {
  const { type = "partition", filesystem = "xfs" } = volume;
  const base = {
    apiVersion: "v1alpha1",
    kind: "UserVolumeConfig",
    name,
    ...(type === "partition" && !own.contract.volumeTypes ? {} : { volumeType: type }),
  };
  const size = sizes(own, name, volume);
  const old = typeFinding(own, name, type);
  if (type === "directory") {
    const comment = `A folder on Talos's own disk, at ${MOUNTS}${name}.`;
    return { volume: { name, value: base, comment }, diagnostics: [...size.diagnostics, ...old] };
  }
  const { match, diagnostics } = selectorOf(own, name, volume);
  const found = [...diagnostics, ...size.diagnostics, ...old];
  if (match === undefined) return { diagnostics: found };
  const value = {
    ...base,
    provisioning: { diskSelector: { match }, ...size.value },
    filesystem: { type: filesystem },
  };
  const from =
    volume.disk === undefined ? "the disk that the selector of the spec finds" : `the disk ${volume.disk}`;
  const comment = `${type === "disk" ? "All" : "A partition"} of ${from}, at ${MOUNTS}${name} after every boot. Talos formats only what is empty.`;
  return { volume: { name, value, comment }, diagnostics: found };
}

function typeFinding(own: TalosGuest, name: string, type: string): readonly Diagnostic[] {
  if (type === "partition" || own.contract.volumeTypes) return [];
  const message = `User volumes of type ${type} exist since Talos 1.12; ${own.talos.version} knows partitions only.`;
  return [
    finding(
      own,
      "render.version-mismatch",
      "error",
      `talos.userVolumes.${name}.type`,
      message,
      "type: partition",
    ),
  ];
}

/** Disks that Talos shall prepare and that no volume of the spec names: one volume each, named after its mount. */
function impliedVolumes(own: TalosGuest): {
  readonly volumes: readonly [string, UserVolume][];
  readonly diagnostics: readonly Diagnostic[];
} {
  const named = new Set(Object.values(own.talos.userVolumes ?? {}).map(({ disk }) => disk));
  const volumes: [string, UserVolume][] = [];
  const diagnostics: Diagnostic[] = [];
  for (const [disk, { prepare, mount, filesystem }] of Object.entries(own.host?.disks ?? {})) {
    if (prepare !== "user-volume" || named.has(disk)) continue;
    const name = mount === undefined ? disk : /^\/var\/mnt\/([A-Za-z0-9-]{1,34})\/?$/.exec(mount)?.[1];
    if (name === undefined || Object.hasOwn(own.talos.userVolumes ?? {}, name)) {
      diagnostics.push(unmountable(own, disk, mount));
      continue;
    }
    if (filesystem === "btrfs" || filesystem === "zfs")
      diagnostics.push(foreignFilesystem(own, disk, filesystem));
    volumes.push([name, { disk, type: "partition", filesystem: filesystem === "ext4" ? "ext4" : "xfs" }]);
  }
  return { volumes, diagnostics };
}

const unmountable = (own: TalosGuest, disk: string, mount: string | undefined): Diagnostic => ({
  code: "render.not-applicable",
  severity: "error",
  path: `${diskPath(own, disk)}.mount`,
  message: `Disk ${disk} is to be a Talos user volume at ${mount ?? "no path"}, but those are mounted at ${MOUNTS}NAME only, NAME being 1 to 34 letters, digits and hyphens that no other volume has; no volume is rendered for it.`,
  hint: `mount: ${MOUNTS}data`,
});

const foreignFilesystem = (own: TalosGuest, disk: string, filesystem: string): Diagnostic => ({
  code: "render.not-applicable",
  severity: "warning",
  path: `${diskPath(own, disk)}.filesystem`,
  message: `Talos makes xfs and ext4 on user volumes, not ${filesystem}; disk ${disk} gets xfs.`,
  hint: "filesystem: xfs",
});

/** `40-volumes.yaml`: one UserVolumeConfig a volume, its disk chosen by identity. */
export function volumesPatch(own: TalosGuest): PatchResult {
  const implied = impliedVolumes(own);
  const wanted = [...Object.entries(own.talos.userVolumes ?? {}), ...implied.volumes];
  if (wanted.length === 0 && implied.diagnostics.length === 0) return NO_PATCH;
  if (!own.contract.userVolumes) {
    const message = `User volumes exist since Talos 1.10; ${own.talos.version} does not know them.`;
    return {
      diagnostics: [
        finding(own, "render.version-mismatch", "error", "talos.userVolumes", message, 'version: "1.12.11"'),
      ],
    };
  }
  const results = wanted.map(([name, volume]) => userVolume(own, name, volume));
  const diagnostics = [...implied.diagnostics, ...results.flatMap((result) => result.diagnostics)];
  const volumes = results.flatMap(({ volume }) => (volume === undefined ? [] : [volume]));
  if (volumes.length === 0) return { diagnostics };
  const head = `Machine config patch: user volumes, mounted by Talos itself. Rendered by Omni from omni.yaml (guest ${own.name}), used by apply.sh. A selector that matches no disk leaves the volume waiting: talosctl get volumestatus.`;
  return {
    patch: {
      file: "40-volumes.yaml",
      content: yamlDocuments(
        volumes.map(({ value, comment }, index) => ({
          value,
          comment: index === 0 ? `${head}\n${comment}` : comment,
        })),
      ),
      reason: `Asked for by guests.${own.name}.talos.userVolumes or disks with prepare: user-volume (${volumes.map(({ name }) => name).join(", ")}).`,
      scope: "all",
    },
    diagnostics,
  };
}
