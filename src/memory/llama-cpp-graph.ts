/**
 * The buffer that ggml reserves for a graph, computed the way ggml does it: each result is placed in the smallest hole
 * that takes it, an operation that can works in the place of an operand that nobody else reads, and what has been read
 * for the last time becomes a hole. Only sizes matter here, so an operation is a size and what it reads.
 * Source: ggml_dyn_tallocr and ggml_gallocr_alloc_graph_impl in ggml-alloc.c.
 */
const ALIGNMENT = 128;

interface Node {
  readonly bytes: number;
  readonly sources: readonly GraphValue[];
  readonly inPlace: boolean;
  readonly kept: boolean;
}

/** A value of a graph: the number of the node that makes it. */
export type GraphValue = number;

/** Records operations in the order in which they are computed. All sizes are bytes. */
export class Graph {
  readonly #nodes: Node[] = [];

  /** A result in memory of its own. */
  result(bytes: number, ...sources: readonly GraphValue[]): GraphValue {
    return this.#add({ bytes, sources, inPlace: false, kept: false });
  }

  /** A result that takes the place of the first operand of the same size that is read here for the last time. */
  inPlace(bytes: number, ...sources: readonly GraphValue[]): GraphValue {
    return this.#add({ bytes, sources, inPlace: true, kept: false });
  }

  /** Memory that stays until the end. */
  kept(bytes: number): GraphValue {
    return this.#add({ bytes, sources: [], inPlace: false, kept: true });
  }

  /** Reads values without a result of its own, such as a copy into the cache. */
  read(...sources: readonly GraphValue[]): void {
    this.#add({ bytes: 0, sources, inPlace: false, kept: false });
  }

  /** Bytes of the buffer in which all of it can be computed. */
  bufferBytes(): number {
    return new Reservation(this.#nodes).run();
  }

  #add(node: Node): GraphValue {
    return this.#nodes.push({ ...node, bytes: Math.ceil(node.bytes / ALIGNMENT) * ALIGNMENT }) - 1;
  }
}

interface Hole {
  offset: number;
  size: number;
}

class Reservation {
  readonly #nodes: readonly Node[];
  readonly #readers: number[];
  readonly #offsets: (number | undefined)[];
  readonly #holes: Hole[] = [{ offset: 0, size: Number.MAX_SAFE_INTEGER }];
  #end = 0;

  constructor(nodes: readonly Node[]) {
    this.#nodes = nodes;
    this.#readers = nodes.map(() => 0);
    this.#offsets = nodes.map(() => undefined);
    for (const { sources } of nodes)
      for (const source of sources) this.#readers[source] = this.#readersOf(source) + 1;
  }

  run(): number {
    for (const [index, node] of this.#nodes.entries()) {
      this.#offsets[index] = this.#place(node);
      for (const source of node.sources) this.#readOnce(source);
    }
    return this.#end;
  }

  #place(node: Node): number | undefined {
    if (node.bytes === 0) return undefined;
    if (node.inPlace) {
      const operand = node.sources.find((source) => this.#canReplace(source, node.bytes));
      if (operand !== undefined) {
        const offset = this.#offsets[operand];
        this.#offsets[operand] = undefined;
        return offset;
      }
    }
    return this.#allocate(node.bytes);
  }

  #canReplace(operand: GraphValue, bytes: number): boolean {
    const node = this.#nodes[operand];
    return (
      node !== undefined &&
      node.bytes === bytes &&
      !node.kept &&
      this.#readersOf(operand) === 1 &&
      this.#offsets[operand] !== undefined
    );
  }

  #readOnce(source: GraphValue): void {
    const readers = this.#readersOf(source) - 1;
    this.#readers[source] = readers;
    const node = this.#nodes[source];
    const offset = this.#offsets[source];
    if (readers > 0 || node === undefined || node.kept || offset === undefined) return;
    this.#offsets[source] = undefined;
    this.#release(offset, node.bytes);
  }

  #readersOf(value: GraphValue): number {
    return this.#readers[value] ?? 0;
  }

  /** The smallest hole that fits, and only when there is none the endless one at the end. */
  #allocate(bytes: number): number {
    let best = this.#holes.length - 1;
    for (let index = 0; index < this.#holes.length - 1; index++) {
      const size = this.#holes[index]?.size ?? 0;
      if (size >= bytes && size <= (this.#holes[best]?.size ?? 0)) best = index;
    }
    const hole = this.#holes[best];
    if (hole === undefined) return 0;
    const { offset } = hole;
    hole.offset += bytes;
    hole.size -= bytes;
    if (hole.size === 0) this.#holes.splice(best, 1);
    this.#end = Math.max(this.#end, offset + bytes);
    return offset;
  }

  #release(offset: number, bytes: number): void {
    let index = this.#holes.findIndex((hole) => hole.offset > offset);
    if (index < 0) index = this.#holes.length;
    this.#holes.splice(index, 0, { offset, size: bytes });
    this.#merge(index);
    if (index > 0) this.#merge(index - 1);
  }

  #merge(index: number): void {
    const hole = this.#holes[index];
    const next = this.#holes[index + 1];
    if (hole === undefined || next === undefined || hole.offset + hole.size !== next.offset) return;
    hole.size += next.size;
    this.#holes.splice(index + 1, 1);
  }
}
