import type { Deployment, Host } from "../../deployment/index.ts";

/** Which kernel the host shall boot, as the apply script needs it. */
export interface KernelChoice {
  /** Debian package that has to be installed. */
  readonly package?: string;
  /** A full ABI such as 6.8.12-13-pve, or the beginning of one: the newest installed that begins with it is pinned. */
  readonly pin?: string;
  readonly atMost?: string;
  /** Why nothing of this can be done. */
  readonly refused?: string;
}

/** A version down to its ABI number, which names one kernel. */
const isAbi = (version: string): boolean => /^\d+\.\d+\.\d+-\d+/.test(version);

/** A bare line such as 6.8 comes with the meta package that follows it. */
function packageOf({ pin, package: typed }: NonNullable<Host["kernel"]>): string | undefined {
  if (typed !== undefined || pin === undefined || isAbi(pin)) return typed;
  const line = /^\d+\.\d+/.exec(pin)?.[0];
  return line === undefined ? undefined : `proxmox-kernel-${line}`;
}

/** Findings of the plan about this host's kernel: what contradicts itself is refused by the script, not guessed. */
function contradiction({ findings }: Deployment, host: string): string | undefined {
  const found = findings.filter(
    ({ code, path = "" }) =>
      code === "kernel-pin-contradiction" &&
      (path.startsWith(`machines.${host}.`) || path.startsWith("metal.")),
  );
  return found.length === 0 ? undefined : found.map(({ message }) => message).join(" ");
}

/** The kernel of a host, or nothing where the spec leaves it to Proxmox. */
export function kernelChoice(host: Host, deployment: Deployment): KernelChoice | undefined {
  const { kernel } = host;
  if (kernel === undefined) return undefined;
  const [wanted, refused] = [packageOf(kernel), contradiction(deployment, host.name)];
  return {
    ...(wanted === undefined ? {} : { package: wanted }),
    ...(kernel.pin === undefined ? {} : { pin: kernel.pin }),
    ...(kernel.atMost === undefined ? {} : { atMost: kernel.atMost }),
    ...(refused === undefined ? {} : { refused }),
  };
}
