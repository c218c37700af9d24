import type { Deployment, Host, SecretReference } from "../../deployment/index.ts";
import type { MachineInventory, ProgramResult } from "../../inventory/index.ts";
import type { Spec } from "../../spec/index.ts";

/** A host as checks look at it: files below a root and words of programs. Looking changes nothing. */
export interface HostView {
  /** For a person: `this machine`, `root@192.168.3.10`. */
  readonly name: string;
  readonly kind: "local" | "ssh" | "recorded";
  /**
   * Folder of this machine that stands for the host's `/`, ending in a slash: `/` itself, or a copy of what matters of the
   * host's /proc, /sys, /etc, /boot, /usr/share/kvm and /run. Links in it are the host's own.
   */
  readonly root: string;
  /** What the probes saw below the root. */
  readonly machine: MachineInventory;
  /** Runs a program that only reads, on the host. `absent` where the host has no such program. Throws nothing. */
  said(argv: readonly [string, ...string[]], timeout?: number): Promise<ProgramResult>;
  /** Bytes of the file system at a path of the host; `undefined` where nothing is there. */
  space(path: string): Promise<{ readonly size: number; readonly free: number } | undefined>;
}

/** What the network answers from where Omni runs. Throws nothing. */
export interface NetworkView {
  /** Milliseconds and status of one small request, redirects not followed; the message when nothing answered. */
  ask(
    url: string,
    options?: { readonly headers?: Readonly<Record<string, string>>; readonly timeout?: number },
  ): Promise<
    | {
        readonly answered: true;
        readonly status: number;
        readonly headers: Readonly<Record<string, string>>;
        readonly milliseconds: number;
      }
    | { readonly answered: false; readonly message: string }
  >;
  resolve(name: string): Promise<readonly string[] | string>;
  /** Who listens on a TCP port of this machine's loopback: whether a connection is taken. */
  listens(port: number): Promise<boolean>;
}

/** What the API server of a cluster answers to whoever runs Omni. Throws nothing. */
export interface ClusterView {
  /** The context of the kubeconfig, for a person. */
  readonly name: string;
  /** One GET: `/api/v1/nodes`. No status where nothing answered, or there are no credentials. */
  get(
    path: string,
  ): Promise<
    | { readonly answered: true; readonly body: unknown }
    | { readonly answered: false; readonly status?: number; readonly message: string }
  >;
}

/** Everything that a check may look at. */
export interface DoctorSubject {
  readonly view: HostView;
  readonly network: NetworkView;
  /** The cluster that the spec's kubeconfig names; absent where there is none to ask. */
  readonly cluster?: ClusterView;
  /** Value of a secret of the spec on the machine that runs Omni, where it is set. Never shown. */
  readonly secret?: (reference: SecretReference) => Promise<string | undefined>;
  /** Milliseconds since the epoch: no check reads a clock. */
  readonly now: number;
  /** The spec and what follows from it; absent where doctor was started without one. */
  readonly spec?: Spec;
  readonly deployment?: Deployment;
  /** The machine of the spec that this host is. */
  readonly host?: Host;
  /** Checks that touch the hardware were asked for: the card's reset self-test. */
  readonly selfTest: boolean;
}

export type FindingState = "ok" | "note" | "warning" | "error" | "unknown";

/** A change that does no harm: nobody is cut off, nothing is lost, and it can be taken back. */
export interface Fix {
  /** One sentence, imperative: `Load nvidia-uvm now and at every boot.` */
  readonly title: string;
  readonly changes: readonly FixChange[];
  /** What counts only after the next boot. */
  readonly needsReboot: boolean;
}

export type FixChange =
  | { readonly kind: "write"; readonly path: string; readonly content: string; readonly mode: number }
  | { readonly kind: "run"; readonly argv: readonly [string, ...string[]]; readonly timeout: number };

/** What one look at one thing came to. */
export interface Finding {
  /** Of the check: `boot.line-in-effect`. */
  readonly check: string;
  /** What was looked at, where a check looks at several: `card blackwell (0000:f1:00.0)`, `/var/mnt/data`. */
  readonly subject?: string;
  readonly state: FindingState;
  /** What was seen, with units. */
  readonly seen: string;
  /** What it should be; absent where all is well or nothing is wanted. */
  readonly wanted?: string;
  /** Why that matters, in a sentence: what happens otherwise. */
  readonly why?: string;
  /** What to type or do. */
  readonly remedy?: string;
  readonly fix?: Fix;
  /** Path in the spec that asks for it. */
  readonly path?: string;
  /** Where the fact comes from. */
  readonly source?: string;
}

export const CHECK_GROUPS = [
  "system",
  "boot",
  "iommu",
  "cards",
  "memory",
  "disks",
  "driver",
  "containers",
  "cluster",
  "network",
] as const;
export type CheckGroup = (typeof CHECK_GROUPS)[number];

/** One question about a host; one file each. */
export interface Check {
  /** `GROUP.NAME`. */
  readonly id: `${CheckGroup}.${string}`;
  /** What it asks, a noun phrase: `Boot line in effect`. */
  readonly title: string;
  /**
   * No finding where the check has nothing to say about this host or spec; `unknown` where it would and cannot see. Throws
   * nothing on purpose: what it throws all the same becomes an `unknown` of this check.
   */
  look(subject: DoctorSubject): Promise<readonly Finding[]> | readonly Finding[];
}
