import { chatRequest, imageRequest } from "./request/chat-request.ts";
import { USUAL_SETTINGS } from "./request/chat-settings.ts";
import type { ChatSettings } from "./request/chat-settings.ts";
import { streamAnswer } from "./request/stream-answer.ts";
import { waitsForDecision, withAnswer, withDecision, withEdited, withoutAnswer } from "./thread.ts";
import type { Lane } from "./thread.ts";
import { emptyAnswer } from "./turn.ts";
import type { UserTurn } from "./turn.ts";

export interface ChatState {
  /** One, or two that are compared. */
  readonly lanes: readonly Lane[];
  readonly settings: ChatSettings;
}

/** In memory alone: closing the tab forgets it, going to another view does not. */
let state: ChatState = { lanes: [{ id: "a", model: "", turns: [] }], settings: USUAL_SETTINGS };
const listeners = new Set<() => void>();
const asked = new Map<string, AbortController>();
let frame: number | undefined;
let count = 0;

export const chatState = (): ChatState => state;

export function subscribeChat(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

function tell(): void {
  for (const listener of listeners) listener();
}

/** What a person does is shown at once. */
function take(next: ChatState): void {
  state = next;
  tell();
}

/** What streams in is shown once a frame, however many tokens came in between. */
function takeSoon(next: ChatState): void {
  state = next;
  frame ??= requestAnimationFrame(() => {
    frame = undefined;
    tell();
  });
}

const laneOf = (id: string): Lane | undefined => state.lanes.find((lane) => lane.id === id);
const withLane = (lane: Lane): ChatState => ({
  ...state,
  lanes: state.lanes.map((one) => (one.id === lane.id ? lane : one)),
});

export const setSettings = (change: Partial<ChatSettings>): void =>
  take({ ...state, settings: { ...state.settings, ...change } });

export function setModel(id: string, model: string): void {
  const lane = laneOf(id);
  if (lane !== undefined) take(withLane({ ...lane, model }));
}

/** A second lane that has heard the same so far. */
export function compareWith(model: string): void {
  const [first] = state.lanes;
  if (first !== undefined && state.lanes.length === 1)
    take({ ...state, lanes: [first, { id: "b", model, turns: first.turns }] });
}

export function compareNoMore(): void {
  for (const { id } of state.lanes.slice(1)) stopLane(id);
  take({ ...state, lanes: state.lanes.slice(0, 1) });
}

export function forgetChat(): void {
  stopAnswers();
  take({ ...state, lanes: state.lanes.map((lane) => ({ ...lane, turns: [] })) });
}

/** Says something in every lane and has it answered. `imageModels` make images instead of words. */
export function say(text: string, images: readonly string[], imageModels: ReadonlySet<string>): void {
  stopAnswers();
  const said = userTurn(text, images);
  take({ ...state, lanes: state.lanes.map((lane) => ({ ...lane, turns: [...lane.turns, said] })) });
  for (const { id } of state.lanes) answerIn(id, imageModels);
}

/** Says a turn otherwise, in every lane that has it, and has it answered anew. */
export function sayOtherwise(id: string, text: string, imageModels: ReadonlySet<string>): void {
  stopAnswers();
  for (const lane of state.lanes) {
    const at = lane.turns.findIndex((turn) => turn.id === id);
    const before = lane.turns[at];
    if (before?.role !== "user") continue;
    take(withLane(withEdited(lane, at, userTurn(text, before.images))));
    answerIn(lane.id, imageModels);
  }
}

export function answerAgain(id: string, imageModels: ReadonlySet<string>): void {
  const lane = laneOf(id);
  if (lane === undefined) return;
  stopLane(id);
  take(withLane(withoutAnswer(lane)));
  answerIn(id, imageModels);
}

/** Decides about a call; once none waits any more, the answer goes on. */
export function decide(id: string, call: string, agreed: boolean): void {
  const lane = laneOf(id);
  if (lane === undefined) return;
  const decided = withDecision(lane, call, agreed);
  take(withLane(decided));
  if (!waitsForDecision(decided)) answerIn(id, new Set());
}

export function stopAnswers(): void {
  for (const id of asked.keys()) stopLane(id);
}

function stopLane(id: string): void {
  asked.get(id)?.abort();
  asked.delete(id);
}

const userTurn = (text: string, images: readonly string[]): UserTurn => ({
  id: `turn ${count++}`,
  role: "user",
  text,
  images,
});

function answerIn(id: string, imageModels: ReadonlySet<string>): void {
  const lane = laneOf(id);
  const last = lane?.turns.at(-1);
  if (lane === undefined || last === undefined) return;
  const { model, turns } = lane;
  const request =
    imageModels.has(model) && last.role === "user"
      ? imageRequest(model, last.text, state.settings)
      : chatRequest(model, turns, state.settings);
  const answer = emptyAnswer(`turn ${count++}`, model, Date.now());
  const end = new AbortController();
  asked.set(id, end);
  take(withLane({ ...lane, turns: [...turns, answer] }));
  void streamAnswer(request, answer, end.signal, (told) => {
    const now = laneOf(id);
    if (now !== undefined) takeSoon(withLane(withAnswer(now, told)));
  }).finally(() => {
    if (asked.get(id) === end) asked.delete(id);
  });
}
