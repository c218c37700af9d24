import { hashComment, shellWord } from "../escape/shell.ts";
import type { TalosGuest } from "./talos-guest.ts";
import type { Schematic } from "./schematic.ts";

/** Where the images of a guest are, as shell text in which `"$TALOS_SCHEMATIC"` stands for the id. */
interface ImageName {
  readonly variable: string;
  readonly what: string;
  /** Text before and after the id; the whole text where it needs no id. */
  readonly before: string;
  readonly after?: string;
}

/** `v1.12.1`, also where the spec leaves the v away. */
export const talosTag = ({ talos }: TalosGuest): string => `v${talos.version.replace(/^v/, "")}`;

const DEFAULT_FACTORY = "https://factory.talos.dev";

/** URL of the image factory without a slash at its end. */
export const factoryUrl = ({ talos }: TalosGuest): string =>
  (talos.factory ?? DEFAULT_FACTORY).replace(/\/+$/, "");

/** Name of the installer image before `/ID:VERSION`. Source: image-factory docs/api.md. */
function installerName(own: TalosGuest): string {
  const { platform = "metal", secureBoot = false } = own.talos;
  const base = own.contract.installerPerPlatform ? `${platform}-installer` : "installer";
  return secureBoot ? `${base}-secureboot` : base;
}

/** Images of this guest by the shell variable that holds each. Source of the forms: image-factory docs/api.md. */
export function imageNames(own: TalosGuest): readonly ImageName[] {
  const { platform = "metal", architecture = "amd64", secureBoot = false } = own.talos;
  const tag = encodeURIComponent(talosTag(own).toWellFormed());
  const factory = factoryUrl(own);
  const variant = `${platform}-${architecture}${secureBoot ? "-secureboot" : ""}`;
  const image = (variable: string, what: string, file: string): ImageName => ({
    variable,
    what,
    before: `${factory}/image/`,
    after: `/${tag}/${file}`,
  });
  const pxe = factory === DEFAULT_FACTORY ? "https://pxe.talos.dev/pxe/" : `${factory}/pxe/`;
  const talosctl = own.contract.factoryTalosctl
    ? `${factory}/talosctl/${tag}/talosctl-linux-amd64`
    : `https://github.com/siderolabs/talos/releases/download/${tag}/talosctl-linux-amd64`;
  return [
    {
      variable: "TALOS_INSTALLER",
      what: "Image that installs and upgrades Talos.",
      before: `${factory.replace(/^https?:\/\//, "")}/${installerName(own)}/`,
      after: `:${tag}`,
    },
    image("TALOS_ISO", "ISO to boot from for the first install.", `${variant}.iso`),
    image("TALOS_DISK", "Disk image, already installed.", `${variant}.raw.xz`),
    ...(secureBoot
      ? [
          image(
            "TALOS_UKI",
            "Signed kernel, initramfs and command line in one.",
            `${variant.replace(/-secureboot$/, "")}-secureboot-uki.efi`,
          ),
        ]
      : [
          image("TALOS_KERNEL", "Kernel.", `kernel-${architecture}`),
          image("TALOS_INITRAMFS", "Initramfs with the extensions.", `initramfs-${architecture}.xz`),
          image(
            "TALOS_CMDLINE",
            "Kernel command line as the image has it.",
            `cmdline-${platform}-${architecture}`,
          ),
        ]),
    {
      variable: "TALOS_PXE",
      what: "iPXE script for booting over the network.",
      before: pxe,
      after: `/${tag}/${variant}`,
    },
    {
      variable: "TALOSCTL",
      what: "talosctl of the same version, for a Linux workstation.",
      before: talosctl,
    },
  ];
}

/** The whole name, where the id is known. */
export const imageText = ({ before, after }: ImageName, id: string): string =>
  after === undefined ? before : `${before}${id}${after}`;

/** Image that installs and upgrades Talos; nothing without an id. */
export function installerImage(own: TalosGuest, { id }: Schematic): string | undefined {
  const installer = imageNames(own).find(({ variable }) => variable === "TALOS_INSTALLER");
  return id === undefined || installer === undefined ? undefined : imageText(installer, id);
}

/** `images.env`: every name as a shell variable; without an id they are completed from TALOS_SCHEMATIC. */
export function imagesEnv(own: TalosGuest, { id }: Schematic): string {
  const head = hashComment(
    `Names of all images of the guest ${own.name}, rendered by Omni from omni.yaml (guest.talos). Shell variables: the scripts beside this file read it, and so can you: . ./images.env`,
  );
  const schematic =
    id === undefined
      ? [
          hashComment(
            'The id of schematic.yaml is not known without the factory: export TALOS_SCHEMATIC="$(./schematic-id.sh)"',
          ),
          `: "\${TALOS_SCHEMATIC:?run: export TALOS_SCHEMATIC=\\"\\$(./schematic-id.sh)\\"}"`,
        ]
      : [
          hashComment(
            "sha256sum schematic.yaml prints it too. The factory builds images for schematics that were posted once.",
          ),
          `TALOS_SCHEMATIC=${id}`,
        ];
  const names = imageNames(own).flatMap((name) => [
    hashComment(name.what),
    name.after === undefined
      ? `${name.variable}=${shellWord(name.before)}`
      : `${name.variable}=${shellWord(name.before)}"$TALOS_SCHEMATIC"${shellWord(name.after)}`,
  ]);
  return `${[head, hashComment("shellcheck shell=sh disable=SC2034"), ...schematic, ...names].join("\n")}\n`;
}
