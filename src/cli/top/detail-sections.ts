import { formatDuration } from "../../core/index.ts";
import { stateStyle, stateText } from "../service-text.ts";
import { eventsSection, wrapped } from "./event-lines.ts";
import { pace } from "./header-lines.ts";
import type { Line } from "./line.ts";
import { span, textOf } from "./line.ts";
import type { Section } from "./section.ts";
import { listSection } from "./section.ts";
import { busyText, whyLines } from "./service-lines.ts";
import type { TopModel, TopService } from "./top-model.ts";
import type { TopView } from "./top-view.ts";

/** Everything about one service: facts, why it is as it is, its last events, the end of its log. */
export function detailSections(model: TopModel, view: TopView, width: number): readonly Section[] {
  const service = model.services.find(({ name }) => name === view.selected);
  if (service === undefined) return [listSection([[span("This node has no service.", "dim")]], 1, "lines")];
  const facts = factLines(service, model.time, width);
  const own = model.events.filter((event) => event.service === service.name);
  const log = logSection(service.name, view, width);
  return [
    listSection(facts, 3, "lines"),
    { ...eventsSection(own, width), least: 3, wanted: Math.min(own.length, 8) + 1 },
    log,
  ];
}

function factLines(service: TopService, now: number, width: number): readonly Line[] {
  const { name, state, since, engine, model, devices = [], ttft, tokensPerSecond } = service;
  const facts: readonly (readonly [string, string | undefined])[] = [
    ["engine", engine],
    ["model", model],
    ["on", devices.join(" + ")],
    ["context", `${service.contextTokens} tokens`],
    ["busy", `${busyText(service)} at once`],
    ["time to first token", ttft === undefined ? undefined : formatDuration(ttft)],
    ["tokens/s", tokensPerSecond === undefined ? undefined : pace(tokensPerSecond)],
    ["restarts", `${service.restarts}`],
    ["process", service.pid === undefined ? undefined : `${service.pid}`],
    ["adopted", service.adopted === true ? "from the Omni before this one" : undefined],
  ];
  const told = facts.flatMap(([label, value]) =>
    value === undefined || value === "" ? [] : [`${label} ${value}`],
  );
  const whys = whyLines(service).flatMap((line) =>
    wrapped(textOf(line).trim(), Math.max(10, width - 2)).map((text): Line => {
      const style = line[0]?.style;
      return [span(`  ${text}`, style)];
    }),
  );
  return [
    [
      span(name, "bold"),
      span("  "),
      span(stateText(service), stateStyle(state)),
      span(` for ${formatDuration(Math.max(0, now - since))}`),
    ],
    ...wrapped(told.join(" · "), Math.max(10, width - 2)).map((text): Line => [span(`  ${text}`)]),
    ...whys,
  ];
}

function logSection(name: string, { log }: TopView, width: number): Section {
  const told = log?.service === name ? log.log : undefined;
  const lines = (told?.lines ?? []).map((text): Line => [span(text.slice(0, 4 * width))]);
  const empty = told === undefined ? "LOG  asked for" : `LOG  ${told.why ?? "empty"}`;
  return {
    least: 2,
    wanted: lines.length + 1,
    draw: (room) =>
      room < 1
        ? []
        : [[span(lines.length === 0 ? empty : "LOG", "dim")], ...(room > 1 ? lines.slice(1 - room) : [])],
  };
}
