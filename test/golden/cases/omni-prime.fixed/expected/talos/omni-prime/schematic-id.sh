#!/bin/sh
# Posts schematic.yaml to the image factory and prints the id that it answers. Rendered by Omni from omni.yaml
# (guest omni-prime).
# Run it once before all else: the factory builds images only of schematics that somebody posted. The answer must be
# the computed id.
#   --dry-run: print the command, run nothing
set -eu
here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
url=https://factory.talos.dev/schematics
case "${1:-}" in
  '') ;;
  --dry-run)
    printf '+ curl --fail --request POST --data-binary @%s %s\n' "$here/schematic.yaml" "$url"
    exit 0 ;;
  *) printf '%s\n' 'usage: schematic-id.sh [--dry-run]' >&2; exit 2 ;;
esac
answer=$(curl --fail --silent --show-error --request POST --header 'Content-Type: application/yaml' \
  --data-binary "@$here/schematic.yaml" -- "$url")
id=$(printf '%s' "$answer" | sed -n 's/.*"id": *"\([0-9a-f]\{64\}\)".*/\1/p')
if [ -z "$id" ]; then
  printf '%s\n' "No id in the factory's answer: $answer" >&2
  exit 1
fi
expected=44edfb0040972f72ad55aec57c23b47005a8897360819548c814fd1e9601a729
if [ "$id" != "$expected" ]; then
  printf '%s\n' "The factory answers $id, computed was $expected: do not use images.env." >&2
  exit 1
fi
printf '%s\n' "$id"
