import type { Encoding } from "./console-file.ts";
import { ENCODINGS } from "./console-file.ts";

/** How a body may travel by a request's Accept-Encoding: the best that is not refused (RFC 9110, 12.5.3). */
export function acceptedEncoding(header: string | undefined): Encoding {
  const weights = new Map(
    (header ?? "").split(",").map((part) => {
      const [name = "", ...parameters] = part.trim().toLowerCase().split(";");
      const weight = parameters.map((parameter) => /^\s*q=([\d.]+)\s*$/.exec(parameter)?.[1]).find(Boolean);
      return [name.trim(), weight === undefined ? 1 : Number(weight)];
    }),
  );
  const isTaken = (encoding: Encoding): boolean => (weights.get(encoding) ?? weights.get("*") ?? 0) > 0;
  return ENCODINGS.find((encoding) => encoding !== "identity" && isTaken(encoding)) ?? "identity";
}
