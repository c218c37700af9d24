import type { Diagnostic } from "../../core/index.ts";
import { finding } from "./talos-guest.ts";
import type { TalosGuest } from "./talos-guest.ts";

const lineNumber = (version: string): number => Number(/^v?1\.(\d+)/.exec(version)?.[1] ?? Number.NaN);

const WHOLE = /^v?\d+\.\d+\.\d+(?:-[\w.-]+)?$/;

/** Versions that the image factory cannot know, and Kubernetes versions that this Talos does not run. */
export function versionFindings(own: TalosGuest): readonly Diagnostic[] {
  const { talos, contract } = own;
  const kubernetes = own.guest.kubernetes?.version;
  const findings: Diagnostic[] = [];
  if (!WHOLE.test(talos.version)) {
    const message = `The image factory knows whole versions only; ${JSON.stringify(talos.version)} is none, so no image of that name exists.`;
    findings.push(
      finding(own, "render.needs-value", "error", "talos.version", message, 'version: "1.12.11"'),
    );
  }
  if (kubernetes === undefined) return findings;
  if (!WHOLE.test(kubernetes)) {
    const message = `talosctl takes whole Kubernetes versions; ${JSON.stringify(kubernetes)} is none.`;
    findings.push(
      finding(own, "render.needs-value", "warning", "kubernetes.version", message, 'version: "1.35.0"'),
    );
  }
  const [least, most] = contract.release?.kubernetes ?? [];
  const number = lineNumber(kubernetes);
  if (least === undefined || most === undefined || Number.isNaN(number)) return findings;
  if (number >= lineNumber(least) && number <= lineNumber(most)) return findings;
  const message = `Talos ${contract.line} runs Kubernetes ${least} to ${most}, not ${kubernetes}.`;
  const hint = `version: "${number < lineNumber(least) ? least : most}.0"   # or another Talos`;
  findings.push(finding(own, "render.version-mismatch", "error", "kubernetes.version", message, hint));
  return findings;
}
