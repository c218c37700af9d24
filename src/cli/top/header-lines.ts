import { formatCount, formatDuration } from "../../core/index.ts";
import type { Line, Span } from "./line.ts";
import { apart, span } from "./line.ts";
import type { TopModel } from "./top-model.ts";

/** Which node this is, how busy it is, and whether what is shown is what it is. */
export function headerLines(model: TopModel, paused: boolean, width: number): readonly Line[] {
  const { node, requests, services, link } = model;
  const marks: Span[] = [
    ...(node.simulated ? [span("SIMULATED", "yellow")] : []),
    ...(node.stopping ? [span("STOPPING", "red")] : []),
    ...(paused ? [span("PAUSED", "yellow")] : []),
  ].flatMap((mark, index) => (index === 0 ? [mark] : [span(" "), mark]));
  const ready = services.filter(({ state }) => state === "ready").length;
  const facts = [
    `${formatCount(requests.open)} ${requests.open === 1 ? "request" : "requests"} open`,
    ...(requests.perMinute === undefined ? [] : [`${formatCount(requests.perMinute)} a minute`]),
    ...(requests.tokensPerSecond === undefined ? [] : [`${pace(requests.tokensPerSecond)} tokens/s`]),
    `${ready} of ${services.length} services ready`,
  ];
  const about = [node.url, `omni ${node.version}`, `up ${formatDuration(node.uptime)}`].join("  ");
  const title = node.name === undefined ? [] : [span(node.name, "bold"), span("  ")];
  return [
    apart([...title, span(about)], marks, width),
    apart([span(facts.join("   "), "cyan")], [span(clockText(model.time), "dim")], width),
    ...linkLines(link, model.time),
  ];
}

/** `41.3`, and whole from a hundred on. */
export const pace = (perSecond: number): string =>
  perSecond >= 100 ? formatCount(perSecond) : perSecond.toFixed(1);

/** `02:14:07`, the time of this machine. */
export const clockText = (time: number): string => new Date(time).toLocaleTimeString("sv-SE");

function linkLines(link: TopModel["link"], now: number): readonly Line[] {
  switch (link.state) {
    case "live":
      return [];
    case "polled":
      return [[span(link.why, "yellow")]];
    case "lost": {
      const since = `DISCONNECTED since ${clockText(link.since)} (${formatDuration(Math.max(0, now - link.since))})`;
      return [[span(`${since}, what follows is old: ${link.why}`, "red")]];
    }
  }
}
