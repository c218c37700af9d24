import type { Status } from "../live/live-state.ts";
import { Badge } from "./badge.tsx";
import type { Tone } from "./badge.tsx";
import { keyed } from "./keyed.ts";
import { LinkedText } from "./linked-text.tsx";

/** What spec, plan or advice found: `Diagnostic` of the core. */
export type Finding = Status["diagnostics"][number];

const TONES: Readonly<Record<Finding["severity"], Tone>> = {
  error: "error",
  warning: "warning",
  note: "quiet",
};
const ORDER: readonly Finding["severity"][] = ["error", "warning", "note"];

/** Findings with their remedies, the gravest first. */
export function Findings({ of }: { readonly of: readonly Finding[] }) {
  const sorted = of.toSorted((a, b) => ORDER.indexOf(a.severity) - ORDER.indexOf(b.severity));
  return (
    <ul className="findings">
      {keyed(sorted, ({ code, path = "" }) => `${code} ${path}`).map(({ key, item: finding }) => (
        <li key={key}>
          <div className="row">
            <Badge tone={TONES[finding.severity]}>{finding.severity}</Badge>
            <code>{finding.code}</code>
            <span className="quiet">{placeOf(finding)}</span>
          </div>
          <p>{finding.message}</p>
          {finding.hint !== undefined && (
            <p className="remedy">
              <span aria-hidden="true">→ </span>
              <span className="unseen">Remedy: </span>
              {finding.hint}
            </p>
          )}
          {finding.source !== undefined && (
            <p className="quiet">
              Source: <LinkedText text={finding.source} />
            </p>
          )}
        </li>
      ))}
    </ul>
  );
}

/** `services.oracle · omni.yaml:12`, as far as it is known. */
function placeOf({ path, file, line }: Finding): string {
  const where = [file, line].filter((part) => part !== undefined).join(":");
  return [path, where].filter((part) => part !== undefined && part !== "").join(" · ");
}
