import { expect, it } from "vitest";
import type { Column } from "./columns.ts";
import { tableLines } from "./columns.ts";
import { textOf } from "./line.ts";

interface Row {
  readonly name: string;
  readonly model: string;
  readonly count: number;
}

const COLUMNS: readonly Column<Row>[] = [
  { head: "NAME", least: 6, cell: ({ name }) => ({ text: name }) },
  { head: "MODEL", least: 6, rank: 1, cell: ({ model }) => ({ text: model }) },
  { head: "COUNT", to: "right", cell: ({ count }) => ({ text: `${count}` }) },
];
const ROWS: readonly Row[] = [
  { name: "oracle", model: "deepseek-v3", count: 7 },
  { name: "executor", model: "qwen3", count: 12 },
];
const drawn = (width: number): readonly string[] => tableLines(COLUMNS, ROWS, width).map(textOf);

it("with room enough nothing is cut", () => {
  expect(drawn(80)).toEqual([
    "NAME      MODEL        COUNT",
    "oracle    deepseek-v3      7",
    "executor  qwen3           12",
  ]);
});

it("columns that may be left out are cut before the others", () => {
  expect(drawn(24)).toEqual([
    "NAME      MODEL    COUNT",
    "oracle    deepse…      7",
    "executor  qwen3       12",
  ]);
});

it("then whole columns go, and the others have their room again", () => {
  expect(drawn(18)).toEqual(["NAME      COUNT", "oracle        7", "executor     12"]);
  expect(drawn(9)).toEqual(["NAME    …", "oracle  …", "execu…  …"]);
});
