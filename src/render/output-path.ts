/** A path that stays below the folder it is put into, on every file system: no empty, hidden parent or odd segment. */
const SAFE_PATH = /^(?:[A-Za-z0-9_@+-][A-Za-z0-9._@+-]*\/)*[A-Za-z0-9._@+-]*[A-Za-z0-9_@+-]$/;

/** Whether a file of this path lies within the output folder, whoever wrote the path down. */
export const isOutputPath = (path: string): boolean =>
  SAFE_PATH.test(path) && !path.split("/").includes("..");
