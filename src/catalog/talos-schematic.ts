import { createHash } from "node:crypto";

/** What the Talos image factory builds into an image; absent and empty parts do not count. Lists keep their order. */
export interface TalosCustomization {
  readonly overlay?: { readonly image: string; readonly name: string };
  readonly extraKernelArgs?: readonly string[];
  readonly meta?: readonly { readonly key: number; readonly value: string }[];
  readonly officialExtensions?: readonly string[];
  readonly bootloader?: "dual-boot" | "grub" | "sd-boot";
  readonly secureboot?: {
    readonly enrollKeys?: "off" | "manual" | "if-safe" | "force";
    readonly includeWellKnownCertificates?: boolean;
  };
  /** Bytes. */
  readonly sectorSize?: number;
}

/** The parts of a guest's description that go into its image. */
interface DescribedImage {
  readonly bootloader?: "auto" | "dual-boot" | "grub" | "sd-boot" | undefined;
  readonly kernelArguments?:
    | { readonly by?: string | undefined; readonly arguments: readonly string[] }
    | undefined;
  readonly meta?: Readonly<Record<string, string>> | undefined;
  readonly extensions?: readonly string[] | undefined;
}

/** What the image factory is asked for by a guest's description. */
export function talosCustomization(described: DescribedImage): TalosCustomization {
  const { bootloader, kernelArguments, meta = {}, extensions = [] } = described;
  return {
    extraKernelArgs: kernelArguments?.by === "schematic" ? kernelArguments.arguments : [],
    meta: Object.entries(meta).map(([key, value]) => ({ key: Number(key), value })),
    officialExtensions: extensions,
    ...(bootloader === undefined || bootloader === "auto" ? {} : { bootloader }),
  };
}

/** Letters that go-yaml would put in quotes although each character is harmless: they read as another type. */
const RESERVED = /^(?:true|false|null|y|yes|on|n|no|off)$/i;
/** Words that certainly stay as they are: no indicator, no space, nothing that could be a number or a date. */
const PLAIN = /^(?:[A-Za-z/]|-[A-Za-z])[\w./=,:@+-]*$/;

const isPlain = (text: string): boolean => PLAIN.test(text) && !text.endsWith(":") && !RESERVED.test(text);

type Line = readonly [depth: number, text: string];

function lines(customization: TalosCustomization): readonly Line[] {
  const { extraKernelArgs = [], meta = [], officialExtensions = [], bootloader, secureboot } = customization;
  const { enrollKeys, includeWellKnownCertificates } = secureboot ?? {};
  const list = (depth: number, key: string, items: readonly string[]): Line[] =>
    items.length === 0 ? [] : [[depth, `${key}:`], ...items.map((item): Line => [depth + 1, `- ${item}`])];
  const map = (key: string, inner: readonly Line[]): Line[] =>
    inner.length === 0 ? [] : [[1, `${key}:`], ...inner];
  return [
    ...list(1, "extraKernelArgs", extraKernelArgs),
    ...map(
      "meta",
      meta.flatMap(({ key, value }): Line[] => [
        [2, `- key: ${key}`],
        [2, `  value: ${value}`],
      ]),
    ),
    ...map("systemExtensions", list(2, "officialExtensions", officialExtensions)),
    ...(bootloader === undefined ? [] : [[1, `bootloader: ${bootloader}`] as const]),
    ...map("secureboot", [
      ...(enrollKeys === undefined ? [] : [[2, `enrollKeys: ${enrollKeys}`] as const]),
      ...(includeWellKnownCertificates === true ? [[2, "includeWellKnownCertificates: true"] as const] : []),
    ]),
    ...map(
      "diskImage",
      customization.sectorSize === undefined ? [] : [[2, `sectorSize: ${customization.sectorSize}`]],
    ),
  ];
}

/**
 * The canonical YAML of this customization, byte for byte as the factory hashes it. Nothing where a text would need
 * quotes, because only go-yaml knows which. Source: siderolabs/image-factory pkg/schematic/schematic.go.
 */
export function talosSchematicText(customization: TalosCustomization): string | undefined {
  const { overlay, extraKernelArgs = [], meta = [], officialExtensions = [] } = customization;
  const texts = [
    ...extraKernelArgs,
    ...meta.map(({ value }) => value),
    ...officialExtensions,
    ...(overlay === undefined ? [] : [overlay.image, overlay.name]),
  ];
  if (!texts.every(isPlain)) return undefined;
  const head =
    overlay === undefined ? "" : `overlay:\n    image: ${overlay.image}\n    name: ${overlay.name}\n`;
  const body = lines(customization).map(([depth, text]) => `${" ".repeat(depth * 4)}${text}\n`);
  return `${head}customization:${body.length === 0 ? " {}" : ""}\n${body.join("")}`;
}

/**
 * The id under which the Talos image factory knows this customization: the SHA-256 of its canonical YAML, 64 hex digits.
 * Nothing where that text is not known. The vectors of the test are ids that the factory gave out.
 */
export function talosSchematicId(customization: TalosCustomization): string | undefined {
  const text = talosSchematicText(customization);
  return text === undefined ? undefined : createHash("sha256").update(text).digest("hex");
}
