/** Variables that hold the key of who uses the command line: the name that specs use, then the one of OpenAI's kind. */
const NAMES = ["OMNI_KEY", "OMNI_API_KEY"] as const;

/** The key of the environment; `undefined` where none is set. */
export const usualKey = (): string | undefined =>
  NAMES.map((name) => process.env[name]?.trim()).find((key) => key !== undefined && key !== "");
