import type { Finding } from "../../parts/findings.tsx";
import type { Rejection } from "./plan-types.ts";

/** Findings whose arithmetic is shown with what was not taken, by their place and name alone. */
export const withoutTold = (
  findings: readonly Finding[],
  rejected: readonly Rejection[],
): readonly Finding[] =>
  findings.map((finding) => {
    const told = rejected.find(
      ({ code, reason, alternative }) =>
        alternative !== true && code === finding.code && finding.message.includes(reason),
    );
    if (told === undefined) return finding;
    const { hint: _hint, source: _source, ...rest } = finding;
    return { ...rest, message: `${told.service} with ${told.engine}: see what was not taken.` };
  });
