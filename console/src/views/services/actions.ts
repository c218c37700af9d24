import type { Answer } from "../../../../src/api/contract/index.ts";
import type { Service } from "../../live/live-state.ts";

/** Something that can be ordered of a service. */
export interface Action {
  readonly action: Answer<"POST /api/services/{name}/{action}">["action"];
  readonly word: string;
  /** What will come of it. */
  readonly means: string;
  /** Requests notice it. */
  readonly danger?: true;
  /** Running requests are waited for. */
  readonly cuts?: true;
  /** States in which it makes sense; all when absent. The node has the last word. */
  readonly when?: readonly Service["state"][];
}

const DOWN = ["stopped", "unloaded", "asleep", "failed", "backing-off", "queued"] as const;
const UP = ["starting", "loading", "ready", "draining"] as const;

export const ACTIONS: readonly Action[] = [
  {
    action: "load",
    word: "Load",
    means: "Its engine is started and its model loaded now. Another service may have to make room.",
    when: DOWN,
  },
  {
    action: "resume",
    word: "Resume",
    means: "It takes requests again.",
    when: ["draining"],
  },
  {
    action: "restart",
    word: "Restart",
    means:
      "Its engine is ended and started again. Until it is ready, requests wait or go to another service of their route.",
    cuts: true,
    danger: true,
    when: [...UP, "failed", "backing-off"],
  },
  {
    action: "drain",
    word: "Drain",
    means: "It takes nothing new until it is resumed. Its model stays loaded.",
    cuts: true,
    when: ["ready"],
  },
  {
    action: "unload",
    word: "Unload",
    means: "Its engine is ended and its memory given back. The next request for it loads it again.",
    cuts: true,
    danger: true,
    when: [...UP, "asleep", "backing-off", "failed"],
  },
  {
    action: "step-down",
    word: "Step down",
    means:
      "It goes one rung down its ladder, as if memory ran short, and stays there until it is stepped up.",
    cuts: true,
    when: ["ready"],
  },
  {
    action: "step-up",
    word: "Step up",
    means: "It goes one rung up its ladder, towards what was planned.",
    cuts: true,
    when: ["ready"],
  },
];

/** Whether an action makes sense of a service as it is. */
export function offered({ action, when }: Action, { state, ladder }: Service): boolean {
  if (when !== undefined && !when.includes(state)) return false;
  return action !== "step-up" || ladder !== undefined;
}
