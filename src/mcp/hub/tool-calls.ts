import type { CallToolResult } from "@modelcontextprotocol/server";
import { ProtocolError, ProtocolErrorCode } from "@modelcontextprotocol/server";
import { OmniError } from "../../core/index.ts";
import type { Approver } from "../approvals/approver.ts";
import type { Binding, CallStates } from "../approvals/call-state.ts";
import type { Audited, AuditTrail } from "../audit/audit-trail.ts";
import type { Asker, HubContext } from "../hub.ts";
import { brokenRule } from "../policy/argument-rules.ts";
import type { CallRate, CallRates } from "../policy/call-rates.ts";
import type { Answer } from "../provider.ts";
import { argumentBytes } from "./argument-bounds.ts";
import { Cancelled, withDeadline } from "./deadline.ts";
import { codeOf, failedTool, failureOf } from "./failures.ts";
import { capTool } from "./output-cap.ts";
import type { RefusalLog } from "./refusal-log.ts";
import { outsideTool } from "./rewriting.ts";
import { askedOf, isInput, openState, providerContext } from "./rounds.ts";
import type { Permit } from "./view.ts";

/** What requests go through, whatever they ask for. */
export interface RequestParts {
  readonly states: CallStates;
  readonly rates: CallRates;
  readonly approver: Approver;
  readonly audit: AuditTrail;
  readonly refusals: RefusalLog;
  readonly now: () => number;
}

/** A call on its way. */
interface Call {
  readonly permit: Permit;
  readonly args: Readonly<Record<string, unknown>>;
  readonly asker: Asker;
  readonly context: HubContext;
  readonly began: number;
  bytes: number;
  /** The server has been asked: what fails now is no refusal any more. */
  sent: boolean;
  approvedBy: string | undefined;
}

/** Calls of tools that were found for their asker: what they must pass, the call itself, and what the answer becomes. */
export class ToolCalls {
  readonly #parts: RequestParts;

  constructor(parts: RequestParts) {
    this.#parts = parts;
  }

  /** Rejects with `ProtocolError`; a refused or failed call is a result with `isError`. */
  async run(
    permit: Permit,
    args: Readonly<Record<string, unknown>>,
    asker: Asker,
    context: HubContext,
    approvedHere: boolean,
  ): Promise<Answer<CallToolResult>> {
    const began = performance.now();
    const call: Call = { permit, args, asker, context, began, bytes: 0, sent: false, approvedBy: undefined };
    try {
      return await this.#go(call, approvedHere);
    } catch (thrown) {
      return this.#failed(call, thrown);
    }
  }

  async #go(call: Call, approvedHere: boolean): Promise<Answer<CallToolResult>> {
    const { permit, args, asker, context } = call;
    const { entry } = permit;
    const { link, tool } = entry;
    const { states, approver, now } = this.#parts;
    call.bytes = argumentBytes(args);
    const binding = bindingOf(call);
    const state = openState(states, binding, context);
    // What may come again counts again.
    this.#check(call, state?.stage === "ask" || state?.by !== undefined);
    if (entry.needsApproval) {
      const approval = await approver.approve({
        entry,
        binding,
        bytes: call.bytes,
        asker,
        context,
        state,
        approvedHere,
      });
      if ("ask" in approval) {
        this.#parts.audit.add(auditedOf(call), { outcome: "input" });
        return approval.ask;
      }
      call.approvedBy = approval.by;
    }
    call.sent = true;
    const answer = await withDeadline(link.name, link.policy.timeout, context.signal, (signal) =>
      link.provider.callTool(tool.name, args, providerContext(context, asker, link.policy, signal, state)),
    );
    if (isInput(answer)) {
      const asked = askedOf(states, binding, answer, link.policy, call.approvedBy, now());
      this.#parts.audit.add(auditedOf(call), { outcome: "input", approvedBy: call.approvedBy });
      return asked;
    }
    const outside = outsideTool(answer, link.scheme);
    const { result, bytes } = capTool(outside, link.policy.maxOutput, tool.outputSchema !== undefined);
    this.#parts.audit.add(auditedOf(call), {
      outcome: result.isError === true ? "error" : "ok",
      resultBytes: bytes,
      approvedBy: call.approvedBy,
      answer: result,
    });
    return result;
  }

  /** Throws `OmniError` for what the key may not do now. */
  #check({ permit, args, asker }: Call, isContinued: boolean): void {
    const { entry, rules } = permit;
    const { link } = entry;
    const broken = rules.length === 0 ? undefined : brokenRule(rules, args);
    if (broken !== undefined)
      throw new OmniError(
        "mcp.arguments-refused",
        `The key ${asker.caller.key} may call ${entry.name} only where ${broken.name} matches ${broken.glob}.`,
      );
    if (!isContinued) this.#checkRates(asker, link.name, link.policy.callsPerMinute);
    if (entry.quarantine !== undefined)
      throw new OmniError(
        entry.quarantine.code,
        entry.quarantine.code === "mcp.quarantined"
          ? `The definition of ${entry.name} changed after it was accepted, so that it is not called.`
          : `What definition of ${entry.name} was accepted cannot be read, so that it is not called.`,
      );
  }

  #checkRates({ caller }: Asker, server: string, ofServer: number | undefined): void {
    const ofKey = caller.mcp?.callsPerMinute;
    if (ofKey === undefined && ofServer === undefined) return;
    const rates: CallRate[] = [];
    if (ofKey !== undefined) rates.push({ of: `key ${caller.key}`, perMinute: ofKey });
    if (ofServer !== undefined)
      rates.push({ of: `server ${server} for key ${caller.key}`, perMinute: ofServer });
    const refused = this.#parts.rates.take(rates);
    if (refused === undefined) return;
    throw new OmniError(
      "mcp.rate-limited",
      `The ${refused.rate.of} may call ${refused.rate.perMinute} times a minute. Try again in ${refused.seconds} s.`,
    );
  }

  #failed(call: Call, thrown: unknown): CallToolResult {
    const { audit, refusals } = this.#parts;
    const { entry } = call.permit;
    if (thrown instanceof Cancelled) {
      audit.add(auditedOf(call), { outcome: "cancelled", approvedBy: call.approvedBy });
      throw new ProtocolError(ProtocolErrorCode.InternalError, "The request was cancelled.");
    }
    const failure = failureOf(thrown, entry.link.name);
    const code = codeOf(failure);
    const outcome = outcomeOf(code, call.sent);
    audit.add(auditedOf(call), { outcome, code, approvedBy: call.approvedBy });
    if (outcome === "refused")
      refusals.say(call.asker.caller.key, entry.link.name, code, failure.message.slice(0, 500));
    if (!(failure instanceof OmniError)) throw failure;
    return failedTool(failure);
  }
}

function bindingOf({ permit: { entry }, args, asker }: Call): Binding {
  return {
    key: asker.caller.key,
    method: "tools/call",
    server: entry.link.name,
    name: entry.tool.name,
    args,
  };
}

const auditedOf = ({ permit: { entry }, args, bytes, asker, context, began }: Call): Audited => ({
  server: entry.link.name,
  method: "tools/call",
  name: entry.tool.name,
  args,
  argumentBytes: bytes,
  asker,
  context,
  began,
});

/** How a request ended that ended badly. */
export function outcomeOf(code: string, sent: boolean): "refused" | "denied" | "timeout" | "error" {
  if (code === "mcp.approval-denied") return "denied";
  if (code === "mcp.timeout" || code === "mcp.approval-timeout") return "timeout";
  return sent ? "error" : "refused";
}
