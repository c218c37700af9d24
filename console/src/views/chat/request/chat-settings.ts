/** What every question is asked with. Texts as they are typed; empty leaves it to the engine. */
export interface ChatSettings {
  readonly system: string;
  readonly temperature: string;
  readonly maxTokens: string;
  /** Tool servers of the node that the model may call. */
  readonly servers: readonly string[];
  readonly imageSize: string;
}

export const USUAL_SETTINGS: ChatSettings = {
  system: "",
  temperature: "",
  maxTokens: "",
  servers: [],
  imageSize: "auto",
};

/** What is wrong with a temperature, for who typed it. */
export const temperatureFault = (text: string): string | undefined =>
  text.trim() === "" || within(text, 0, 2) ? undefined : "A number from 0 to 2.";

export const maxTokensFault = (text: string): string | undefined =>
  text.trim() === "" || (within(text, 1, 10_000_000) && Number.isInteger(Number(text)))
    ? undefined
    : "A whole number from 1.";

/** A number that was typed well, else nothing. */
export const numberOf = (text: string, fault: (text: string) => string | undefined): number | undefined =>
  text.trim() === "" || fault(text) !== undefined ? undefined : Number(text);

function within(text: string, least: number, most: number): boolean {
  const value = Number(text);
  return Number.isFinite(value) && value >= least && value <= most;
}
