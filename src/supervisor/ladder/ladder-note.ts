import type { NewEvent } from "../../core/index.ts";
import { formatBytes, formatDuration } from "../../core/index.ts";
import type { LadderView } from "../backends.ts";
import { COOLER } from "./device-pressure.ts";
import { coolDownOf, neededFor } from "./ladder-machine.ts";
import type { Cause, LadderNote, LadderRules, LadderState } from "./ladder-state.ts";

/** Why a service is not as planned, for a person. */
export function causeText(cause: Cause): string {
  switch (cause.is) {
    case "memory": {
      const who = cause.foreign === undefined ? "" : `, and ${cause.foreign}`;
      return `${cause.device} has ${formatBytes(cause.free)} free, ${formatBytes(cause.kept)} is kept free${who}`;
    }
    case "heat":
      return `${cause.device} is at ${cause.temperature} °C, its limit is ${cause.limit} °C`;
    case "failure":
      return `its engine ran out of memory: ${cause.message.replace(/\.$/, "")}`;
    case "predicted": {
      const where = cause.missing.map(({ device, bytes }) => `${formatBytes(bytes)} on ${device}`);
      return `its start would not fit, ${where.join(" and ")} is missing`;
    }
    case "by-hand":
      return "its owner stepped it down";
  }
}

/** What has to be true before a service steps back up, for a person. */
function backWhen(state: LadderState, rules: LadderRules): string {
  if (state.heldAt >= state.rung) return "when its owner steps it up";
  const devices = new Set(
    rules.rungs.slice(0, state.rung).flatMap((rung) => rung.frees.map(({ device }) => device)),
  );
  const needs = [...devices].flatMap((device) => {
    const needed = neededFor(rules, state.rung - 1, state.rung, device);
    return needed === undefined ? [] : [`at least ${formatBytes(needed)} free on ${device}`];
  });
  const cause = state.because;
  const cool = cause?.is === "heat" ? [`${cause.device} at most at ${cause.limit - COOLER} °C`] : [];
  const what = [...needs, ...cool];
  const time = formatDuration(coolDownOf(state, rules));
  return what.length === 0 ? `after ${time} without trouble` : `after ${time} of ${what.join(" and ")}`;
}

/** How far a service has stepped down; `undefined` for one that is as planned. `since` in milliseconds since the epoch. */
export function ladderView(state: LadderState, rules: LadderRules, since: number): LadderView | undefined {
  if (state.rung === 0) return undefined;
  return {
    rung: state.rung,
    changes: rules.rungs.slice(0, state.rung).map((rung) => rung.change),
    because: state.because === undefined ? "" : causeText(state.because),
    since,
    backWhen: backWhen(state, rules),
  };
}

/** The event for one note: every sentence that the ladder says about a service is written here. */
export function describeLadder(
  service: string,
  note: LadderNote,
  state: LadderState,
  rules: LadderRules,
): NewEvent {
  switch (note.is) {
    case "down": {
      const changes = rules.rungs.slice(note.from, note.to).map((rung) => rung.change);
      const message = `${service} steps down to rung ${note.to} (${changes.join("; ")}): ${causeText(note.because)}; it steps back up ${backWhen(state, rules)}.`;
      return { kind: "ladder.down", severity: "warning", service, message, data: { ...note } };
    }
    case "up": {
      const where = note.to === 0 ? "is as planned again" : `steps up to rung ${note.to}`;
      const undone = rules.rungs.slice(note.to, note.from).map((rung) => rung.change);
      const why = note.byHand ? "its owner stepped it up" : "there was room and calm for the whole cool-down";
      const message = `${service} ${where} (no more ${undone.join("; ")}): ${why}.`;
      return { kind: "ladder.up", severity: "info", service, message, data: { ...note } };
    }
    case "exhausted": {
      const none =
        rules.rungs.length === 0
          ? "its ladder has no step that would help"
          : "no step that would help is left on its ladder";
      const message = `${service} cannot step down: ${causeText(note.because)}; ${none}.`;
      return { kind: "ladder.exhausted", severity: "error", service, message, data: { ...note } };
    }
  }
}
