import { isIP } from "node:net";
import { z } from "zod";
import { parsedText, patternText, withFacts } from "./facts.ts";

const labelInstead = (typed: string | number): string | undefined => {
  const label = String(typed)
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, "-")
    .slice(0, 63);
  return label.replaceAll(/^-+|-+$/g, "") || undefined;
};

/** The name of a thing in the spec that becomes a name elsewhere too (DNS label: lower case, digits, hyphens). */
export const labelName = () =>
  patternText(
    {
      expected: "a name of lower-case letters, digits and hyphens, at most 63",
      example: "oracle",
      correct: labelInstead,
    },
    /^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/,
  );

/** The name of a network as Docker takes it; a renderer for Kubernetes turns it into a label. */
export const networkName = () =>
  patternText(
    {
      expected: "a name of lower-case letters, digits and . _ -, at most 63",
      example: "internal_brain",
      correct: labelInstead,
    },
    /^[a-z0-9][a-z0-9_.-]{0,62}$/,
  );

/** A name that clients or people use: letters, digits and `. _ : / -`, at most 128. */
export const freeName = () =>
  patternText(
    {
      expected: "a name of letters, digits and . _ : / - (at most 128, no leading sign)",
      example: "qwen2.5-coder",
    },
    /^[A-Za-z0-9][A-Za-z0-9._:/-]{0,127}$/,
  );

/** Any text that is not empty. */
export const text = (expected: string, example: string) =>
  withFacts(z.string().min(1), { expected, example });

/** A version. Written in quotes, because `24.10` without them is the number 24.1. */
export const version = () => text("a version in quotes", '"1.12.1"');

/** A path on the host or in the container. */
export const path = (example: string) => text("a path", example);

/** A PCI address; lower case with its domain, with a function only where one was typed. */
export const pciAddress = () =>
  parsedText({ expected: "a PCI address", example: '"0000:f1:00"' }, (typed) => {
    const match = /^(?:([0-9a-f]{4}):)?([0-9a-f]{2}:[01][0-9a-f](?:\.[0-7])?)$/i.exec(typed.trim());
    return match === null ? undefined : `${match[1] ?? "0000"}:${match[2] ?? ""}`.toLowerCase();
  });

/** A PCI vendor and device id; lower case. */
export const pciId = () =>
  parsedText({ expected: "a PCI vendor:device id", example: '"10de:2bb1"' }, (typed) =>
    /^[0-9a-f]{4}:[0-9a-f]{4}$/i.test(typed) ? typed.toLowerCase() : undefined,
  );

const UUID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

/** The UUID that nvidia-smi -L prints; lower-case hex after its prefix. */
export const gpuUuid = () =>
  parsedText(
    {
      expected: "the UUID that nvidia-smi -L prints",
      example: "GPU-f4f210c1-5a52-7267-979e-fe922961190a",
      correct: (typed) => (UUID.test(String(typed)) ? `GPU-${typed}` : undefined),
    },
    (typed) => {
      const match = /^(GPU|MIG)-([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})$/i.exec(typed);
      return match === null
        ? undefined
        : `${(match[1] ?? "").toUpperCase()}-${(match[2] ?? "").toLowerCase()}`;
    },
  );

/** A set of CPU numbers as taskset and the kernel write it. */
export const cpuSet = () =>
  parsedText({ expected: "a list of CPU numbers and ranges", example: '"0-23,48-71"' }, (typed) => {
    const ranges = typed.split(",").map((part) => /^\s*(\d{1,5})(?:-(\d{1,5}))?\s*$/.exec(part));
    const valid = ranges.every((r) => r !== null && (r[2] === undefined || Number(r[1]) <= Number(r[2])));
    return valid ? typed.replaceAll(/\s/g, "") : undefined;
  });

/** An IPv4 or IPv6 network whose address has no host bits set. */
export const subnet = () =>
  withFacts(z.string(), { expected: "a network in CIDR form", example: "172.31.0.0/16" });

/** A TCP port. */
export const port = (example = 8000) =>
  withFacts(z.int().min(1).max(65535), { expected: "a port from 1 to 65535", example: String(example) });

/** An IP address or a host name. */
export const host = () =>
  parsedText({ expected: "an IP address or a host name", example: "192.168.3.2" }, (typed) =>
    isIP(typed) !== 0 ||
    (/^[A-Za-z0-9](?:[A-Za-z0-9.-]{0,251}[A-Za-z0-9])?$/.test(typed) && !/^[\d.]+$/.test(typed))
      ? typed
      : undefined,
  );

/** A URL of one of the given schemes. */
export const url = (schemes: readonly string[], example: string) =>
  parsedText(
    {
      expected: `a URL (${schemes.map((scheme) => `${scheme}://…`).join(", ")})`,
      example,
      correct: (typed) =>
        /^[\w-]+(?:\.[\w-]+|:\d+)[^\s@]*$/.test(String(typed))
          ? `${schemes[0] ?? "https"}://${typed}`
          : undefined,
    },
    (typed) => {
      const parsed = URL.parse(typed);
      return parsed !== null && schemes.includes(parsed.protocol.slice(0, -1)) ? typed : undefined;
    },
  );

/** A container image reference: name, optional tag, optional digest. */
export const image = () =>
  patternText(
    { expected: "an image reference", example: "vllm/vllm-openai:v0.13.0" },
    /^(?:[A-Za-z0-9.-]+(?::\d+)?\/)?[a-z0-9]+(?:[._/-]+[a-z0-9]+)*(?::[\w][\w.-]{0,127})?(?:@sha256:[0-9a-f]{64})?$/,
  );

/** A CUDA architecture as CMake, nvcc or PyTorch write it. */
export const cudaArchitecture = () =>
  patternText(
    { expected: "a CUDA architecture in quotes", example: '"12.0"' },
    /^(?:sm_|compute_)?(?:\d{1,2}\.\d|\d{2,3})[af]?(?:\+PTX|-real|-virtual)?$/,
  );

/** A compute capability of a card. */
export const computeCapability = () =>
  patternText({ expected: "a compute capability in quotes", example: '"12.0"' }, /^\d{1,2}\.\d$/);

/** A glob or plain pattern. */
export const pattern = (example: string) => text("a pattern", example);
