import { expect, it } from "vitest";
import { nodeState } from "../../../test/fakes/top-state.ts";
import { keysIn, pressKey, withSelection } from "./press-key.ts";
import type { Effect } from "./press-key.ts";
import { topModel } from "./top-model.ts";
import { FIRST_VIEW } from "./top-view.ts";
import type { TopView } from "./top-view.ts";

const model = topModel(nodeState(["oracle", "executor", "flux"]), { state: "live" }, 1000);

/** The view after these keys, and what they asked for. */
function typed(
  input: string,
  from: TopView = withSelection(FIRST_VIEW, model),
): { view: TopView; effects: Effect[] } {
  const effects: Effect[] = [];
  let view = from;
  for (const key of keysIn(input)) {
    const pressed = pressKey(key, view, model);
    view = pressed.view;
    if (pressed.effect !== undefined) effects.push(pressed.effect);
  }
  return { view, effects };
}

it("reads arrows, letters and control keys out of one piece of input", () => {
  expect(keysIn("\u001B[A\u001B[Bjk\r\u001B \u0003\u001B[6~\u001B[1;5Cx")).toEqual([
    "up",
    "down",
    "down",
    "up",
    "enter",
    "escape",
    "pause",
    "interrupt",
    "page-down",
    "other",
    "other",
  ]);
});

it("selects a service and stays within the list", () => {
  expect(typed("").view.selected).toBe("oracle");
  expect(typed("j").view.selected).toBe("executor");
  expect(typed("jjjjjj").view.selected).toBe("flux");
  expect(typed("\u001B[B\u001B[A\u001B[A").view.selected).toBe("oracle");
});

it("an order is given by y alone", () => {
  expect(typed("r").view.question).toEqual({ service: "oracle", action: "restart" });
  expect(typed("jry").effects).toEqual([{ kind: "order", service: "executor", action: "restart" }]);
  expect(typed("rn").effects).toEqual([]);
  expect(typed("r\r").effects).toEqual([]);
  expect(typed("rny").effects).toEqual([]);
  expect(typed("ly uy dy").effects.map((effect) => effect.kind)).toEqual(["order", "order", "order"]);
});

it("a service that drains is asked to resume", () => {
  const draining = topModel(nodeState(["oracle"], "draining"), { state: "live" }, 1000);
  const { view } = pressKey("drain", withSelection(FIRST_VIEW, draining), draining);
  expect(view.question).toEqual({ service: "oracle", action: "resume" });
});

it("orders are not given from pages that show no service", () => {
  expect(typed("er").view.question).toBeUndefined();
  expect(typed("?uy").effects).toEqual([]);
});

it("Ctrl-C quits also while something is asked, Ctrl-Z suspends", () => {
  expect(typed("r\u0003").effects).toEqual([{ kind: "quit" }]);
  expect(typed("q").effects).toEqual([{ kind: "quit" }]);
  expect(typed("\u001A").effects).toEqual([{ kind: "suspend" }]);
});

it("pages open and close, and events scroll no further than there are", () => {
  expect(typed("\r").view.page).toBe("service");
  expect(typed("\r\u001B").view.page).toBe("node");
  expect(typed("e").view.page).toBe("events");
  expect(typed("ee").view.page).toBe("node");
  expect(typed("ekk").view.back).toBe(2);
  expect(typed("ekkjjj").view.back).toBe(0);
  expect(typed("e\u001B[5~\u001B[5~\u001B[5~\u001B[5~\u001B[5~").view.back).toBe(4 * model.events.length);
  expect(typed(" ").view.paused).toBe(true);
  expect(typed("  ").view.paused).toBe(false);
});

it("a service that is gone is not selected any more", () => {
  const fewer = topModel(nodeState(["flux"]), { state: "live" }, 1000);
  expect(withSelection(typed("j").view, fewer).selected).toBe("flux");
  expect(
    withSelection(typed("j").view, topModel(nodeState([]), { state: "live" }, 1000)).selected,
  ).toBeUndefined();
});
