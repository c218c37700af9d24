import type { RequestRecord } from "../request-record.ts";
import { putJsonLine, putTextLine } from "./access-line.ts";
import { PartsMemory } from "./line-parts.ts";
import type { LogLevel } from "./log-level.ts";
import { RotatedFile, stderrTarget } from "./log-target.ts";
import { LogWriter } from "./log-writer.ts";

export interface AccessLogOptions {
  readonly level: LogLevel;
  readonly format: "text" | "json";
  /** Standard error when absent. */
  readonly file?: string;
  /** Bytes. */
  readonly maxSize: number;
  readonly keep: number;
  /** False in worker processes: the file is rotated by one process. */
  readonly rotates?: boolean;
}

const ORDER: readonly LogLevel[] = ["debug", "info", "warning", "error"];

/** A line for each request of at least the wanted level. */
export class AccessLog {
  readonly #least: number;
  readonly #parts: PartsMemory;
  readonly #put: typeof putJsonLine;
  readonly #writer: LogWriter;

  /** `lost` is told of lines that could not be written, and why. */
  constructor(options: AccessLogOptions, lost: (lines: number, why: string) => void) {
    const { file, maxSize, keep, rotates = true } = options;
    this.#least = ORDER.indexOf(options.level);
    this.#parts = new PartsMemory(options.format);
    this.#put = options.format === "json" ? putJsonLine : putTextLine;
    this.#writer = new LogWriter({
      target: file === undefined ? stderrTarget : new RotatedFile({ file, maxSize, keep, rotates }),
      lost,
    });
  }

  /** `tries`: those that had ended when the request did. */
  finished(record: RequestRecord, tries: number): void {
    const parts = this.#parts.of(record);
    if (ORDER.indexOf(parts.level) < this.#least) return;
    const sheet = this.#writer.begin();
    if (sheet === undefined) return;
    const { length } = sheet;
    try {
      this.#put(sheet, record, parts, tries);
    } catch (error) {
      // Half a line would spoil the next one.
      sheet.cut(length);
      throw error;
    }
    this.#writer.end();
  }

  close(time: number): Promise<void> {
    return this.#writer.close(time);
  }
}
