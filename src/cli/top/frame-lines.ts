import { detailSections } from "./detail-sections.ts";
import { eventsSection } from "./event-lines.ts";
import { footerLine } from "./footer-line.ts";
import { headerLines } from "./header-lines.ts";
import { helpLines } from "./help-lines.ts";
import type { Line } from "./line.ts";
import { fitted } from "./line.ts";
import { machineSection } from "./machine-lines.ts";
import type { Section } from "./section.ts";
import { listSection, stacked } from "./section.ts";
import { servicesSection } from "./service-lines.ts";
import type { TopModel } from "./top-model.ts";
import type { TopView } from "./top-view.ts";

/** From this many lines on there is air between the parts. */
const AIRY = 36;
/** Events of a frame that is printed once. */
const PRINTED_EVENTS = 10;

/** The whole screen: exactly `height` lines of at most `width` columns, the keys in the last one. */
export function frameLines(model: TopModel, view: TopView, width: number, height: number): readonly Line[] {
  const head = headerLines(model, view.paused, width);
  const foot = footerLine(view);
  const room = Math.max(0, height - head.length - 1);
  const air: Section[] = height >= AIRY ? [listSection([[]], 0, "lines")] : [];
  const parts = pageSections(model, view, width);
  const body = stacked(air.length === 0 ? parts : parts.flatMap((part) => [...air, part]), room);
  const blanks = Array.from({ length: Math.max(0, room - body.length) }, (): Line => []);
  return [...head, ...body, ...blanks, foot].slice(-Math.max(0, height)).map((line) => fitted(line, width));
}

/** All that there is to say of the node in lines of at most `width` columns, for a reader who does not look again. */
export function printedLines(model: TopModel, width: number): readonly Line[] {
  const machine = machineSection(model, width);
  const services = servicesSection(model, undefined, width);
  return [
    ...headerLines(model, false, width),
    ...(machine?.draw(machine.wanted) ?? []),
    ...services.draw(services.wanted),
    ...eventsSection(model.events, width).draw(PRINTED_EVENTS + 1),
  ].map((line) => fitted(line, width));
}

function pageSections(model: TopModel, view: TopView, width: number): readonly Section[] {
  switch (view.page) {
    case "node": {
      const machine = machineSection(model, width);
      return [
        ...(machine === undefined ? [] : [machine]),
        servicesSection(model, view.selected, width),
        eventsSection(model.events, width),
      ];
    }
    case "service":
      return detailSections(model, view, width);
    case "events":
      return [eventsSection(model.events, width, { back: view.back, whole: true })];
    case "help":
      return [listSection(helpLines(), 1, "lines")];
  }
}
