/** A piece of an answer in which the model may call tools. */
export type ToolEvent =
  | { readonly kind: "text"; readonly text: string }
  | { readonly kind: "call"; readonly index: number; readonly id: string; readonly name: string }
  | { readonly kind: "arguments"; readonly index: number; readonly text: string };

/** Finds the tool calls in a growing answer. One instance serves one answer. */
export interface ToolCallParser {
  push(text: string): ToolEvent[];
  /** No more text comes; what was held back and is no call becomes text. */
  end(): ToolEvent[];
  /** True once nothing more is wanted from the model. */
  readonly complete: boolean;
}
