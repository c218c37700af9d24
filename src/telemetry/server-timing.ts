/** What is known of a request when the head of its answer is sent. Milliseconds. */
export interface HeadTimes {
  /** Waiting for a place or a model. */
  readonly queued: number;
  readonly route?: string;
  /** From the request at the engine to the first byte of its answer. */
  readonly engine?: number;
}

/** What follows the waiting, by the name of the route: made once a name, for as many as a node may have. */
const SHOWN = new Map<string, string>();
const MOST_SHOWN = 1000;

function routeText(route: string | undefined): string {
  if (route === undefined) return "";
  let text = SHOWN.get(route);
  if (text === undefined) {
    text = `, route;desc="${quoted(route)}"`;
    if (SHOWN.size >= MOST_SHOWN) SHOWN.clear();
    SHOWN.set(route, text);
  }
  return text;
}

/** Value of the header `server-timing`: `queue;dur=0.4, route;desc="chat", engine;dur=12.3` (W3C Server Timing). */
export function serverTiming({ queued, route, engine }: HeadTimes): string {
  const waited = `queue;dur=${shown(queued)}${routeText(route)}`;
  return engine === undefined ? waited : `${waited}, engine;dur=${shown(engine)}`;
}

/** With one decimal at most; of whole numbers, because V8 takes long to write others. */
function shown(time: number): string {
  const tenths = Math.max(0, Math.round(time * 10));
  const whole = Math.floor(tenths / 10);
  const rest = tenths - whole * 10;
  return rest === 0 ? String(whole) : `${whole}.${rest}`;
}

const PLAIN = /^[\w .:/@-]*$/;

/** Within the quotes of a header's value: printable ASCII, quotes and backslashes behind a backslash. */
const quoted = (text: string): string =>
  PLAIN.test(text) ? text : text.replaceAll(/[^\x20-\x7E]/g, "?").replaceAll(/["\\]/g, String.raw`\$&`);
