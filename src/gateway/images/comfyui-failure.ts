import { z } from "zod";

/** Why a workflow gave no image. */
export type ComfyUiTrouble =
  /** ComfyUI did not take the workflow: it knows a node, a file or a value of it not. */
  | "refused"
  /** A node failed. */
  | "failed"
  /** The card's memory did not suffice; ComfyUI has unloaded its models. */
  | "memory"
  /** The connection, or ComfyUI's memory of the workflow, is gone. */
  | "lost"
  | "interrupted"
  | "timeout"
  /** It ended, and there is no image. */
  | "empty";

export class ComfyUiFailure extends Error {
  override readonly name = "ComfyUiFailure";
  readonly trouble: ComfyUiTrouble;
  /** Inputs that were refused, as `node.input`. */
  readonly inputs: readonly string[];

  constructor(trouble: ComfyUiTrouble, message: string, inputs: readonly string[] = [], cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.trouble = trouble;
    this.inputs = inputs;
  }
}

const MOST_SHOWN = 600;
const text = z.string().catch("");

const nodeErrors = z
  .record(
    z.string(),
    z.looseObject({
      class_type: text,
      errors: z
        .array(
          z.looseObject({
            message: text,
            details: text,
            extra_info: z.looseObject({ input_name: text }).catch({ input_name: "" }),
          }),
        )
        .catch([]),
    }),
  )
  .catch({});
const refusal = z.looseObject({
  error: z
    .union([
      z.string().transform((message) => ({ message, details: "" })),
      z.looseObject({ message: text, details: text }),
    ])
    .catch({ message: "", details: "" }),
  node_errors: nodeErrors.default({}),
});

/** Reads the answer of `POST /prompt` that refuses a workflow, node by node. */
export function readRefusal(status: number, body: unknown): ComfyUiFailure {
  const read = refusal.safeParse(body).data;
  const nodes = Object.entries(read?.node_errors ?? {});
  const told = nodes.flatMap(([id, node]) =>
    node.errors.map(({ message, details }) => {
      const detail = details === "" ? "" : ` (${details})`;
      return `node ${id} (${node.class_type}): ${message}${detail}`;
    }),
  );
  const inputs = nodes.flatMap(([id, node]) =>
    node.errors.flatMap(({ extra_info: { input_name: name } }) => (name === "" ? [] : [`${id}.${name}`])),
  );
  const general = [read?.error.message, read?.error.details].filter(
    (part) => part !== undefined && part !== "",
  );
  const said = told.length > 0 ? told : general.length > 0 ? general : [`status ${status}`];
  return new ComfyUiFailure("refused", bounded(`ComfyUI refused the workflow: ${said.join("; ")}`), inputs);
}

const executionError = z.looseObject({
  node_id: z.union([z.string(), z.number()]).catch(""),
  node_type: text,
  exception_type: text,
  exception_message: text,
});

/** Reads what `execution_error` tells. Only the message: tracebacks hold paths of the machine. */
export function readExecutionError(data: unknown): ComfyUiFailure {
  const read = executionError.safeParse(data).data;
  const message = (read?.exception_message ?? "").trim().split("\n")[0] ?? "";
  const memory = /OutOfMemory|out of memory|Allocation on device/i.test(
    `${read?.exception_type ?? ""} ${read?.exception_message ?? ""}`,
  );
  const where = read === undefined ? "a node" : `node ${read.node_id} (${read.node_type})`;
  return memory
    ? new ComfyUiFailure("memory", bounded(`The card's memory did not suffice at ${where}: ${message}`))
    : new ComfyUiFailure("failed", bounded(`The workflow failed at ${where}: ${message}`));
}

const bounded = (message: string): string =>
  message.length > MOST_SHOWN ? `${message.slice(0, MOST_SHOWN)}…` : message;
