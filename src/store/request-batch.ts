import type { RequestRow } from "./request-row.ts";

/** Rows on their way to the thread that writes them: plain data, a text once however many rows have it. */
export interface RowBatch {
  readonly rows: number;
  /** Of each row its columns in their order; of a text its place in `texts`; not a number where there is nothing. */
  readonly figures: Float64Array;
  readonly texts: readonly string[];
}

/** Rows of a batch at most, which are written together: about half a millisecond that others wait for the database. */
export const BATCH_ROWS = 128;

const WIDTH = 24;
/** Columns that hold texts. */
const TEXTS: ReadonlySet<number> = new Set([0, 2, 3, 4, 6, 7, 8, 9, 10, 11, 23]);
const IS_TEXT = Array.from({ length: WIDTH }, (_, column) => TEXTS.has(column));
const NOTHING = Number.NaN;
const MOST_FREE = 4;

/** Puts rows into a batch; what they hold alike is one text. It keeps its memory for the next one. */
export class RowPacker {
  #figures = sharedFigures();
  /** Of batches that are written. */
  readonly #free: Float64Array[] = [];
  #texts: string[] = [];
  readonly #places = new Map<string, number>();
  /** What each column held last, and where that is: most often the next row has the same. */
  readonly #lastTexts: string[] = IS_TEXT.map(() => "");
  readonly #lastPlaces = new Float64Array(WIDTH).fill(-1);
  #rows = 0;

  /** Takes a row, of which `BATCH_ROWS` fit before the batch is taken. */
  add(row: RequestRow): void {
    const figures = this.#figures;
    const at = this.#rows * WIDTH;
    figures[at] = this.#texts.push(row.id) - 1;
    figures[at + 1] = Math.round(row.started);
    figures[at + 2] = this.#text(2, row.method);
    figures[at + 3] = this.#text(3, row.path);
    figures[at + 4] = this.#text(4, row.operation);
    figures[at + 5] = row.status;
    figures[at + 6] = this.#text(6, row.outcome);
    figures[at + 7] = this.#text(7, row.key);
    figures[at + 8] = this.#text(8, row.route);
    figures[at + 9] = this.#text(9, row.service);
    figures[at + 10] = this.#text(10, row.engine);
    figures[at + 11] = this.#text(11, row.model);
    figures[at + 12] = row.stream ? 1 : 0;
    figures[at + 13] = row.attempts;
    figures[at + 14] = row.continued;
    figures[at + 15] = row.duration;
    figures[at + 16] = row.queued;
    figures[at + 17] = row.firstToken ?? NOTHING;
    figures[at + 18] = row.promptTokens ?? NOTHING;
    figures[at + 19] = row.completionTokens ?? NOTHING;
    figures[at + 20] = row.cachedTokens ?? NOTHING;
    figures[at + 21] = row.bytesIn;
    figures[at + 22] = row.bytesOut;
    figures[at + 23] = this.#text(23, row.error);
    this.#rows++;
  }

  /** The rows so far; the next ones begin another batch. */
  take(): RowBatch {
    const rows = this.#rows;
    let figures = this.#figures;
    // Full ones are given away as they are, without a copy for either thread; few rows must not hold so much memory.
    if (rows === BATCH_ROWS) this.#figures = this.#free.pop() ?? sharedFigures();
    else figures = figures.slice(0, rows * WIDTH);
    const batch = { rows, figures, texts: this.#texts };
    this.#texts = [];
    this.#places.clear();
    this.#lastPlaces.fill(-1);
    this.#rows = 0;
    return batch;
  }

  /** Uses the memory of a batch again that nobody reads any more. */
  reuse({ rows, figures }: RowBatch): void {
    if (rows === BATCH_ROWS && this.#free.length < MOST_FREE) this.#free.push(figures);
  }

  /** The place of a text in the list. */
  #text(column: number, text: string | undefined): number {
    if (text === undefined) return NOTHING;
    const last = this.#lastPlaces[column] ?? -1;
    if (last >= 0 && text === this.#lastTexts[column]) return last;
    let place = this.#places.get(text);
    if (place === undefined) {
      place = this.#texts.push(text) - 1;
      this.#places.set(text, place);
    }
    this.#lastTexts[column] = text;
    this.#lastPlaces[column] = place;
    return place;
  }
}

const sharedFigures = (): Float64Array =>
  new Float64Array(new SharedArrayBuffer(BATCH_ROWS * WIDTH * Float64Array.BYTES_PER_ELEMENT));

/** Values of one row of a batch in the order of the columns. */
export function batchValues({ figures, texts }: RowBatch, row: number): (string | number | null)[] {
  const values: (string | number | null)[] = [];
  for (let column = 0; column < WIDTH; column++) {
    const figure = figures[row * WIDTH + column] ?? NOTHING;
    if (Number.isNaN(figure)) values.push(null);
    else values.push(IS_TEXT[column] === true ? (texts[figure] ?? null) : figure);
  }
  return values;
}
