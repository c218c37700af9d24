import { messageOf } from "../../core/index.ts";
import { orderService } from "../order-service.ts";
import type { Terminal } from "../terminal.ts";
import { askLog } from "./ask-node.ts";
import { followNode } from "./follow-node.ts";
import { frameLines } from "./frame-lines.ts";
import { holdTerminal } from "./held-terminal.ts";
import type { Ending, HeldTerminal } from "./held-terminal.ts";
import type { Line } from "./line.ts";
import type { NodeState } from "./node-state.ts";
import { keysIn, pressKey, withSelection } from "./press-key.ts";
import type { Effect } from "./press-key.ts";
import { topModel } from "./top-model.ts";
import type { Link, TopModel } from "./top-model.ts";
import { FIRST_VIEW } from "./top-view.ts";
import type { TopView } from "./top-view.ts";

/** Milliseconds between two drawings, and between two that nothing but the clock asks for. */
const FRAME = 250;
const TICK = 1000;
/** Milliseconds between two looks at the log of the service that is shown. */
const LOG_LOOK = 3000;

/** A line as the terminal shows it. */
export const painted = (line: Line, style: Terminal["style"]): string =>
  line.map((span) => (span.style === undefined ? span.text : style(span.style, span.text))).join("");

/** Shows the node until somebody quits or a signal ends this process. `base` tells where the node is now. */
export async function liveTop(first: NodeState, base: () => string, terminal: Terminal): Promise<void> {
  const ending = new AbortController();
  const top = new LiveTop(first, base, terminal, ending);
  try {
    await followNode(first, {
      base,
      tell: (state, link) => top.hear(state, link),
      signal: ending.signal,
    });
  } finally {
    top.end();
  }
  // Whoever waits for this process learns what ended it, as if nobody had listened.
  if (top.endedBy !== undefined) process.kill(process.pid, top.endedBy);
}

/** What is shown, and who presses keys meanwhile. */
class LiveTop {
  endedBy: Ending | undefined;
  readonly #base: () => string;
  readonly #terminal: Terminal;
  readonly #held: HeldTerminal;
  readonly #ending: AbortController;
  readonly #timers: readonly NodeJS.Timeout[];
  #state: NodeState;
  #link: Link = { state: "live" };
  #model: TopModel;
  #view: TopView;
  #drawn = 0;
  #drawing: NodeJS.Timeout | undefined;

  constructor(first: NodeState, base: () => string, terminal: Terminal, ending: AbortController) {
    this.#base = base;
    this.#terminal = terminal;
    this.#ending = ending;
    this.#state = first;
    this.#model = topModel(first, this.#link, Date.now());
    this.#view = withSelection(FIRST_VIEW, this.#model);
    this.#held = holdTerminal({
      onInput: (text) => this.#press(text),
      onRedraw: () => this.#draw(),
      onEnd: (signal) => {
        this.endedBy = signal;
        ending.abort();
      },
    });
    this.#timers = [setInterval(() => this.#soon(), TICK), setInterval(() => this.#lookAtLog(), LOG_LOOK)];
    this.#draw();
  }

  hear(state: NodeState, link: Link): void {
    this.#state = state;
    this.#link = link;
    this.#soon();
  }

  end(): void {
    for (const timer of this.#timers) clearInterval(timer);
    clearTimeout(this.#drawing);
    this.#held.release();
  }

  #soon(): void {
    this.#drawing ??= setTimeout(() => this.#draw(), Math.max(0, this.#drawn + FRAME - performance.now()));
  }

  #draw(): void {
    clearTimeout(this.#drawing);
    this.#drawing = undefined;
    this.#drawn = performance.now();
    if (!this.#view.paused) {
      this.#model = topModel(this.#state, this.#link, Date.now());
      this.#view = withSelection(this.#view, this.#model);
    }
    const { columns, rows } = process.stdout;
    const lines = frameLines(this.#model, this.#view, columns || 80, rows || 24);
    this.#held.screen.draw(lines.map((line) => painted(line, this.#terminal.style)));
  }

  #press(text: string): void {
    for (const key of keysIn(text)) {
      const { view, effect } = pressKey(key, this.#view, this.#model);
      const opened = view.page === "service" && view.selected !== this.#view.log?.service;
      this.#view = view;
      if (opened) this.#lookAtLog();
      if (effect !== undefined) this.#follow(effect);
    }
    if (!this.#ending.signal.aborted) this.#draw();
  }

  #follow(effect: Effect): void {
    switch (effect.kind) {
      case "quit":
        this.#ending.abort();
        break;
      case "suspend":
        this.#held.suspend();
        break;
      case "order":
        void this.#order(effect.service, effect.action);
    }
  }

  async #order(service: string, action: string): Promise<void> {
    const notice = await orderService(this.#base(), service, action).then(
      ({ ok, message }) => ({ ok, text: message }),
      (thrown: unknown) => ({ ok: false, text: messageOf(thrown) }),
    );
    this.#view = { ...this.#view, notice };
    this.#soon();
  }

  #lookAtLog(): void {
    const { page, selected, paused } = this.#view;
    if (page !== "service" || selected === undefined || paused || this.#link.state === "lost") return;
    void this.#readLog(selected);
  }

  async #readLog(service: string): Promise<void> {
    try {
      const log = await askLog(this.#base(), service, this.#ending.signal);
      this.#view = { ...this.#view, log: { service, log } };
      this.#soon();
    } catch {
      // Whether the node is there is told by the stream; an old log is better than none.
    }
  }
}
