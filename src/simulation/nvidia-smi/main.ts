/**
 * The simulated nvidia-smi: `main.ts BOARD [options]`. A program of its own, because Omni and its owner ask it as they ask
 * the real one. Options as in nvidia-smi --help: -L, --query-gpu, --query-compute-apps, --format, -i, -l, -lms.
 */
import { openBoard } from "../board/open-board.ts";
import type { Answer } from "./answer.ts";
import { banner } from "./banner.ts";
import { listGpus } from "./list-gpus.ts";
import { readOptions } from "./options.ts";
import { queryApps, queryGpus } from "./query.ts";

function main([folder = "", ...args]: readonly string[]): void {
  const options = readOptions(args);
  if (typeof options === "string") return answer({ text: options, code: 2 });
  const board = openBoard(folder);
  const look = (): Answer => {
    if (options.list) return listGpus(board, options);
    if (options.apps !== undefined) return queryApps(board, options.apps, options);
    return options.fields === undefined ? banner(board) : queryGpus(board, options.fields, options);
  };
  const first = look();
  answer(first);
  // One that was refused is not repeated.
  if (options.every === undefined || first.code === 2) return;
  setInterval(() => answer(look()), options.every);
}

function answer({ text, code }: Answer): void {
  process.stdout.write(`${text}\n`);
  process.exitCode = code;
}

process.stdout.on("error", () => process.exit(0));
main(process.argv.slice(2));
