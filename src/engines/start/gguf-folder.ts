/**
 * Runs the words that follow, with every folder behind `--model`, `--model-draft`, `--mmproj` and `--lora` replaced by the
 * first GGUF file in it: a download is a folder, llama-server reads a file, and of a model in parts it wants the first.
 * Names sort by bytes, so that `-00001-of-` comes first; a projector is no model, and nothing else is a projector. All
 * words are arguments, none is part of the script. One line, because not every target's language has room for more.
 */
const SCRIPT = [
  "LC_ALL=C; flag=;",
  "for word do shift;",
  'case $flag in --model | --model-draft | --mmproj | --lora) if [ ! -f "$word" ]; then found=; folder=${word%/};',
  'for file in "$folder"/*.gguf "$folder"/*/*.gguf "$folder"/*/*/*.gguf; do',
  "case $flag:${file##*/} in --mmproj:*mmproj*) ;; --mmproj:* | *:*mmproj*) continue ;; esac;",
  'if [ -f "$file" ]; then found=$file; break; fi; done;',
  'if [ -z "$found" ]; then',
  'echo "omni: no GGUF file for $flag in $word: is it downloaded, and is its disk mounted?" >&2; exit 66; fi;',
  'echo "omni: $flag $word: taking $found" >&2; word=$found; fi ;; esac;',
  'flag=$word; set -- "$@" "$word"; done;',
  'exec "$@"',
].join(" ");

const isFile = (path: string): boolean => /\.gguf$/i.test(path);

/** The command as it is where all these paths are files; within a shell that finds the files where one may be a folder. */
export const withGgufFiles = (
  command: readonly [string, ...string[]],
  paths: readonly (string | undefined)[],
): readonly [string, ...string[]] =>
  paths.every((path) => path === undefined || path === "" || isFile(path))
    ? command
    : ["/bin/sh", "-ec", SCRIPT, "omni", ...command];
