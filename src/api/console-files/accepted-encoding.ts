import type { Encoding } from "./console-file.ts";
import { ENCODINGS } from "./console-file.ts";

/** How a body may travel by a request's Accept-Encoding: what it prefers, the best where it takes all alike (RFC 9110, 12.5.3). */
export function acceptedEncoding(header: string | undefined): Encoding {
  const weights = new Map(
    (header ?? "").split(",").map((part) => {
      const [name = "", ...parameters] = part.trim().toLowerCase().split(";");
      const weight = parameters.map((parameter) => /^\s*q=([\d.]+)\s*$/.exec(parameter)?.[1]).find(Boolean);
      return [name.trim(), weight === undefined ? 1 : Number(weight)];
    }),
  );
  const weightOf = (encoding: Encoding): number =>
    encoding === "identity" ? 0 : (weights.get(encoding) ?? weights.get("*") ?? 0);
  const [best = "identity"] = ENCODINGS.toSorted((a, b) => weightOf(b) - weightOf(a));
  return weightOf(best) > 0 ? best : "identity";
}
