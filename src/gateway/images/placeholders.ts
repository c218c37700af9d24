/**
 * What a workflow template may leave open. A template is what ComfyUI exports for its API; within any text below `inputs`
 * `{{name}}` is replaced by a value of the request, and `{{name:default}}` says what stands there where the request gives
 * none. A text that is one placeholder and nothing else becomes a value of the placeholder's own type, so that
 * `"width": "{{width:1024}}"` becomes the number 1024; within a longer text it becomes text. Values are put in as JSON
 * values after the template was parsed: no prompt can end a string or name a node, and what stands in braces in a prompt
 * stays as it is.
 */
export const PLACEHOLDERS = {
  prompt: "text",
  negative_prompt: "text",
  width: "number",
  height: "number",
  /** Of the first image; further runs count on from it. */
  seed: "number",
  /** Of the sampler; `quality` scales the default. */
  steps: "number",
  /** Images in one run; without it every image is a run. */
  batch: "number",
  /** The name of an uploaded image, for LoadImage; the second to fourth image of an edit. */
  image: "text",
  image2: "text",
  image3: "text",
  image4: "text",
  /** The name of the uploaded mask; the first image where none was sent, whose transparency is the mask then. */
  mask: "text",
} as const satisfies Readonly<Record<string, "text" | "number">>;

export type PlaceholderName = keyof typeof PLACEHOLDERS;

export const isPlaceholder = (name: string): name is PlaceholderName => Object.hasOwn(PLACEHOLDERS, name);

/** Placeholders of images, in the order in which a request's images fill them. */
export const IMAGE_PLACEHOLDERS = [
  "image",
  "image2",
  "image3",
  "image4",
] as const satisfies readonly PlaceholderName[];

/** Where nothing else is said. Steps are ComfyUI's own default of KSampler. */
export const PLACEHOLDER_DEFAULTS: Readonly<Partial<Record<PlaceholderName, string | number>>> = {
  negative_prompt: "",
  width: 1024,
  height: 1024,
  steps: 20,
  batch: 1,
};

export interface Placeholder {
  /** As it stands in the template, known or not. */
  readonly name: string;
  readonly fallback: string | undefined;
  /** Where it begins and ends in its text. */
  readonly start: number;
  readonly end: number;
}

/** The placeholders of a text, in order. */
export const placeholdersIn = (text: string): Placeholder[] =>
  [...text.matchAll(/\{\{\s*([A-Za-z_][A-Za-z0-9_]{0,40})\s*(?::([^{}]{0,2000}))?\}\}/g)].map((match) => ({
    name: match[1] ?? "",
    fallback: match[2],
    start: match.index,
    end: match.index + match[0].length,
  }));
