import type { InputRequiredResult } from "@modelcontextprotocol/server";
import { OmniError } from "../../core/index.ts";
import type { Asker, HubContext } from "../hub.ts";
import { Cancelled } from "../hub/deadline.ts";
import type { ToolEntry } from "../hub/tool-entry.ts";
import type { ApprovalDesk, Decision } from "./approval-desk.ts";
import { approvalAnswer, approvalQuestion } from "./approval-question.ts";
import type { Binding, CallState, CallStates } from "./call-state.ts";

/** Milliseconds between two notices to a client that its call still waits. */
const NOTICE = 5000;
/** By which progress grows meanwhile: less than any step of the server's own, which comes after it. */
const STEP = 1e-6;

/** A call that a person must approve. */
export interface CallToApprove {
  readonly entry: ToolEntry;
  readonly binding: Binding;
  /** Of its arguments, as JSON. */
  readonly bytes: number;
  readonly asker: Asker;
  readonly context: HubContext;
  readonly state: CallState | undefined;
  /** The client says that its person approved it already. */
  readonly approvedHere: boolean;
}

/** Who approved, or what the client has to be asked first. */
export type Approval = { readonly by: string } | { readonly ask: InputRequiredResult };

/** Gets a person's approval for a call: from the one at the client, from the operator, or from who answers first. */
export class Approver {
  readonly #states: CallStates;
  readonly #desk: ApprovalDesk;
  readonly #now: () => number;
  /** Milliseconds that a call waits. */
  time: number;

  constructor(states: CallStates, desk: ApprovalDesk, time: number, now: () => number) {
    this.#states = states;
    this.#desk = desk;
    this.time = time;
    this.#now = now;
  }

  /**
   * Rejects with `OmniError` `mcp.approval-denied`, `mcp.approval-timeout`, `mcp.approval-unavailable`,
   * `mcp.approvals-full`, with `ProtocolError` -32602 for a state that was used, with `Cancelled`.
   */
  async approve(call: CallToApprove): Promise<Approval> {
    const { state, entry, asker, context, approvedHere } = call;
    const { approver } = entry.link.policy;
    if (state?.stage === "run" && state.by !== undefined) return { by: state.by };
    if (state?.stage === "ask" && approver !== "operator") return this.#answered(call, state);
    if (approvedHere && approver !== "operator") return { by: clientOf(asker) };
    if (asker.channel === "inside" && !approvedHere) throw notAsked(entry);
    if (approver !== "operator" && canAsk(context)) return this.#ask(call);
    if (approver !== "client") return this.#wait(call);
    throw notAskable(entry);
  }

  #ask(call: CallToApprove): Approval {
    const { entry, binding } = call;
    const either = entry.link.policy.approver === "either";
    const id = either ? this.#desk.open(requestOf(call), call.bytes, this.time).id : undefined;
    const state = {
      stage: "ask" as const,
      expires: this.#now() + this.time,
      ...(id === undefined ? {} : { id }),
    };
    return this.#question(call, this.#states.seal(state, binding));
  }

  #question({ entry, binding }: CallToApprove, requestState: string): Approval {
    const inputRequests = approvalQuestion({
      server: entry.link.name,
      tool: entry.tool.name,
      args: binding.args,
    });
    return { ask: { resultType: "input_required", inputRequests, requestState } };
  }

  /** The client is back with its person's answer; the operator may have been faster. */
  #answered(call: CallToApprove, state: CallState): Approval {
    const { entry, asker, context, binding } = call;
    const decided = this.#desk.decided(state.id);
    const answer = approvalAnswer(context.inputResponses);
    if (decided === undefined && answer === undefined)
      return this.#question(call, this.#states.seal(state, binding));
    this.#states.use(state);
    this.#desk.end(state.id);
    if (decided !== undefined) return { by: approvedBy(decided, entry) };
    if (answer === "approved") return { by: clientOf(asker) };
    throw denied(entry, "the person at the client");
  }

  /** The operator decides while the call waits. */
  async #wait(call: CallToApprove): Promise<Approval> {
    const { signal, onProgress } = call.context;
    if (signal.aborted) throw new Cancelled("The client cancelled the request.");
    const { id } = this.#desk.open(requestOf(call), call.bytes, this.time);
    const gone = (): void => this.#desk.end(id);
    signal.addEventListener("abort", gone);
    let notices = 0;
    const notify = (): void =>
      onProgress?.({ progress: ++notices * STEP, message: "Waits for the operator's approval." });
    const timer = onProgress === undefined ? undefined : setInterval(notify, NOTICE).unref();
    try {
      notify();
      const decision = await this.#desk.decision(id);
      if (decision.is === "gone") throw new Cancelled("The client cancelled the request.");
      return { by: approvedBy(decision, call.entry) };
    } finally {
      clearInterval(timer);
      signal.removeEventListener("abort", gone);
      this.#desk.end(id);
    }
  }
}

const requestOf = ({ entry, asker, binding }: CallToApprove) => ({
  key: asker.caller.key,
  server: entry.link.name,
  tool: entry.tool.name,
  arguments: binding.args,
});

/** Whether the person at the client can be asked: a client that names no mode can show a form. */
function canAsk({ capabilities: { elicitation } }: HubContext): boolean {
  return elicitation !== undefined && (elicitation.form !== undefined || elicitation.url === undefined);
}

function approvedBy(decision: Decision, entry: ToolEntry): string {
  if (decision.is === "approved") return decision.by;
  if (decision.is === "denied") throw denied(entry, decision.by);
  throw new OmniError("mcp.approval-timeout", `Nobody approved the call of ${entry.name} in time.`);
}

const clientOf = ({ caller }: Asker): string => `client of ${caller.key}`;

const denied = ({ name }: ToolEntry, by: string): OmniError =>
  new OmniError("mcp.approval-denied", `The call of ${name} was refused by ${by}.`);

const notAskable = ({ name }: ToolEntry): OmniError =>
  new OmniError(
    "mcp.approval-unavailable",
    `The call of ${name} needs the approval of the person at the client, and this client cannot ask.`,
  );

const notAsked = ({ name }: ToolEntry): OmniError =>
  new OmniError(
    "mcp.approval-unavailable",
    `The call of ${name} needs a person's approval, which the request did not bring.`,
    {
      hint: "Let the client approve it (require_approval), or have the owner set tools.NAME.approval: never.",
    },
  );
