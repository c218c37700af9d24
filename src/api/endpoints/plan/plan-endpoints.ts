import type { Call } from "../../../gateway/call.ts";
import type { Endpoint } from "../../../gateway/surface.ts";
import { badRequest, sendError } from "../../../gateway/wire-error.ts";
import { withoutSecrets } from "../../../spec/index.ts";
import { OPERATIONS } from "../../contract/index.ts";
import type { Answer, Body } from "../../contract/index.ts";
import { refusing } from "../refusing.ts";
import { sendAnswer } from "../send-answer.ts";
import { withBody } from "../with-body.ts";
import { isDeeperThan } from "./is-deeper-than.ts";

/** What a node tells of its plan, and how changes of its spec are planned. */
export interface PlanDesk {
  /** The plan in force, after fallbacks and lost cards, with where its spec came from and the spec's text. */
  readonly running: () => Answer<"GET /api/plan">;
  /** Plans changes without changing the node. Rejects with OmniError. */
  readonly attempt: (trial: Body<"POST /api/plan/try">) => Promise<Answer<"POST /api/plan/try">>;
}

/** Levels of a value in a change: no part of a spec is that deep. */
const DEPTH = 32;

/** `/api/plan` and `/api/plan/try`. One trial at a time: whoever comes in between is asked to come again. */
export function planEndpoints(desk: PlanDesk): Readonly<Record<string, Endpoint>> {
  let trying = false;
  const attempt = async (call: Call, trial: Body<"POST /api/plan/try">): Promise<void> => {
    if (trying) {
      sendError(call, BUSY);
      return;
    }
    trying = true;
    try {
      await refusing(call, async () => sendAnswer(call, "POST /api/plan/try", await desk.attempt(trial)));
    } finally {
      trying = false;
    }
  };
  return {
    "/api/plan": { admin: true, GET: (call) => void refusing(call, async () => show(desk, call)) },
    "/api/plan/try": {
      admin: true,
      POST: (call) =>
        withBody(call, OPERATIONS["POST /api/plan/try"].body, async (trial) => {
          const deep = trial.changes?.find(({ value }) => isDeeperThan(value, DEPTH));
          if (deep === undefined) await attempt(call, trial);
          else sendError(call, badRequest("invalid_body", `changes: ${deep.path} is nested too deeply.`));
        }),
    },
  };
}

/** A spec refers to its secrets; what a comment of it says is not for the network either. */
function show({ running }: PlanDesk, call: Call): void {
  const { text, ...rest } = running();
  sendAnswer(call, "GET /api/plan", { ...rest, text: withoutSecrets(text) });
}

const BUSY = {
  status: 429,
  type: "rate_limit_error",
  code: "plan_busy",
  message: "The node plans another change just now; try again in a moment.",
  retryAfter: 1,
} as const;
