import { randomUUID } from "node:crypto";
import type { Fields } from "../../read-fields.ts";
import type { Engine } from "../engine.ts";
import type { EngineEnd } from "../engine-end.ts";
import { take } from "../take-memory.ts";
import type { MemoryTerm } from "../../board/holdings.ts";
import { torchOutOfMemory } from "../vllm/load-vllm.ts";
import { inputOf, outputNodes, savedImage } from "./saved-image.ts";

/** A workflow that was asked for. */
interface Workflow {
  readonly id: string;
  readonly number: number;
  readonly nodes: Fields;
  /** The listener that asked for it hears of it alone; everybody does where none did. */
  readonly client: string | undefined;
}

type Message = readonly [type: string, data: Fields];

const DEFAULT_STEPS = 20;

/** To whom something is told: one listener, or all. */
type Tell = (message: Message | Buffer, client: string | undefined) => void;

/** ComfyUI's queue: one workflow at a time; models stay loaded between two until they are told to go. */
export class Workflows {
  readonly history = new Map<string, Fields>();
  readonly waiting: Workflow[] = [];
  running: Workflow | undefined;
  readonly #engine: Engine;
  /** Images by the name under which `/view` gives them. */
  readonly images = new Map<string, Buffer>();
  readonly #tell: Tell;
  #interrupt: AbortController | undefined;
  #count = 0;

  constructor(engine: Engine, tell: Tell) {
    this.#engine = engine;
    this.#tell = tell;
  }

  add(nodes: Fields, client?: string, id: string = randomUUID()): Workflow {
    const workflow = { id, number: this.#count++, nodes, client };
    this.waiting.push(workflow);
    this.#tellStatus();
    if (this.running === undefined) void this.#next();
    return workflow;
  }

  /** Ends what runs, or only this one where it is named. */
  interrupt(id?: string): void {
    if (id === undefined || this.running?.id === id) this.#interrupt?.abort();
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

  async #execute({ id, number, nodes, client }: Workflow): Promise<void> {
    const messages: Message[] = [];
    const tell = (type: string, data: Fields): void => {
      const message = [type, { ...data, prompt_id: id }] as const;
      if (type.startsWith("execution_")) messages.push(message);
      this.#tell(message, client);
    };
    const began = performance.now();
    this.#engine.say("got prompt");
    tell("execution_start", { timestamp: Date.now() });
    tell("execution_cached", { nodes: [], timestamp: Date.now() });
    const end = await this.#compute(nodes, tell, (preview) => this.#tell(preview, client));
    tell(end.type, { ...end.data, timestamp: Date.now() });
    tell("executing", { node: null });
    this.#engine.say(`Prompt executed in ${((performance.now() - began) / 1000).toFixed(2)} seconds`);
    const succeeded = end.type === "execution_success";
    this.history.set(id, {
      prompt: [number, id, nodes, {}, []],
      outputs: succeeded ? this.#save(nodes, number) : {},
      status: { status_str: succeeded ? "success" : "error", completed: succeeded, messages },
    });
  }

  async #compute(
    nodes: Fields,
    tell: (type: string, data: Fields) => void,
    show: (preview: Buffer) => void,
  ): Promise<{ readonly type: string; readonly data: Fields; readonly node: string }> {
    const node = Object.keys(nodes).at(-1) ?? "1";
    tell("executing", { node, display_node: node });
    const trouble = this.#load();
    if (trouble !== undefined)
      return { type: "execution_error", data: this.#outOfMemory(trouble, node), node };
    this.#interrupt = new AbortController();
    const max = Math.max(1, Math.min(1000, inputOf(nodes, "steps") ?? DEFAULT_STEPS));
    const previews = !["none", undefined].includes(this.#engine.line.value("--preview-method"));
    const tokens = Array.from({ length: max }, () => "");
    let value = 0;
    try {
      await this.#engine.work.run({ promptTokens: 0, tokens }, this.#interrupt.signal, () => {
        if (this.#engine.faults.take("oom-at-run") !== undefined) throw new Error("out of memory");
        tell("progress", { value: ++value, max, node });
        if (previews) show(previewOf(value));
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
    tell("executed", { node, display_node: node, output: {} });
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

  /** So many images as the latent has, at every output. */
  #save(nodes: Fields, number: number): Fields {
    const count = Math.max(1, Math.min(16, inputOf(nodes, "batch_size") ?? 1));
    return Object.fromEntries(
      outputNodes(nodes).map((node) => {
        const images = Array.from({ length: count }, (_, index) => {
          const filename = `ComfyUI_${String(number).padStart(5, "0")}_${node}_${index}.png`;
          this.images.set(filename, savedImage(nodes, index));
          return { filename, subfolder: "", type: "output" };
        });
        return [node, { images }];
      }),
    );
  }

  #tellStatus(): void {
    const remaining = this.waiting.length + (this.running === undefined ? 0 : 1);
    this.#tell(["status", { status: { exec_info: { queue_remaining: remaining } } }], undefined);
  }
}

/** A binary message: kind of message, kind of image (2 is PNG), the image. */
function previewOf(step: number): Buffer {
  const head = Buffer.alloc(8);
  head.writeUInt32BE(1, 0);
  head.writeUInt32BE(2, 4);
  return Buffer.concat([head, savedImage({}, step)]);
}
