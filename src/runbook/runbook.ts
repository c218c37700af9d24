import type { Deployment, SecretReference } from "../deployment/index.ts";
import type { Plan } from "../plan/index.ts";
import type { RenderedNode } from "../render/index.ts";
import type { Step } from "./step.ts";

/** Engines of the spec that turned out not to work, by name, and why. */
export type Exclusions = ReadonlyMap<string, string>;

/** What steps are made from: everything is decided, nothing is looked at. */
export interface RunbookInput {
  readonly deployment: Deployment;
  readonly plan: Plan;
  readonly rendered: RenderedNode;
  /** Folder of the spec, for its relative paths. */
  readonly folder: string;
  /** Folder of this machine that belongs to applying this spec: rendered files, kubeconfigs, downloads. Absolute. */
  readonly workFolder: string;
  /** What the runbook section says, with its defaults. */
  readonly acceptance: boolean;
  /** A secret's value, asked for at the moment of use; throws `OmniError` `key.unset`. */
  secret(reference: SecretReference): Promise<string>;
}

/** Steps in an order in which each comes after what it needs. */
export interface Runbook {
  readonly name: string;
  readonly steps: readonly Step[];
  readonly exclusions: Exclusions;
}
