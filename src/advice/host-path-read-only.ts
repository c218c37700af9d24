import type { Spec } from "../spec/index.ts";
import { guestOfService, machineOfService } from "./hardware.ts";
import type { Rule } from "./rule.ts";

type Service = Spec["services"][string];

const MOUNTS = "/var/mnt/";

const isWithin = (path: string, folder: string): boolean => path === folder || path.startsWith(`${folder}/`);

/** Folders that are mounts of their own below /var/mnt: user volumes, and disks that Talos prepares as such. */
function mountedFolders(spec: Spec, service: Service): readonly string[] {
  const volumes = Object.keys(guestOfService(spec, service)?.guest.talos?.userVolumes ?? {});
  const machine = machineOfService(spec, service);
  const disks = Object.values(machine === undefined ? {} : (spec.machines[machine]?.disks ?? {}));
  return [
    ...volumes.map((name) => MOUNTS + name),
    ...disks.flatMap(({ prepare, mount }) =>
      prepare === "user-volume" && mount !== undefined ? [mount] : [],
    ),
  ];
}

function runsOnTalos(spec: Spec, service: Service): boolean {
  const guest = guestOfService(spec, service)?.guest;
  const machine = machineOfService(spec, service);
  return (
    guest?.talos !== undefined ||
    guest?.kubernetes?.distribution === "talos" ||
    (machine !== undefined && spec.machines[machine]?.platform === "talos")
  );
}

/** A folder to be created where the kubelet of Talos may only read. */
export const hostPathReadOnly: Rule = {
  code: "host-path-read-only",
  severity: "error",
  source: "Talos v1.12.1 kubelet.go: /var/mnt is mounted rbind,rshared,ro into the kubelet",
  find: ({ spec }) =>
    Object.entries(spec.services).flatMap(([name, service]) => {
      if (service.runtime !== "kubernetes" || !runsOnTalos(spec, service)) return [];
      const mounted = mountedFolders(spec, service);
      return service.mounts.flatMap(({ host, create }, index) => {
        if (host === undefined || create !== true || !host.startsWith(MOUNTS)) return [];
        if (mounted.some((folder) => isWithin(host, folder))) return [];
        const volume = host.slice(MOUNTS.length).split("/")[0] ?? "data";
        return [
          {
            at: ["services", name, "mounts", index, "create"],
            message: `${host} is to be created (DirectoryOrCreate), and Talos gives the kubelet /var/mnt read-only (rbind,rshared,ro): a missing folder cannot be made there and the pod does not start.`,
            hint: `guest: { talos: { userVolumes: { ${volume}: { disk: NAME } } } }   # mounted at ${MOUNTS}${volume} at every boot`,
          },
        ];
      });
    }),
};
