import type { ServiceAction } from "../../supervisor/service-control.ts";
import type { TopModel } from "./top-model.ts";
import type { TopView } from "./top-view.ts";

/** What a key asks for beyond another look. */
export type Effect =
  | { readonly kind: "quit" }
  /** Ctrl-Z: back to the shell until it says `fg`. */
  | { readonly kind: "suspend" }
  | { readonly kind: "order"; readonly service: string; readonly action: ServiceAction };

export interface Pressed {
  readonly view: TopView;
  readonly effect?: Effect;
}

/** Lines that a page of events is scrolled by. */
const PAGE = 10;
/** Lines that an event takes at most, nearly always. */
const MOST_LINES = 4;
const SEQUENCE = /\p{Cc}(?:\[[\d;]*[A-Za-z~]|O[A-Za-z])|[\s\S]/gu;
const NAMES: Readonly<Record<string, string>> = {
  "\u001B[A": "up",
  "\u001BOA": "up",
  k: "up",
  "\u001B[B": "down",
  "\u001BOB": "down",
  j: "down",
  "\u001B[5~": "page-up",
  "\u001B[6~": "page-down",
  "\r": "enter",
  "\n": "enter",
  "\u001B": "escape",
  "\u007F": "escape",
  "\u0003": "interrupt",
  "\u001A": "suspend",
  q: "quit",
  " ": "pause",
  "?": "help",
  h: "help",
  e: "events",
  l: "load",
  u: "unload",
  r: "restart",
  d: "drain",
  y: "y",
};

/** The names of the keys in what a terminal sent; one that does nothing is `other`. */
export const keysIn = (input: string): readonly string[] =>
  (input.match(SEQUENCE) ?? []).map((sequence) => NAMES[sequence] ?? "other");

/** What a key does to the view, and what it asks for. */
export function pressKey(key: string, view: TopView, model: TopModel): Pressed {
  const { question, notice: _, ...rest } = view;
  if (key === "suspend") return { view, effect: { kind: "suspend" } };
  if (key === "interrupt") return { view: rest, effect: { kind: "quit" } };
  if (question !== undefined)
    return key === "y" ? { view: rest, effect: { kind: "order", ...question } } : { view: rest };
  switch (key) {
    case "quit":
      return { view: rest, effect: { kind: "quit" } };
    case "up":
    case "down":
      return { view: moved(rest, key === "up" ? -1 : 1, model) };
    case "page-up":
    case "page-down":
      return { view: moved(rest, key === "page-up" ? -PAGE : PAGE, model) };
    case "enter":
      return { view: rest.page === "node" ? { ...rest, page: "service" } : rest };
    case "escape":
      return { view: { ...rest, page: "node", back: 0 } };
    case "pause":
      return { view: { ...rest, paused: !rest.paused } };
    case "help":
    case "events":
      return { view: { ...rest, page: rest.page === key ? "node" : key, back: 0 } };
    case "load":
    case "unload":
    case "restart":
    case "drain":
      return { view: asked(rest, key, model) };
    default:
      return { view: rest };
  }
}

/** The view with a service selected that is there: the chosen one, else the first. */
export function withSelection(view: TopView, { services }: TopModel): TopView {
  if (services.some(({ name }) => name === view.selected)) return view;
  const { selected: _, ...rest } = view;
  const first = services[0];
  return first === undefined ? rest : { ...rest, selected: first.name };
}

function moved(view: TopView, by: number, { services, events }: TopModel): TopView {
  if (view.page === "help") return view;
  if (view.page === "events")
    return { ...view, back: Math.max(0, Math.min(MOST_LINES * events.length, view.back - by)) };
  const at = services.findIndex(({ name }) => name === view.selected);
  const next = services[Math.max(0, Math.min(services.length - 1, at + by))];
  return next === undefined ? view : { ...view, selected: next.name };
}

function asked(view: TopView, key: "load" | "unload" | "restart" | "drain", { services }: TopModel): TopView {
  const service = services.find(({ name }) => name === view.selected);
  if (service === undefined || (view.page !== "node" && view.page !== "service")) return view;
  const action = key === "drain" && service.state === "draining" ? "resume" : key;
  return { ...view, question: { service: service.name, action } };
}
