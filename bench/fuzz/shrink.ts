import type { EngineScript, FuzzCase, SentRequest } from "./fuzz-case.ts";

/** Whether a case still shows what is sought. */
type Shows = (fuzzed: FuzzCase) => Promise<boolean>;

/** Tries that shrinking may take. */
const MOST_TRIES = 400;

/** The smallest case that still shows it, as far as a bounded number of tries finds it. */
export async function shrink(fuzzed: FuzzCase, shows: Shows): Promise<FuzzCase> {
  let smallest = fuzzed;
  let tries = 0;
  for (let changed = true; changed && tries < MOST_TRIES;) {
    changed = false;
    for (const smaller of smallerThan(smallest)) {
      if (++tries > MOST_TRIES) break;
      if (!(await shows(smaller))) continue;
      smallest = smaller;
      changed = true;
      break;
    }
  }
  return smallest;
}

/** Cases that are a step simpler, the largest steps first. */
function* smallerThan(fuzzed: FuzzCase): Generator<FuzzCase> {
  const { requests, scripts } = fuzzed;
  if (requests.length > 1) {
    for (const k of requests.keys()) yield { ...fuzzed, requests: requests.toSpliced(k, 1) };
  }
  if (fuzzed.hangUp !== undefined) {
    const { hangUp: _, ...rest } = fuzzed;
    yield rest;
  }
  if (fuzzed.places.length > 0) yield { ...fuzzed, places: [] };
  for (const [key, script] of Object.entries(scripts)) {
    for (const smaller of smallerScripts(script))
      yield { ...fuzzed, scripts: { ...scripts, [key]: smaller } };
  }
  for (const [k, sent] of requests.entries()) {
    for (const smaller of smallerRequests(sent)) yield { ...fuzzed, requests: requests.with(k, smaller) };
  }
}

function* smallerScripts(script: EngineScript): Generator<EngineScript> {
  if (script.places.length > 0) yield { ...script, places: [] };
  if (script.raw !== undefined) {
    for (const raw of shorter(script.raw)) yield { ...script, raw };
    return;
  }
  if (script.cut !== undefined) {
    const { cut: _, ...rest } = script;
    yield rest;
  }
  if (script.leave === "stall") yield { ...script, leave: "end" };
  if (script.framing !== "length") yield { ...script, framing: "length", leave: "keep" };
  for (const body of shorter(script.body)) yield { ...script, body };
}

function* smallerRequests(sent: SentRequest): Generator<SentRequest> {
  if (sent.raw !== undefined) {
    for (const raw of shorter(sent.raw)) yield { ...sent, raw };
    return;
  }
  for (const [at, [name]] of sent.headers.entries()) {
    if (name !== "x-request-id") yield { ...sent, headers: sent.headers.toSpliced(at, 1) };
  }
  if (sent.framing === "chunked") yield { ...sent, framing: "length" };
  for (const body of withoutMembers(sent.body)) yield { ...sent, body };
  for (const body of shorter(sent.body)) yield { ...sent, body };
}

/** The JSON without one of its members each. */
function* withoutMembers(text: string): Generator<string> {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return;
  }
  if (typeof value !== "object" || value === null || Array.isArray(value)) return;
  for (const name of Object.keys(value)) {
    yield JSON.stringify(Object.fromEntries(Object.entries(value).filter(([other]) => other !== name)));
  }
}

/** The text without a half, a quarter and so on of it, down to sixteenths. */
function* shorter(text: string): Generator<string> {
  for (const parts of [2, 4, 8, 16]) {
    const size = Math.ceil(text.length / parts);
    if (size === 0) return;
    for (let at = 0; at < text.length; at += size) yield text.slice(0, at) + text.slice(at + size);
  }
}
