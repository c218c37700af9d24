import type { Diagnostic } from "../../core/index.ts";
import type { HostTransport } from "../../host/transport/index.ts";
import type { Exclusions, Runbook } from "../../runbook/index.ts";

/** Where applying a spec keeps its things. */
export interface ApplyPlace {
  /** Rendered files, kubeconfigs, downloads of this spec. Absolute. */
  readonly workFolder: string;
  readonly stateFolder: string;
  /** Takes a secret's value out of everything that is kept or shown from now on. */
  hide(secret: string): void;
}

/** What a spec gives to apply. */
export interface RunbookSource {
  /** The runbook without these engines. Throws `OmniError` where the spec cannot be applied without them. */
  make(exclusions: Exclusions): Promise<Runbook>;
  /** `runbook.order` of the spec. */
  readonly order: readonly (readonly string[])[];
  /** Where the spec wants the report, absolute. */
  readonly report?: string;
  readonly diagnostics: readonly Diagnostic[];
  /** The way to a machine; see `StepContext.host`. */
  host(name?: string): Promise<HostTransport>;
  close(): Promise<void>;
}
