import { formatDuration } from "../../core/index.ts";
import type { RequestRecord } from "../request-record.ts";
import type { LineParts } from "./line-parts.ts";
import type { LineSheet } from "./line-sheet.ts";

/** Puts one line of the access log, with its line feed, on the sheet. No contents, no addresses, no secrets. */
export function putJsonLine(
  sheet: LineSheet,
  record: RequestRecord,
  { first, second }: LineParts,
  tries: number,
): void {
  sheet.ascii('{"time":"');
  putTime(sheet, record.started);
  sheet.bytes(first);
  sheet.quoted(record.id);
  sheet.bytes(second);
  sheet.thousandths(record.duration);
  sheet.ascii(',"queued":');
  sheet.thousandths(record.queued);
  if (record.firstToken !== undefined) {
    sheet.ascii(',"firstToken":');
    sheet.thousandths(record.firstToken);
  }
  putFigure(sheet, ',"promptTokens":', record.promptTokens);
  putFigure(sheet, ',"completionTokens":', record.completionTokens);
  putFigure(sheet, ',"cachedTokens":', record.cachedTokens);
  putFigure(sheet, ',"bytesIn":', record.bytesIn);
  putFigure(sheet, ',"bytesOut":', record.bytesOut);
  putName(sheet, ',"error":', record.error);
  putFailures(sheet, record.tries, tries);
  putName(sheet, ',"trace":', traceOf(record.traceparent));
  sheet.ascii("}\n");
}

/** The same for a person. */
export function putTextLine(sheet: LineSheet, record: RequestRecord, { first, second }: LineParts): void {
  const { promptTokens, completionTokens, firstToken, queued, attempts, continued, error } = record;
  putTime(sheet, record.started);
  sheet.bytes(first);
  putDuration(sheet, record.duration);
  sheet.bytes(second);
  if (promptTokens !== undefined || completionTokens !== undefined) {
    sheet.ascii(" tokens=");
    putKnown(sheet, promptTokens);
    sheet.ascii("+");
    putKnown(sheet, completionTokens);
  }
  if (firstToken !== undefined) {
    sheet.ascii(" first=");
    putDuration(sheet, firstToken);
  }
  if (queued >= 1) {
    sheet.ascii(" queued=");
    putDuration(sheet, queued);
  }
  if (attempts > 1) putFigure(sheet, " attempts=", attempts);
  if (continued > 0) putFigure(sheet, " continued=", continued);
  if (error !== undefined) {
    sheet.ascii(" error=");
    sheet.plain(error);
  }
  sheet.ascii(" id=");
  sheet.plain(record.id);
  sheet.ascii("\n");
}

function putName(sheet: LineSheet, label: string, value: string | undefined): void {
  if (value === undefined) return;
  sheet.ascii(label);
  sheet.quoted(value);
}

function putFigure(sheet: LineSheet, label: string, value: number | undefined): void {
  if (value === undefined) return;
  sheet.ascii(label);
  sheet.number(value);
}

function putKnown(sheet: LineSheet, value: number | undefined): void {
  if (value === undefined) sheet.ascii("?");
  else sheet.number(value);
}

/** The trace that a line belongs to, so that log and trace can be found from each other. */
function traceOf(traceparent: string | undefined): string | undefined {
  const trace = traceparent?.slice(3, 35);
  return trace === undefined || !/^[\da-f]{32}$/.test(trace) ? undefined : trace;
}

function putFailures(sheet: LineSheet, tries: RequestRecord["tries"], ended: number): void {
  let before = ',"failures":[';
  for (let index = 0; index < ended; index++) {
    const { service, failure } = tries?.[index] ?? {};
    if (service === undefined || failure === undefined) continue;
    sheet.ascii(before);
    sheet.quoted(`${service}: ${failure}`);
    before = ",";
  }
  if (before === ",") sheet.ascii("]");
}

/** As `formatDuration` says it; most are below a second, and no text is made of these. */
function putDuration(sheet: LineSheet, time: number): void {
  const whole = Math.round(time);
  if (!(time < 1000 && whole >= 0)) {
    sheet.ascii(formatDuration(time));
    return;
  }
  sheet.digits(whole, 1);
  sheet.ascii(" ms");
}

let second = Number.NaN;
let secondText = "";

/** ISO 8601 with milliseconds, without its last letter; the text of a second is made once. */
function putTime(sheet: LineSheet, time: number): void {
  const whole = Math.floor(time / 1000);
  if (whole !== second) {
    second = whole;
    secondText = new Date(whole * 1000).toISOString().slice(0, 20);
  }
  sheet.ascii(secondText);
  sheet.digits(Math.floor(time - whole * 1000), 3);
}
