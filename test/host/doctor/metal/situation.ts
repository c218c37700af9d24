import { expect } from "vitest";
import type { Finding } from "../../../../src/host/doctor/check.ts";
import type { HostTree } from "../../../fakes/hosts/host-tree.ts";
import { faultsIn, lookAt } from "./look.ts";

/** A host as it may be found, and all that is not ok about it. */
export interface Situation {
  readonly name: string;
  readonly spec: string | undefined;
  readonly host: () => HostTree;
  /** `check | subject | state`, in the order of the checks. */
  readonly faults: readonly string[];
  /** What one of them says, word for word. */
  readonly says?: Partial<Finding>;
  readonly selfTest?: boolean;
}

export async function check({ host, spec, faults, says, selfTest = false }: Situation): Promise<void> {
  const findings = await lookAt(host(), spec, { selfTest });
  expect(faultsIn(findings)).toEqual(faults);
  if (says === undefined) return;
  const about = findings.filter(
    ({ check, subject }) => check === says.check && (says.subject === undefined || subject === says.subject),
  );
  expect(about).toContainEqual(expect.objectContaining(says));
}

/** A host with something changed. */
export const changed =
  (make: () => HostTree, change: (tree: HostTree) => void): (() => HostTree) =>
  () => {
    const tree = make();
    change(tree);
    return tree;
  };
