import { BlockList, isIP } from "node:net";
import type { SpecPath } from "../../core/spec-path.ts";
import { guestsOf } from "./hardware.ts";
import type { Rule } from "./rule.ts";

interface Network {
  readonly family: "ipv4" | "ipv6";
  readonly address: string;
  readonly prefix: number;
  readonly bits: bigint;
  readonly size: bigint;
}

function toBits(address: string, family: "ipv4" | "ipv6"): bigint {
  if (family === "ipv4")
    return address.split(".").reduce((sum, part) => (sum << 8n) | BigInt(Number(part)), 0n);
  const [head = "", tail] = address
    .replace(
      /(\d+)\.(\d+)\.(\d+)\.(\d+)$/,
      (_, a, b, c, d) =>
        `${((Number(a) << 8) | Number(b)).toString(16)}:${((Number(c) << 8) | Number(d)).toString(16)}`,
    )
    .split("::");
  const left = head === "" ? [] : head.split(":");
  const right = tail === undefined || tail === "" ? [] : tail.split(":");
  const zeros =
    tail === undefined ? [] : Array.from({ length: Math.max(0, 8 - left.length - right.length) }, () => "0");
  return [...left, ...zeros, ...right].reduce(
    (sum, part) => (sum << 16n) | BigInt(Number.parseInt(part, 16)),
    0n,
  );
}

function parseNetwork(typed: string): Network | string {
  const [address = "", length, ...rest] = typed.split("/");
  const version = isIP(address);
  if (version === 0 || rest.length > 0) return "172.31.0.0/16";
  const family = version === 4 ? "ipv4" : "ipv6";
  const width = version === 4 ? 32 : 128;
  if (length === undefined || !/^\d{1,3}$/.test(length) || Number(length) > width)
    return `${address}/${version === 4 ? 16 : 64}`;
  const size = 1n << BigInt(width - Number(length));
  const bits = toBits(address, family);
  return { family, address, prefix: Number(length), bits: bits - (bits % size), size };
}

/** Writes a network without its host bits, IPv6 shortened at its zeros. */
function canonical({ family, bits, prefix }: Network): string {
  if (family === "ipv4")
    return `${[24n, 16n, 8n, 0n].map((shift) => (bits >> shift) & 255n).join(".")}/${prefix}`;
  const groups = Array.from({ length: 8 }, (_, i) =>
    ((bits >> BigInt(112 - 16 * i)) & 0xffffn).toString(16),
  ).join(":");
  return `${groups.replace(/(?:^|:)0(?::0)+(?::|$)/, "::")}/${prefix}`;
}

/** Networks are in CIDR form without host bits, do not overlap, and hold their gateway. */
export const subnets: Rule = ({ spec, wasFaulty }, report) => {
  const seen: { readonly name: string; readonly network: Network }[] = [];
  const check = (name: string, typed: string, path: SpecPath): Network | undefined => {
    const network = parseNetwork(typed);
    if (typeof network === "string") {
      report({
        code: "spec.bad-subnet",
        path,
        message: `expected a network in CIDR form, not ${JSON.stringify(typed)}`,
        hint: network,
      });
      return undefined;
    }
    if (toBits(network.address, network.family) !== network.bits) {
      report({
        code: "spec.bad-subnet",
        path,
        message: `${typed} has host bits set`,
        hint: canonical(network),
      });
    }
    const other = seen.find(
      (s) =>
        s.network.family === network.family &&
        s.network.bits < network.bits + network.size &&
        network.bits < s.network.bits + s.network.size,
    );
    if (other !== undefined) {
      report({
        code: "spec.subnet-overlap",
        path,
        message: `${typed} overlaps ${canonical(other.network)} of ${other.name}`,
        hint: "give each network a range of its own",
      });
    }
    seen.push({ name, network });
    return network;
  };
  for (const [name, own] of Object.entries(spec.networks ?? {})) {
    const path = ["networks", name];
    const network = own.subnet === undefined ? undefined : check(name, own.subnet, [...path, "subnet"]);
    if (own.gateway !== undefined && own.subnet === undefined && !wasFaulty([...path, "subnet"])) {
      report({
        code: "spec.missing-key",
        path: [...path, "subnet"],
        message: `${name} needs the key subnet for its gateway`,
        hint: "subnet: 172.31.0.0/16",
        at: "key",
      });
    }
    if (own.gateway === undefined || network === undefined) continue;
    const block = new BlockList();
    block.addSubnet(network.address, network.prefix, network.family);
    if (isIP(own.gateway) === 0 || !block.check(own.gateway, network.family)) {
      report({
        code: "spec.bad-subnet",
        path: [...path, "gateway"],
        message: `${own.gateway} lies outside ${canonical(network)}`,
        hint: "an address of the subnet, such as its first",
      });
    }
  }
  for (const { value: guest, path } of guestsOf(spec)) {
    for (const key of ["podSubnet", "serviceSubnet"] as const) {
      const typed = guest.kubernetes?.[key];
      if (typed !== undefined) check(`${path.join(".")}.${key}`, typed, [...path, "kubernetes", key]);
    }
  }
};
