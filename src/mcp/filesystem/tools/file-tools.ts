import { directoryTree } from "./directory-tree.ts";
import { editFile } from "./edit-file.ts";
import type { FileTool } from "./file-tool.ts";
import { listVersions, restoreVersion } from "./file-versions.ts";
import { listDirectory } from "./list-directory.ts";
import { listRoots } from "./list-roots.ts";
import { makeDirectory } from "./make-directory.ts";
import { movePath } from "./move-path.ts";
import { readBinary } from "./read-binary.ts";
import { readFile } from "./read-file.ts";
import { readMany } from "./read-many.ts";
import { searchContent } from "./search-content.ts";
import { searchFiles } from "./search-files.ts";
import { statPath } from "./stat-path.ts";
import { writeFile } from "./write-file.ts";

/** The tools of the file server. Nothing deletes: `move` into a folder of one's own is undone, a deletion is not. */
export const FILE_TOOLS: readonly FileTool[] = [
  listRoots,
  listDirectory,
  directoryTree,
  statPath,
  readFile,
  readBinary,
  readMany,
  searchFiles,
  searchContent,
  writeFile,
  editFile,
  movePath,
  makeDirectory,
  listVersions,
  restoreVersion,
];
