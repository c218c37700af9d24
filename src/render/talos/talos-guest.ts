import { talosBoot } from "../../catalog/index.ts";
import type { TalosBoot } from "../../catalog/index.ts";
import type { Code, Diagnostic, Severity } from "../../core/index.ts";
import type { Cluster, Deployment, GuestSystem, Host } from "../../deployment/index.ts";
import { talosContract } from "./talos-contract.ts";
import type { TalosContract } from "./talos-contract.ts";

/** A guest with Talos, and everything around it that its files are made from. */
export interface TalosGuest {
  readonly name: string;
  /** Name of the deployment. */
  readonly deployment: string;
  readonly guest: GuestSystem;
  readonly talos: NonNullable<GuestSystem["talos"]>;
  /** Machine that carries it; absent where the spec describes none. */
  readonly host?: Host;
  /** Cluster that runs in it; absent where no service runs on one. */
  readonly cluster?: Cluster;
  readonly contract: TalosContract;
  readonly boot: TalosBoot;
}

/** One machine config patch: a file of YAML documents and who it is for. */
export interface TalosPatch {
  /** File name below `patches/`; the number orders them. */
  readonly file: string;
  readonly content: string;
  readonly reason: string;
  readonly scope: "all" | "control-plane";
}

export interface PatchResult {
  readonly patch?: TalosPatch;
  readonly diagnostics: readonly Diagnostic[];
}

/** Nothing asked for, nothing rendered. */
export const NO_PATCH: PatchResult = { diagnostics: [] };

/** Guests with Talos in the order of the spec. */
export function talosGuests(deployment: Deployment): readonly TalosGuest[] {
  return deployment.guests.flatMap((guest): TalosGuest[] => {
    const { talos, name } = guest;
    if (talos === undefined) return [];
    const host =
      guest.machine === undefined && deployment.hosts.length === 1
        ? deployment.hosts[0]
        : deployment.hosts.find((own) => own.name === guest.machine);
    const cluster = deployment.clusters.find((own) => own.guest === name);
    return [
      {
        name,
        deployment: deployment.name,
        guest,
        talos,
        ...(host === undefined ? {} : { host }),
        ...(cluster === undefined ? {} : { cluster }),
        contract: talosContract(talos.version),
        boot: talosBoot(guest),
      },
    ];
  });
}

/** A finding at a key of this guest. */
export const finding = (
  { name }: TalosGuest,
  code: Code,
  severity: Severity,
  key: string,
  message: string,
  hint: string,
): Diagnostic => ({ code, severity, path: `guests.${name}.${key}`, message, hint });
