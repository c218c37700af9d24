import { mkdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { alone, writeWhole } from "../board/board-folder.ts";
import { fieldsOf, listIn, numberIn, readFields } from "../read-fields.ts";
import type { Fault } from "./fault.ts";
import { faultFrom } from "./fault.ts";

interface Planted {
  readonly fault: Fault;
  readonly left: number;
}

/** Names of services may hold anything that a file's name may not. */
const pathOf = (board: string, service: string): string =>
  join(board, "faults", `${encodeURIComponent(service)}.json`);

function readPlanted(path: string): readonly Planted[] {
  return listIn(readFields(path), "planted").flatMap((entry) => {
    const fields = fieldsOf(entry);
    const fault = faultFrom(fields?.["fault"]);
    return fault === undefined ? [] : [{ fault, left: numberIn(fields, "left") ?? 1 }];
  });
}

/** Adds a fault to the next `count` starts of a service; to be called alone on the board. */
export function plantFault(board: string, service: string, fault: Fault, count: number): void {
  mkdirSync(join(board, "faults"), { recursive: true });
  const path = pathOf(board, service);
  writeWhole(path, JSON.stringify({ planted: [...readPlanted(path), { fault, left: count }] }));
}

/** The faults of the start that happens now; each is used up by one. */
export function takePlanted(board: string, service: string): readonly Fault[] {
  const path = pathOf(board, service);
  if (readFields(path) === undefined) return [];
  return alone(board, () => {
    const planted = readPlanted(path);
    const rest = planted.map(({ fault, left }) => ({ fault, left: left - 1 })).filter(({ left }) => left > 0);
    if (rest.length === 0) rmSync(path, { force: true });
    else writeWhole(path, JSON.stringify({ planted: rest }));
    return planted.map(({ fault }) => fault);
  });
}
