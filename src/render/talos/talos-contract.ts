import { findTalosRelease } from "../../catalog/index.ts";
import type { TalosBoot, TalosRelease } from "../../catalog/index.ts";

/** Where versions of Talos differ, in one place: the renderer asks here and compares no versions elsewhere. */
export interface TalosContract {
  /** `1.12`. */
  readonly line: string;
  /** Facts of the release line; absent for lines that the catalog does not know. */
  readonly release?: TalosRelease;
  /** NVIDIA driver by the ending of the extension's name; absent where not known. */
  readonly drivers?: { readonly lts: string; readonly production: string };
  /** The config honours `install.extraKernelArgs` on this boot path. */
  honoursExtraKernelArgs(boot: TalosBoot): boolean;
  /** Generated configs make GRUB read the command line of the image (`grubUseUKICmdline: true`). */
  readonly grubUsesImageCmdline: boolean;
  /** Documents RegistryMirrorConfig and its kin in place of `machine.registries`. */
  readonly registryDocuments: boolean;
  /** Document HostnameConfig in place of `machine.network.hostname`. */
  readonly hostnameDocument: boolean;
  /** Documents UserVolumeConfig in place of `machine.disks`. */
  readonly userVolumes: boolean;
  /** User volumes may be whole disks and folders, not only partitions. */
  readonly volumeTypes: boolean;
  /** Flannel can be told to enforce network policies. */
  readonly flannelPolicies: boolean;
  /** The factory hands out talosctl itself. */
  readonly factoryTalosctl: boolean;
  /** Installer image of a platform: `metal-installer`, or `installer` where one served all platforms. */
  readonly installerPerPlatform: boolean;
  /** Version whose form of config is generated (`talosctl gen config --talos-version`). */
  readonly configVersion: string;
}

/** What this version of Talos does and takes. A version that cannot be read counts as the newest known form. */
export function talosContract(version: string): TalosContract {
  const from = (minor: number): boolean => reached(version, 1, minor);
  const release = findTalosRelease(version);
  const drivers = release?.drivers.findLast(({ since }) => newerOrSame(version, since));
  return {
    line: lineOf(version) ?? version,
    ...(release === undefined ? {} : { release }),
    ...(drivers === undefined ? {} : { drivers }),
    // systemd-boot takes the command line of the image only; since 1.12 generated configs make GRUB do so too, and
    // validation refuses both ("install.extraKernelArgs and install.grubUseUKICmdline can't be used together").
    honoursExtraKernelArgs: (boot) => boot === "grub" && !from(12),
    grubUsesImageCmdline: from(12),
    registryDocuments: from(12),
    hostnameDocument: from(12),
    userVolumes: from(10),
    volumeTypes: from(12),
    flannelPolicies: from(13),
    factoryTalosctl: from(11),
    installerPerPlatform: from(10),
    // 1.14 generates documents in place of `machine.install`, `machine.kubelet` and others and refuses both beside each
    // other; it still honours the form of 1.13, which is the one of these patches.
    configVersion: from(14) ? "v1.13" : `v${lineOf(version) ?? "1.12"}`,
  };
}

const numbersOf = (version: string): readonly number[] => (version.match(/\d+/g) ?? []).map(Number);

const lineOf = (version: string): string | undefined => /^v?(\d+\.\d+)/.exec(version)?.[1];

function reached(version: string, major: number, minor: number): boolean {
  const [typedMajor, typedMinor] = numbersOf(version);
  if (typedMajor === undefined || typedMinor === undefined) return true;
  return typedMajor > major || (typedMajor === major && typedMinor >= minor);
}

function newerOrSame(version: string, than: string): boolean {
  const [left, right] = [numbersOf(version), numbersOf(than)];
  for (let i = 0; i < 3; i++) {
    const difference = (left[i] ?? 0) - (right[i] ?? 0);
    if (difference !== 0) return difference > 0;
  }
  return true;
}
