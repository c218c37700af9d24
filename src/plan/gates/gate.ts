import type { Code } from "../../core/index.ts";
import type { KvType } from "../../memory/memory-model.ts";
import type { ModelShape } from "../../models/model-shape.ts";
import type { Engine } from "../../spec/spec.ts";

/** One engine, one card, one model: what the three gates before memory look at. */
export interface GateInput {
  /** The engine as the spec has it: kind, version, image, build, known architectures. */
  readonly engine: Engine;
  readonly card: { readonly name: string; readonly model: string; readonly computeCapability: string };
  readonly shape: ModelShape | undefined;
  readonly kvType: KvType;
  /** NVIDIA driver of the host or guest, where it is known (`580.95.05`). */
  readonly driver?: string;
}

/** Why an engine cannot run this model on this card, before any memory is counted. */
export interface GateRefusal {
  readonly code: Extract<
    Code,
    "arch-not-compiled" | "quantization-unsupported" | "attention-unsupported" | "gguf-in-vllm"
  >;
  /** With the numbers: what the card is, what the engine carries. */
  readonly reason: string;
  readonly hint: string;
  readonly source: string;
}
