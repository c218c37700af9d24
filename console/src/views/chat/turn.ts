/** What a person said, or what the prompt of an image was. */
export interface UserTurn {
  readonly id: string;
  readonly role: "user";
  readonly text: string;
  /** `data:` URLs. */
  readonly images: readonly string[];
}

/** A call of a tool, as far as it is known. */
export interface Call {
  readonly id: string;
  /** The tool server on the node; absent for a function that nobody here runs. */
  readonly server?: string;
  readonly name: string;
  /** As the model wrote it; it may be no JSON. */
  readonly arguments: string;
  /** `asked`: a person has to agree first. */
  readonly state: "called" | "returned" | "failed" | "asked" | "agreed" | "declined";
  /** What it gave, or why it gave nothing. */
  readonly result?: string;
}

/** An image that was made, or one of its previews. */
export interface MadeImage {
  /** A `data:` URL. */
  readonly source: string;
  readonly seed?: number;
  readonly preview: boolean;
}

/** A stretch of an answer, in the order in which it came. */
export type Part =
  | { readonly kind: "text"; readonly text: string }
  | { readonly kind: "reasoning"; readonly text: string }
  | { readonly kind: "call"; readonly call: Call }
  | { readonly kind: "image"; readonly image: MadeImage };

/** Where another engine went on with an answer: behind so many characters of the text of one part. */
export interface Continuation {
  readonly part: number;
  readonly at: number;
  readonly service: string;
}

/** Who answered, as the head of the answer says. */
export interface ServedBy {
  readonly request?: string;
  readonly service?: string;
  readonly engine?: string;
  readonly route?: string;
  readonly attempts?: number;
}

export interface TokenUsage {
  readonly prompt?: number;
  readonly completion?: number;
  readonly cached?: number;
}

/** How far an answer is. Only `ended` is an end that the model made. */
export type AnswerState = "waiting" | "coming" | "ended" | "stopped" | "cut" | "failed";

/** What a route answered. Times are milliseconds since the epoch. */
export interface AnswerTurn {
  readonly id: string;
  readonly role: "assistant";
  /** The name that was asked for. */
  readonly model: string;
  readonly state: AnswerState;
  /** What the node says while nothing comes. */
  readonly waiting?: string;
  readonly parts: readonly Part[];
  readonly continued: readonly Continuation[];
  readonly served: ServedBy;
  readonly asked: number;
  readonly first?: number;
  readonly last?: number;
  readonly usage?: TokenUsage;
  /** Why the model ended: `stop`, `length`, … */
  readonly finish?: string;
  readonly error?: { readonly code: string; readonly message: string };
}

export type Turn = UserTurn | AnswerTurn;

export const isOpen = ({ state }: AnswerTurn): boolean => state === "waiting" || state === "coming";

/** The answer's own words, without what it thought. */
export const textOf = ({ parts }: AnswerTurn): string =>
  parts
    .flatMap((part) => (part.kind === "text" ? [part.text] : []))
    .join("\n\n")
    .trim();

export const emptyAnswer = (id: string, model: string, asked: number): AnswerTurn => ({
  id,
  role: "assistant",
  model,
  state: "waiting",
  parts: [],
  continued: [],
  served: {},
  asked,
});
