/** What is known of a request when the head of its answer is sent. Milliseconds. */
export interface HeadTimes {
  /** Waiting for a place or a model. */
  readonly queued: number;
  readonly route?: string;
  /** From the request at the engine to the first byte of its answer. */
  readonly engine?: number;
}

/** Value of the header `server-timing`: `queue;dur=0.4, route;desc="chat", engine;dur=12.3` (W3C Server Timing). */
export function serverTiming({ queued, route, engine }: HeadTimes): string {
  const waited = `queue;dur=${shown(queued)}`;
  const named = route === undefined ? "" : `, route;desc="${quoted(route)}"`;
  return engine === undefined ? waited + named : `${waited}${named}, engine;dur=${shown(engine)}`;
}

const shown = (time: number): number => Math.max(0, Math.round(time * 10) / 10);

const PLAIN = /^[\w .:/@-]*$/;

/** Within the quotes of a header's value: printable ASCII, quotes and backslashes behind a backslash. */
const quoted = (text: string): string =>
  PLAIN.test(text) ? text : text.replaceAll(/[^\x20-\x7E]/g, "?").replaceAll(/["\\]/g, String.raw`\$&`);
