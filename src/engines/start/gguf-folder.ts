/**
 * Runs the words that follow, with every folder behind `--model` and `--model-draft` replaced by the first GGUF file in it:
 * a download is a folder, llama-server reads a file, and of a model in parts it wants the first. Names sort by bytes, so
 * that `-00001-of-` comes first; projectors are no models. All words are arguments, none is part of the script.
 */
const SCRIPT = `
LC_ALL=C
flag=
for word do
  shift
  case $flag in
  --model | --model-draft)
    if [ ! -f "$word" ]; then
      found=
      for file in "$word"/*.gguf "$word"/*/*.gguf "$word"/*/*/*.gguf; do
        case \${file##*/} in mmproj*) continue ;; esac
        if [ -f "$file" ]; then
          found=$file
          break
        fi
      done
      if [ -z "$found" ]; then
        echo "omni: no GGUF file in $word: is the model downloaded, and is its disk mounted?" >&2
        exit 66
      fi
      echo "omni: $word: taking $found" >&2
      word=$found
    fi
    ;;
  esac
  flag=$word
  set -- "$@" "$word"
done
exec "$@"
`;

const isFile = (path: string): boolean => /\.gguf$/i.test(path);

/** The command as it is where all models are files; within a shell that finds the files where one may be a folder. */
export const withGgufFiles = (
  command: readonly [string, ...string[]],
  models: readonly (string | undefined)[],
): readonly [string, ...string[]] =>
  models.every((path) => path === undefined || path === "" || isFile(path))
    ? command
    : ["/bin/sh", "-ec", SCRIPT, "omni", ...command];
