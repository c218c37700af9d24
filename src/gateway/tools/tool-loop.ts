import { formatBytes, formatDuration } from "../../core/index.ts";
import type { OfferedTool } from "./offered-tools.ts";
import type { ToolBounds } from "./tool-bounds.ts";

/** A call as the model made it; `arguments` is its text, which may be no JSON. */
export interface ModelCall {
  readonly id: string;
  readonly name: string;
  readonly arguments: string;
}

export interface HostedCall extends ModelCall {
  readonly tool: OfferedTool;
}

/** Why tools stop before the model had its last word. */
export interface LoopStop {
  readonly reason: "max_tool_rounds" | "max_tool_calls" | "max_tool_time" | "max_tool_bytes";
  readonly message: string;
}

/** What follows an answer of the model. */
export interface RoundPlan {
  /** To be called now, several at a time. */
  readonly run: readonly HostedCall[];
  /** Somebody has to agree to these first. */
  readonly approve: readonly HostedCall[];
  /** Whether the model is asked again once the calls have returned. */
  readonly again: boolean;
  readonly stop?: LoopStop;
}

export interface LoopManner {
  /** The client can be asked whether a tool may be called. */
  readonly asksApproval: boolean;
  /** Results of calls beside those of the client's functions are not lost when the client takes over. */
  readonly runsBesideClient: boolean;
}

const NOTHING: RoundPlan = { run: [], approve: [], again: false };

/**
 * Decides what follows each answer of the model: which tools are called, whether it is asked again, where it ends. It has no
 * clock and calls nothing; it counts what it is told.
 */
export class ToolLoop {
  readonly #bounds: ToolBounds;
  readonly #manner: LoopManner;
  readonly #tools: ReadonlyMap<string, OfferedTool>;
  #rounds = 0;
  #calls = 0;
  #bytes = 0;

  constructor(bounds: ToolBounds, manner: LoopManner, tools: readonly OfferedTool[]) {
    this.#bounds = bounds;
    this.#manner = manner;
    this.#tools = new Map(tools.map((tool) => [tool.name, tool]));
  }

  /** The tool that a function stands for; `undefined` for those of the client, and for what the model made up. */
  tool(name: string): OfferedTool | undefined {
    return this.#tools.get(name);
  }

  /** Bytes that the result of a call that begins now may have. */
  get room(): number {
    return Math.max(0, Math.min(this.#bounds.callBytes, this.#bounds.resultBytes - this.#bytes));
  }

  /** A call returned so many bytes. */
  returned(bytes: number): void {
    this.#bytes += bytes;
  }

  /** Calls that the client agreed to, before the model is asked at all. */
  approved(calls: readonly HostedCall[], elapsed: number): RoundPlan {
    return this.#planned(calls, [], true, elapsed);
  }

  /** Whether the model may be asked again; `elapsed` milliseconds since the request began. */
  again(elapsed: number): LoopStop | undefined {
    const { rounds, resultBytes } = this.#bounds;
    if (this.#bytes >= resultBytes) {
      return {
        reason: "max_tool_bytes",
        message: `The tools returned ${formatBytes(this.#bytes)}; at most ${formatBytes(resultBytes)} are taken for one request.`,
      };
    }
    if (this.#rounds >= rounds) {
      return {
        reason: "max_tool_rounds",
        message: `The model was asked ${rounds} times, as often as one request may, and still called tools.`,
      };
    }
    return this.#late(elapsed);
  }

  /** The model has answered with these calls, in order. */
  answered(calls: readonly ModelCall[], elapsed: number): RoundPlan {
    this.#rounds++;
    const hosted = calls.flatMap((call) => {
      const tool = this.tool(call.name);
      return tool === undefined ? [] : { ...call, tool };
    });
    const mixed = hosted.length < calls.length;
    if (hosted.length === 0 || (mixed && !this.#manner.runsBesideClient)) return NOTHING;
    const approve = this.#manner.asksApproval ? hosted.filter(({ tool }) => tool.approval) : [];
    const run = hosted.filter((call) => !approve.includes(call));
    const again = !mixed && approve.length === 0;
    const stop = again ? this.again(elapsed) : undefined;
    return stop === undefined ? this.#planned(run, approve, again, elapsed) : { ...NOTHING, stop };
  }

  #planned(
    run: readonly HostedCall[],
    approve: readonly HostedCall[],
    again: boolean,
    elapsed: number,
  ): RoundPlan {
    const { calls } = this.#bounds;
    if (this.#calls + run.length > calls) {
      const message = `The model wants to call ${this.#calls + run.length} tools; at most ${calls} are called for one request.`;
      return { ...NOTHING, stop: { reason: "max_tool_calls", message } };
    }
    const stop = run.length === 0 ? undefined : this.#late(elapsed);
    if (stop !== undefined) return { ...NOTHING, stop };
    this.#calls += run.length;
    return { run, approve, again };
  }

  #late(elapsed: number): LoopStop | undefined {
    const { time } = this.#bounds;
    if (elapsed < time) return undefined;
    return {
      reason: "max_tool_time",
      message: `The tools took ${formatDuration(time)}, as long as they may for one request.`,
    };
  }
}
