import type { DeployedService } from "../../../deployment/index.ts";
import type { Fallback } from "../../step.ts";

/** The other engines of its users' chains, where each of them has one left. */
export function withoutEngine(
  engine: string,
  users: readonly DeployedService[],
): { readonly fallback?: Fallback } {
  const others = users.map(({ planned }) => planned.fallbacks?.filter((name) => name !== engine) ?? []);
  if (users.length === 0 || others.some((chain) => chain.length === 0)) return {};
  const text = users.map(({ name }, index) => `${name} falls back to ${others[index]?.[0] ?? ""}`).join(", ");
  return { fallback: { kind: "without-engine", engine, text: `${engine} is not to be had: ${text}` } };
}
