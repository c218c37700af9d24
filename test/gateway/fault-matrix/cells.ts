import type { Fault, Outcome, Variant } from "./requirements.ts";
import type { Answer, Dialect } from "./client.ts";
import { ask, bodyOf, DIALECTS } from "./client.ts";
import type { MatrixRoute, MatrixService } from "./matrix-node.ts";
import { MatrixNode } from "./matrix-node.ts";

/** One cell of the matrix: a fault met by one request. */
export interface Cell {
  readonly name: string;
  readonly dialect: Dialect;
  readonly stream: boolean;
  readonly outcome: Outcome;
  /** The service that breaks, and who may take over. */
  readonly first: string;
  readonly next: string;
}

let rows = 0;

/** The cells of a fault where those are left who the variant says. */
export function cellsOf(fault: Fault, variant: Variant): readonly Cell[] {
  const row = rows++;
  return (fault.dialects ?? DIALECTS).flatMap((dialect) =>
    [true, false].flatMap((stream) => {
      const outcome = (stream ? fault.stream : fault.whole)?.[variant];
      if (outcome === undefined) return [];
      const name = `${row}.${dialect}.${stream ? "stream" : "whole"}`;
      const first = `a.${name}`;
      return [{ name, dialect, stream, outcome, first, next: variant === "another" ? `b.${name}` : first }];
    }),
  );
}

const LOOPBACK_DISCARD = 9;

interface NodeOptions {
  /** Nobody listens where the first services should. */
  readonly refuses?: boolean;
  /** A service that broke once is down from then on. */
  readonly failsForGood?: boolean;
  readonly rules?: MatrixRoute["rules"];
}

/** A node with services of its own for every cell, so that what happens in one is nothing to the others. */
export function nodeFor(
  cells: readonly Cell[],
  port: number,
  { refuses = false, failsForGood = false, rules }: NodeOptions,
): Promise<MatrixNode> {
  const services = cells.flatMap(({ first, next }): MatrixService[] => [
    { name: first, port: refuses ? LOOPBACK_DISCARD : port },
    ...(next === first ? [] : [{ name: next, port }]),
  ]);
  const routes = cells.map(({ name, first, next }) => ({
    name,
    services: next === first ? [first] : [first, next],
    ...(rules === undefined ? {} : { rules }),
  }));
  return new MatrixNode({ services, routes, failsForGood }).listen();
}

/** Sends the request of a cell, with `more` in its body; its key is named like the cell. */
export function askCell(
  { url }: MatrixNode,
  cell: Cell,
  { orders }: Pick<Fault, "orders">,
  more: Readonly<Record<string, unknown>> = {},
): Promise<Answer> {
  const addressed = orders.map((order) => `[${cell.first} ${order}]`).join(" ");
  return ask({
    url,
    dialect: cell.dialect,
    body: { ...bodyOf(cell.dialect, cell.name, addressed, cell.stream), ...more },
    headers: { "x-request-id": cell.name, authorization: `Bearer ${cell.name}` },
  });
}
