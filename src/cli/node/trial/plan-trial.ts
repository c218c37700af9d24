import { canonicalJson, OmniError, sortDiagnostics } from "../../../core/index.ts";
import type { Answer, Body } from "../../../api/contract/index.ts";
import type { MachineInventory } from "../../../inventory/index.ts";
import type { Learned, Plan } from "../../../plan/index.ts";
import { editSpec, withoutSecrets } from "../../../spec/index.ts";
import { observeFor, withPlace } from "../../make-plan.ts";
import type { PlanReadings } from "../../make-plan.ts";
import { readLocated } from "../../node-spec.ts";
import type { LocatedSpec } from "../../node-spec.ts";
import { changeLine } from "../../plan-view/change-line.ts";
import { diffPlans } from "../../plan-view/plan-diff.ts";
import { readShapes } from "../../read-shapes.ts";
import type { ReadShapes } from "../../read-shapes.ts";
import { planHere } from "../plan-here.ts";
import type { Circumstances, UpChoice } from "../plan-here.ts";
import { onlyEmbedded } from "../up-plan.ts";

/** What trials of a node's spec start from. Plain data, so that a thread can be given it. */
export interface TrialBase {
  readonly origin: string;
  readonly folder: string;
  readonly text: string;
  readonly choice: UpChoice;
  readonly learned: readonly Learned[];
  /** This machine as the running plan saw it. */
  readonly observed: MachineInventory;
  /** Files that the running plan read. A trial opens these and no others: its text comes over the network. */
  readonly files: readonly string[];
}

/** What is tried, and what it is compared with. */
export interface Trial {
  readonly asked: Body<"POST /api/plan/try">;
  readonly running: Plan;
  readonly circumstances: Circumstances;
}

export type Tried = Answer<"POST /api/plan/try">;

/** Plans changes of a spec by the code of `omni plan`. Models that did not change since the last trial are not read again. */
export function planTrials(base: TrialBase): (trial: Trial) => Promise<Tried> {
  const readings = trialReadings(base);
  return async ({ asked, running, circumstances }) => {
    const edited = editSpec(asked.text ?? base.text, asked.changes ?? []);
    const text = withoutSecrets(edited.text);
    const { located, diagnostics } = readLocated(edited.text, base.origin, base.folder);
    if (located === undefined || edited.diagnostics.length > 0)
      return { text, diagnostics: sortDiagnostics([...edited.diagnostics, ...diagnostics]), differences: [] };
    const learned = located.spec.policies.learn ? base.learned : [];
    const ground = { readings: await readings(located), choice: base.choice, learned };
    try {
      const plan = planHere(located, ground, circumstances);
      const differences = diffPlans(running, plan).map(changeLine);
      return { text, plan, diagnostics: plan.diagnostics, differences };
    } catch (thrown) {
      // A spec that is right in itself and says nothing of this machine.
      if (!(thrown instanceof OmniError)) throw thrown;
      return { text, diagnostics: [thrown.toDiagnostic()], differences: [] };
    }
  };
}

/** What the plan of a text stands on: each model is read once, the machine looked at once more where a card is asked for. */
function trialReadings({ observed, files }: TrialBase): (located: LocatedSpec) => Promise<PlanReadings> {
  const open = new Set(files);
  let known = new Map<string, ReadShapes>();
  let machine: MachineInventory | undefined;
  return async (located) => {
    const next = new Map<string, ReadShapes>();
    for (const [name, model] of Object.entries(located.spec.models)) {
      const key = canonicalJson({ name, model });
      const alone = { ...located, spec: { ...located.spec, models: { [name]: model } } };
      next.set(key, known.get(key) ?? (await readShapes(alone, false, (path) => open.has(path))));
    }
    known = next;
    if (observed.gpus.length === 0 && !onlyEmbedded(located)) machine ??= await observeFor(located, false);
    return { ...together([...next.values()], located), observed: machine ?? observed };
  };
}

const together = (
  read: readonly ReadShapes[],
  located: LocatedSpec,
): Pick<PlanReadings, "shapes" | "paths" | "adapters" | "notes"> => ({
  shapes: new Map(read.flatMap(({ shapes }) => [...shapes])),
  paths: new Map(read.flatMap(({ paths }) => [...paths])),
  adapters: new Map(read.flatMap(({ adapters }) => [...adapters])),
  // The model may have moved in the text.
  notes: read.flatMap(({ notes }) => notes.map((note) => withPlace(note, located))),
});
