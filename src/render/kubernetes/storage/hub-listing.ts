/**
 * A program of awk that reads one page of a hub's listing (`GET /api/models/REPO/tree/REVISION?recursive=true`) and prints
 * a line for each wanted file: size, algorithm, digest, percent-encoded path and path, separated by tabs. The images that
 * download carry neither jq nor Python, and a regular expression over JSON would break at the first quote in a name.
 * Strings are found by cutting the text at quotes, so a page of any length is read once. Ends with 3 where the page is no
 * listing, with 4 where a name is not safe to write. Wanted is what a glob of `*` and `?` in `OMNI_FILES` (one a line)
 * fits, in any case, by its whole path or its last part; everything where there is none, as Omni's own reader does.
 */
export const HUB_LISTING = `
function refuse(code, why) { printf "%s\\n", why | "cat 1>&2"; close("cat 1>&2"); status = code; exit code }

function hex(text,   i, value, digit) {
  value = 0
  for (i = 1; i <= length(text); i++) {
    digit = index("0123456789abcdef", tolower(substr(text, i, 1)))
    if (digit == 0) return -1
    value = value * 16 + digit - 1
  }
  return value
}

function utf8(n) {
  if (n < 128) return sprintf("%c", n)
  if (n < 2048) return sprintf("%c%c", 192 + int(n / 64), 128 + n % 64)
  return sprintf("%c%c%c", 224 + int(n / 4096), 128 + int(n / 64) % 64, 128 + n % 64)
}

# What a JSON string means; control characters and halves of pairs become a slash too many, which no path may have.
function meaning(text,   out, at, c, n) {
  out = ""
  while ((at = index(text, "\\\\")) > 0) {
    out = out substr(text, 1, at - 1)
    c = substr(text, at + 1, 1)
    if (c == "u") {
      n = hex(substr(text, at + 2, 4))
      out = out ((n < 32 || n == 127 || (n >= 55296 && n <= 57343)) ? "//" : utf8(n))
      text = substr(text, at + 6)
    } else {
      out = out (index("bfnrt", c) > 0 ? "//" : c)
      text = substr(text, at + 2)
    }
  }
  return out text
}

function encoded(path,   i, c, out) {
  out = ""
  for (i = 1; i <= length(path); i++) {
    c = substr(path, i, 1)
    out = out (index(plain "._~/-", c) > 0 ? c : sprintf("%%%02X", code[c]))
  }
  return out
}

function safe(path) {
  if (path == "" || path ~ /[\\001-\\037\\177]/ || path ~ /^\\// || path ~ /\\/$/ || path ~ /\\/\\//) return 0
  if (("/" path "/") ~ /\\/\\.\\.?\\// || ("/" path "/") ~ /\\/\\.omni-download\\//) return 0
  return 1
}

function pattern(glob,   i, c, out) {
  out = "^"
  for (i = 1; i <= length(glob); i++) {
    c = substr(glob, i, 1)
    out = out (c == "*" ? ".*" : c == "?" ? "." : index(plain "_/ -", c) > 0 || code[c] > 127 ? c : c == "^" || c == "\\\\" ? "\\\\" c : "[" c "]")
  }
  return out "$"
}

function wanted(path,   i, last) {
  if (globs == 0) return 1
  path = tolower(path)
  last = path
  sub(/^.*\\//, "", last)
  for (i = 1; i <= globs; i++) if (path ~ glob[i] || last ~ glob[i]) return 1
  return 0
}

function file(   algorithm, digest) {
  if (kind != "file") return
  if (!safe(path)) refuse(4, "the repository has a file whose name cannot be written safely: " encoded(path))
  files++
  if (!wanted(path)) return
  algorithm = lfs != "" ? "sha256" : "git-sha1"
  digest = lfs != "" ? lfs : oid
  if (lfsSize != "") size = lfsSize
  if (size !~ /^[0-9]+$/ || length(size) > 15 || digest ~ /[^0-9a-f]/ || length(digest) != (lfs != "" ? 64 : 40))
    refuse(3, "the hub gives no size or no digest for " path)
  printf "%s\\t%s\\t%s\\t%s\\t%s\\n", size, algorithm, digest, encoded(path), path
}

function string(text) {
  if (shape[depth] == "{" && !value[depth]) key[depth] = text
  else if (depth == 2 && key[2] == "type") kind = text
  else if (depth == 2 && key[2] == "path") path = meaning(text)
  else if (depth == 2 && key[2] == "oid") oid = text
  else if (depth == 3 && key[2] == "lfs" && key[3] == "oid") lfs = text
}

function literal(text) {
  if (depth == 2 && key[2] == "size") size = text
  if (depth == 3 && key[2] == "lfs" && key[3] == "size") lfsSize = text
}

function outside(text,   i, c, word) {
  word = ""
  for (i = 1; i <= length(text) + 1; i++) {
    c = substr(text, i, 1)
    if (c ~ /[-+.0-9A-Za-z]/) { word = word c; continue }
    if (word != "") { literal(word); word = "" }
    if (c == "{" || c == "[") {
      if (depth == 0 && (c != "[" || begun)) refuse(3, "the answer is no listing of files")
      begun = 1
      shape[++depth] = c
      value[depth] = 0
      key[depth] = ""
      if (depth == 2) kind = path = oid = lfs = size = lfsSize = ""
    } else if (c == "}" || c == "]") {
      if (depth == 0) refuse(3, "the answer is no listing of files")
      if (depth == 2 && c == "}") file()
      depth--
    } else if (c == ":") value[depth] = 1
    else if (c == ",") value[depth] = 0
    else if (c !~ /[ \\t\\r\\n]/ && c != "") refuse(3, "the answer is no listing of files")
  }
}

BEGIN {
  RS = "\\""
  plain = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
  for (n = 1; n < 256; n++) code[sprintf("%c", n)] = n
  lines = split(ENVIRON["OMNI_FILES"], given, "\\n")
  for (n = 1; n <= lines; n++) if (given[n] != "") glob[++globs] = pattern(tolower(given[n]))
}

!inside { outside($0); inside = 1; text = ""; next }

{
  text = text $0
  n = 0
  while (substr(text, length(text) - n, 1) == "\\\\") n++
  if (n % 2 == 1) text = text "\\""
  else { inside = 0; string(text) }
}

END {
  if (status) exit status
  if (!begun || depth != 0) refuse(3, "the answer is no listing of files, or it was cut")
}
`;
