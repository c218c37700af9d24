import type { ServiceAction } from "../../supervisor/service-control.ts";
import type { Line } from "./line.ts";
import { span } from "./line.ts";
import type { TopView } from "./top-view.ts";

const KEYS: Readonly<Record<TopView["page"], string>> = {
  node: "q quit  ↑↓ select  enter details  l/u/r/d orders  e events  space pause  ? help",
  service: "esc back  ↑↓ another  l load  u unload  r restart  d drain  e events  ? help",
  events: "esc back  ↑↓ page up, page down: scroll  space pause  q quit",
  help: "esc back  q quit",
};

/** What an order does, as it is asked before. */
const MEANS: Readonly<Record<ServiceAction, string>> = {
  load: "Load it now, and unload who has its card?",
  unload: "Let its answers finish and free its card until it is asked for?",
  restart: "Let its answers finish, then start it again?",
  drain: "Let its answers finish and take nothing new?",
  resume: "Take requests again?",
  "step-down": "One step down its ladder?",
  "step-up": "One step up its ladder?",
};

/** The last line: a question, what came of an order, or the keys. */
export function footerLine({ page, question, notice }: TopView): Line {
  if (question !== undefined)
    return [
      span(`${question.action} ${question.service}: ${MEANS[question.action]} `, "bold"),
      span("y/n", "yellow"),
    ];
  if (notice !== undefined) return [span(notice.text, notice.ok ? "green" : "red")];
  return [span(KEYS[page], "dim")];
}
