/** The end of an engine: what it says last, and its exit code (128 + n where the real one dies of signal n). */
export class EngineEnd extends Error {
  override readonly name = "EngineEnd";
  readonly lines: readonly string[];
  readonly code: number;

  constructor(lines: readonly string[], code: number) {
    super(lines.at(-1) ?? `exit ${code}`);
    this.lines = lines;
    this.code = code;
  }
}
