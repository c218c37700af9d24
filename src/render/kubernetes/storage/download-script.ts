import { HUB_LISTING } from "./hub-listing.ts";

/** The quoted delimiter of the listing's here-document; nothing in it is expanded by the shell. */
const MARK = "END_OF_LISTING_PROGRAM";

/**
 * The program of a download Job: POSIX sh with curl, awk, xargs, stat, df, sha256sum and sha1sum as busybox and coreutils
 * have them. It is the same for every model; all that differs comes by environment, so no name is ever read as shell.
 * Ends with 0 when every wanted file is there and verified, so that it can be run as often as one likes.
 */
export const DOWNLOAD_SCRIPT = `#!/bin/sh
# Downloads files of a repository of a hub: resumes, verifies size and digest, and only then gives a file its name.
#   OMNI_ENDPOINT, OMNI_REPOSITORY, OMNI_REVISION   where from
#   OMNI_FILES        globs, one a line; all files when empty
#   OMNI_TARGET       folder to write to
#   OMNI_MOUNT        mount point that has to be a disk of its own, or nothing is written
#   OMNI_CONNECTIONS  files at a time; OMNI_RATE bytes per second of all of them together
#   HF_TOKEN          sent to the endpoint only, by a configuration on curl's standard input
set -eu
LC_ALL=C
export LC_ALL
umask 022
tab=$(printf '\\t')

say() { printf '%s\\n' "$*"; }
# 255 stops xargs at once; no retry would change it.
fatal() { printf 'omni-download: %s\\n' "$*" >&2; exit 255; }

: "\${OMNI_ENDPOINT:?}" "\${OMNI_REPOSITORY:?}" "\${OMNI_REVISION:?}" "\${OMNI_TARGET:?}"
OMNI_FILES=\${OMNI_FILES:-}
export OMNI_FILES
mount=\${OMNI_MOUNT:-}
connections=\${OMNI_CONNECTIONS:-4}
rate=\${OMNI_RATE:-0}
attempts=\${OMNI_ATTEMPTS:-10}
pause=\${OMNI_PAUSE:-5}
reserve=\${OMNI_RESERVE:-1073741824}
mountinfo=\${OMNI_MOUNTINFO:-/proc/self/mountinfo}
target=\${OMNI_TARGET%/}
notes=$target/.omni-download
endpoint=\${OMNI_ENDPOINT%/}

case \${HF_TOKEN:-} in *[!A-Za-z0-9._~+/=-]*) fatal "the token holds characters that no token of a hub has; look at its Secret." ;; esac
case $endpoint in *[!A-Za-z0-9._~:/%+=-]*) fatal "the endpoint is no plain address of a hub; credentials belong into the token." ;; esac
case /$OMNI_REPOSITORY/ in *[!A-Za-z0-9._/-]* | */../* | */./* | *//*) fatal "$OMNI_REPOSITORY is no name of a repository." ;; esac
case $endpoint in
  https://*) protocols="=https" ;;
  http://*) protocols="=http,https" ;;
  *) fatal "the endpoint is neither http:// nor https://: $endpoint" ;;
esac

quoted() { printf '%s' "$1" | sed 's/[\\\\"]/\\\\&/g'; }

# get URL FILE HEADERS [MORE...]: prints the HTTP status; ends as curl does. URL and token reach curl on standard input,
# because every user of the node can read a command line.
get() {
  url=$1 file=$2 headers=$3
  shift 3
  {
    printf 'url = "%s"\\n' "$(quoted "$url")"
    if [ -n "\${HF_TOKEN:-}" ]; then printf 'header = "Authorization: Bearer %s"\\n' "$HF_TOKEN"; fi
  } | curl -q --config - --silent --fail --location --max-redirs 10 --globoff --proto "$protocols" \\
    --proto-redir "$protocols" --connect-timeout 30 --speed-limit 1024 --speed-time 60 --user-agent omni-download \\
    --output "$file" --dump-header "$headers" --write-out '%{http_code}' "$@"
}

# What a final status means; anything else may pass.
explain() {
  case $1 in
    401 | 403)
      if [ -n "\${HF_TOKEN:-}" ]; then
        fatal "$endpoint answers $1: the token has no access to $OMNI_REPOSITORY. For a gated model its owner has to accept the terms at $endpoint/$OMNI_REPOSITORY."
      fi
      fatal "$endpoint answers $1: $OMNI_REPOSITORY asks for a token and there is none. Name it in omni.yaml as models.NAME.source.token and make its Secret."
      ;;
    404) fatal "$endpoint answers 404: no repository $OMNI_REPOSITORY, no revision $OMNI_REVISION in it, or a private one that the token does not open." ;;
    416 | 429 | 000 | 2?? | 408 | 5??) ;;
    *) fatal "$endpoint answers $1 for $OMNI_REPOSITORY." ;;
  esac
}

encoded() {
  case $1 in *[!A-Za-z0-9._-]*) ;; *) printf '%s' "$1"; return ;; esac
  printf '%s' "$1" | od -An -v -tx1 | tr -d '\\n' | sed 's/ \\(..\\)/%\\1/g'
}

size_of() { if [ -f "$1" ]; then stat -c %s "$1"; else printf 0; fi; }

digest_of() { # FILE SIZE ALGORITHM
  if [ "$3" = sha256 ]; then sha256sum <"$1"; else { printf 'blob %s\\000' "$2" && cat "$1"; } | sha1sum; fi | cut -d ' ' -f 1
}

noted() { # PATH LINE: it was verified before, and has the same size since
  [ -f "$notes/$1.verified" ] && [ "$(cat "$notes/$1.verified")" = "$2" ]
}

note() {
  mkdir -p "$(dirname "$notes/$1")"
  printf '%s\\n' "$2" >"$notes/$1.verified.new"
  mv "$notes/$1.verified.new" "$notes/$1.verified"
}

list_files() {
  page=0
  url="$endpoint/api/models/$OMNI_REPOSITORY/tree/$(encoded "$OMNI_REVISION")?recursive=true"
  : >"$work/list"
  while [ -n "$url" ]; do
    page=$((page + 1))
    [ "$page" -le 500 ] || fatal "the listing of $OMNI_REPOSITORY has no end."
    try=1
    while :; do
      code=0
      status=$(get "$url" "$work/page" "$work/headers" --max-time 300) || code=$?
      [ "$code" -ne 0 ] || break
      explain "$status"
      [ "$try" -lt "$attempts" ] || fatal "$endpoint cannot be read, $attempts times (curl $code, HTTP $status)."
      say "$endpoint cannot be read (curl $code, HTTP $status); trying again in $((pause * try)) s."
      sleep $((pause * try))
      try=$((try + 1))
    done
    awk -f "$work/listing.awk" <"$work/page" >>"$work/list" || fatal "$endpoint gives no usable listing of $OMNI_REPOSITORY (see above)."
    url=$(tr -d '\\r' <"$work/headers" | sed -n 's/^[Ll][Ii][Nn][Kk]: *<\\([^>]*\\)>; *rel="next".*/\\1/p' | tail -n 1)
    case $url in "" | "$endpoint"/*) ;; *) fatal "the listing goes on at another host: $url" ;; esac
  done
}

# One file, by its line of the list.
fetch() {
  IFS=$tab read -r size algorithm digest url path <<LINE
$(sed -n "$1p" "$OMNI_LIST")
LINE
  file=$target/$path
  part=$file.$(printf '%.12s' "$digest").part
  mkdir -p "$(dirname "$file")"
  # What is left of an older revision of the file cannot be resumed.
  for old in "$file".????????????.part; do [ "$old" = "$part" ] || rm -f "$old"; done
  try=1
  while have=$(size_of "$part") && [ "$have" -ne "$size" ] || [ ! -f "$part" ]; do
    if [ "$have" -gt "$size" ]; then rm -f "$part"; have=0; fi
    if [ "$size" -eq 0 ]; then : >"$part"; break; fi
    [ "$have" -eq 0 ] || say "$path: going on at byte $have of $size"
    code=0
    status=$(get "$endpoint/$OMNI_REPOSITORY/resolve/$(encoded "$OMNI_REVISION")/$url" "$part" /dev/null \\
      --continue-at - --limit-rate "$OMNI_EACH") || code=$?
    case $code in
      0) ;;
      23) fatal "cannot write $part: the disk is full, read-only or another's." ;;
      33) say "$path: the server cannot resume; from the start again."; rm -f "$part" ;;
      *) explain "$status" ;;
    esac
    now=$(size_of "$part")
    if [ "$now" -eq "$size" ]; then break; fi
    # A line that breaks but brings something may break as often as it likes.
    if [ "$now" -gt "$have" ]; then try=1; else try=$((try + 1)); fi
    [ "$try" -le "$attempts" ] || { say "$path: given up after $attempts attempts (curl $code, HTTP $status)" >&2; exit 1; }
    say "$path: broke off at byte $now of $size (curl $code, HTTP $status); trying again in $((pause * try)) s"
    sleep $((pause * try))
  done
  found=$(digest_of "$part" "$size" "$algorithm")
  if [ "$found" != "$digest" ]; then
    rm -f "$part"
    say "$path: wrong content, removed: $algorithm is $found, the hub says $digest" >&2
    exit 1
  fi
  # On disk before it has its name: a file with its name is a whole one.
  sync "$part" 2>/dev/null || sync
  mv "$part" "$file"
  note "$path" "$algorithm $digest $size"
  say "$path: $size bytes, $algorithm verified"
}

if [ "\${1:-}" = --line ]; then
  fetch "$2"
  exit 0
fi

if [ -n "$mount" ]; then
  # A disk of its own shows its root there; a folder of the system partition shows the path within that.
  OMNI_MOUNT=$mount awk '$5 == ENVIRON["OMNI_MOUNT"] { root = $4; for (i = 7; i < NF; i++) if ($i == "-") kind = $(i + 1) }
    END { exit !(root == "/" || (root != "" && kind == "btrfs")) }' "$mountinfo" ||
    fatal "no disk is mounted at $mount: the download would fill the system partition. Mount the disk first."
fi

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
trap 'exit 143' TERM INT
cat >"$work/listing.awk" <<'${MARK}'
${HUB_LISTING.trim()}
${MARK}

mkdir -p "$target" "$notes" || fatal "$target cannot be made: the folder above it belongs to another user, or is read-only."
list_files
[ -s "$work/list" ] || fatal "no file of $OMNI_REPOSITORY at $OMNI_REVISION fits: $(printf '%s' "$OMNI_FILES" | tr '\\n' ' ')"

count=0 missing=0 bytes=0 line=0
: >"$work/todo"
while IFS=$tab read -r size algorithm digest url path; do
  line=$((line + 1)) count=$((count + 1))
  if [ -f "$target/$path" ] && [ "$(size_of "$target/$path")" -eq "$size" ]; then
    noted "$path" "$algorithm $digest $size" && continue
    say "$path: is there; verifying"
    if [ "$(digest_of "$target/$path" "$size" "$algorithm")" = "$digest" ]; then
      note "$path" "$algorithm $digest $size"
      continue
    fi
  fi
  missing=$((missing + 1))
  bytes=$((bytes + size - $(size_of "$target/$path.$(printf '%.12s' "$digest").part")))
  printf '%s\\n' "$line" >>"$work/todo"
done <"$work/list"

say "$OMNI_REPOSITORY at $OMNI_REVISION: $count files wanted, $missing missing, $bytes bytes to download"
if [ "$missing" -gt 0 ]; then
  free=$(df -Pk "$target" | awk 'NR == 2 { print $4 }')
  if [ "$((free * 1024))" -lt "$((bytes + reserve))" ]; then
    fatal "$target has $((free * 1024)) bytes free; $bytes are missing, and $reserve stay free. Make room, or choose another disk or quantization."
  fi
  streams=$connections
  if [ "$streams" -gt "$missing" ]; then streams=$missing; fi
  OMNI_LIST=$work/list OMNI_EACH=$((rate / streams))
  if [ "$rate" -gt 0 ] && [ "$OMNI_EACH" -lt 1 ]; then OMNI_EACH=1; fi
  export OMNI_LIST OMNI_EACH
  xargs -P "$streams" -n 1 sh "$0" --line <"$work/todo" ||
    { say "omni-download: not all files could be had; run again to go on where it stopped." >&2; exit 1; }
fi
say "all $count files are there and verified"
`;
