import { isIP } from "node:net";
import type { V1NetworkPolicyEgressRule } from "@kubernetes/client-node";

/** An address or network with the bits of its prefix. */
function networkOf(text: string): string | undefined {
  const [address = "", prefix, ...rest] = text.split("/");
  const family = isIP(address);
  if (family === 0 || rest.length > 0) return undefined;
  const most = family === 4 ? 32 : 128;
  if (prefix === undefined) return `${address}/${most}`;
  return /^\d{1,3}$/.test(prefix) && Number(prefix) <= most ? `${address}/${prefix}` : undefined;
}

/** Address or network, and a port where one follows; IPv6 with a port stands in brackets. */
function partsOf(text: string): { readonly network: string; readonly port?: number } | undefined {
  const whole = networkOf(text);
  if (whole !== undefined) return { network: whole };
  const match = /^(?:\[([^\]]+)\]|([^:[\]]+))(?::(\d{1,5}))?$/.exec(text);
  const network = networkOf(match?.[1] ?? match?.[2] ?? "");
  const port = match?.[3] === undefined ? undefined : Number(match[3]);
  if (network === undefined || (port !== undefined && (port < 1 || port > 65_535))) return undefined;
  return port === undefined ? { network } : { network, port };
}

/** A destination as a rule of a NetworkPolicy; nothing for host names, which policies cannot hold. */
export function egressRuleOf(text: string): V1NetworkPolicyEgressRule | undefined {
  const parts = partsOf(text);
  if (parts === undefined) return undefined;
  return {
    to: [{ ipBlock: { cidr: parts.network } }],
    ...(parts.port === undefined ? {} : { ports: [{ port: parts.port, protocol: "TCP" }] }),
  };
}
