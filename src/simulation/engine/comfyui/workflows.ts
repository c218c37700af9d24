import { randomUUID } from "node:crypto";
import type { Fields } from "../../read-fields.ts";
import { fieldsOf, numberIn, textIn } from "../../read-fields.ts";
import type { Engine } from "../engine.ts";
import type { EngineEnd } from "../engine-end.ts";
import { take } from "../take-memory.ts";
import type { MemoryTerm } from "../../board/holdings.ts";
import { torchOutOfMemory } from "../vllm/load-vllm.ts";

/** A workflow that was asked for. */
interface Workflow {
  readonly id: string;
  readonly number: number;
  readonly nodes: Fields;
}

type Message = readonly [type: string, data: Fields];

const DEFAULT_STEPS = 20;

/** ComfyUI's queue: one workflow at a time; models stay loaded between two until they are told to go. */
export class Workflows {
  readonly history = new Map<string, Fields>();
  readonly waiting: Workflow[] = [];
  running: Workflow | undefined;
  readonly #engine: Engine;
  readonly #tell: (message: Message) => void;
  #interrupt: AbortController | undefined;
  #count = 0;

  constructor(engine: Engine, tell: (message: Message) => void) {
    this.#engine = engine;
    this.#tell = tell;
  }

  add(nodes: Fields, id: string = randomUUID()): Workflow {
    const workflow = { id, number: this.#count++, nodes };
    this.waiting.push(workflow);
    this.#tellStatus();
    if (this.running === undefined) void this.#next();
    return workflow;
  }

  interrupt(): void {
    this.#interrupt?.abort();
  }

  /** Gives back the models' memory; what computes goes with the workflow. */
  unload(): void {
    for (const uuid of this.#engine.cards)
      for (const term of ["weights", "kvCache", "compute"] as const) this.#engine.board?.release(uuid, term);
    this.#engine.board?.release("cpu", "weights");
  }

  async #next(): Promise<void> {
    for (;;) {
      const workflow = this.waiting.shift();
      this.running = workflow;
      this.#tellStatus();
      if (workflow === undefined) return;
      await this.#execute(workflow);
    }
  }

  async #execute({ id, number, nodes }: Workflow): Promise<void> {
    const messages: Message[] = [];
    const tell = (type: string, data: Fields): void => {
      const message = [type, { ...data, prompt_id: id }] as const;
      if (type.startsWith("execution_")) messages.push(message);
      this.#tell(message);
    };
    const began = performance.now();
    this.#engine.say("got prompt");
    tell("execution_start", { timestamp: Date.now() });
    tell("execution_cached", { nodes: [], timestamp: Date.now() });
    const end = await this.#compute(nodes, tell);
    tell(end.type, { ...end.data, timestamp: Date.now() });
    tell("executing", { node: null });
    this.#engine.say(`Prompt executed in ${((performance.now() - began) / 1000).toFixed(2)} seconds`);
    const succeeded = end.type === "execution_success";
    this.history.set(id, {
      prompt: [number, id, nodes, {}, []],
      outputs: succeeded ? { [end.node]: { images: [image(number)] } } : {},
      status: { status_str: succeeded ? "success" : "error", completed: succeeded, messages },
    });
  }

  async #compute(
    nodes: Fields,
    tell: (type: string, data: Fields) => void,
  ): Promise<{ readonly type: string; readonly data: Fields; readonly node: string }> {
    const node = Object.keys(nodes).at(-1) ?? "1";
    tell("executing", { node, display_node: node });
    const trouble = this.#load();
    if (trouble !== undefined)
      return { type: "execution_error", data: this.#outOfMemory(trouble, node), node };
    this.#interrupt = new AbortController();
    const max = stepsOf(nodes);
    const tokens = Array.from({ length: max }, () => "");
    let value = 0;
    try {
      await this.#engine.work.run({ promptTokens: 0, tokens }, this.#interrupt.signal, () => {
        if (this.#engine.faults.take("oom-at-run") !== undefined) throw new Error("out of memory");
        tell("progress", { value: ++value, max, node });
      });
    } catch {
      if (!this.#interrupt.signal.aborted)
        return {
          type: "execution_error",
          data: this.#outOfMemory(torchOutOfMemory(this.#engine, 0, 2 ** 31), node),
          node,
        };
      return { type: "execution_interrupted", data: { node_id: node, executed: [] }, node };
    } finally {
      this.#interrupt = undefined;
      for (const uuid of this.#engine.cards) this.#engine.board?.release(uuid, "compute");
    }
    tell("executed", { node, display_node: node, output: { images: [image(0)] } });
    return { type: "execution_success", data: {}, node };
  }

  /** Takes what is not yet loaded; why it could not, else `undefined`. */
  #load(): string | undefined {
    const { board, settings, cards } = this.#engine;
    const held = new Set(
      cards.filter((uuid) =>
        board
          ?.holders(uuid)
          .some(({ pid, bytes }) => pid === process.pid && bytes > (settings.memory[uuid]?.overhead ?? 0)),
      ),
    );
    let trouble: string | undefined;
    const noRoom = (card: number, bytes: number): EngineEnd => {
      trouble = torchOutOfMemory(this.#engine, Math.max(0, card), bytes);
      throw new Error(trouble);
    };
    try {
      for (const uuid of cards)
        for (const term of ["weights", "compute"] satisfies MemoryTerm[])
          if (term === "compute" || !held.has(uuid))
            take(this.#engine, uuid, term, settings.memory[uuid]?.[term] ?? 0, noRoom);
    } catch {
      return trouble ?? "torch.OutOfMemoryError: Allocation on device";
    }
    return undefined;
  }

  /** It outlives this: its models go, and the next workflow may fit. */
  #outOfMemory(text: string, node: string): Fields {
    this.unload();
    this.#engine.say("!!! Exception during processing !!! Allocation on device");
    this.#engine.say(text);
    this.#engine.say("Got an OOM, unloading all loaded models.");
    return {
      node_id: node,
      node_type: "KSampler",
      executed: [],
      exception_message: "Allocation on device\nThis error means you ran out of memory on your GPU.",
      exception_type: "torch.OutOfMemoryError",
      traceback: [],
    };
  }

  #tellStatus(): void {
    const remaining = this.waiting.length + (this.running === undefined ? 0 : 1);
    this.#tell(["status", { status: { exec_info: { queue_remaining: remaining } } }]);
  }
}

const image = (number: number): Fields => ({
  filename: `ComfyUI_${String(number).padStart(5, "0")}_.png`,
  subfolder: "",
  type: "output",
});

/** Steps of the sampler in the workflow. */
function stepsOf(nodes: Fields): number {
  const steps = Object.values(nodes).map((node) => {
    const fields = fieldsOf(node);
    return textIn(fields, "class_type") === undefined
      ? undefined
      : numberIn(fieldsOf(fields?.["inputs"]), "steps");
  });
  return Math.max(1, Math.min(1000, steps.find((count) => count !== undefined) ?? DEFAULT_STEPS));
}
