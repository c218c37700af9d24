#!/usr/bin/env bash
# Images of ai-factory: builds each, looks into the result with Omni's own reader, and only then tags and pushes it.
# Rendered by Omni from omni.yaml.
# Run it as often as needed: an image whose recipe has not changed since it was verified is not built again.
#   ./build.sh [--dry-run] [--force] [--no-push] [--recipe omni|owner] [--omni-source DIR] [NAME...]
# --recipe omni takes Omni's recipe where the spec names the owner's Dockerfile, owner insists on the owner's;
# without it the owner's is taken where it exists.
# --omni-source names the folder of Omni's repository, for Omni's own image; OMNI_SOURCE does too.
set -euo pipefail

here=$(CDPATH="" cd -- "$(dirname -- "${BASH_SOURCE[0]}")" && pwd)
remote_folder=.omni-images/ai-factory
omni_image=omni/node:1.2.3

dry_run=no force=no push=yes recipe_choice=auto at_home=no
omni_source=${OMNI_SOURCE:-}
selected=()
# Set by one function an image, below.
name='' kind='' tag='' builder='' folder='' recipe='' verification='' owner_file='' owner_context='' push_to='' insecure=''
ssh_target=() network=() owner_arguments=() secrets=() omni_parts=()
export DOCKER_BUILDKIT=1

say() { printf '%s\n' "$*" >&2; }
fail() {
  say "build.sh: $*"
  exit 1
}
# Shows a command as it could be typed, and runs it unless --dry-run.
run() {
  printf '+' >&2
  printf ' %q' "$@" >&2
  printf '\n' >&2
  [ "$dry_run" = yes ] || "$@"
}
need_value() { [ $# -ge 2 ] || fail "$1 needs a value."; }

while [ $# -gt 0 ]; do
  case $1 in
  --dry-run) dry_run=yes ;;
  --force) force=yes ;;
  --no-push) push=no ;;
  --recipe)
    need_value "$@"
    recipe_choice=$2
    shift
    ;;
  --omni-source)
    need_value "$@"
    omni_source=$2
    shift
    ;;
  # Said by build.sh itself on the host that it was sent to.
  --at-home) at_home=yes ;;
  -h | --help)
    sed -n '2,/^set -/{/^#/s/^# \{0,1\}//p}' "${BASH_SOURCE[0]}"
    exit 0
    ;;
  -*) fail "There is no option $1; --help lists them." ;;
  *) selected+=("$1") ;;
  esac
  shift
done
case $recipe_choice in auto | omni | owner) ;; *) fail "--recipe takes omni or owner, not $recipe_choice." ;; esac

# What arrives on standard input goes into a folder of the host that builds.
receive_there() {
  # shellcheck disable=SC2029 # The folder is named here, and holds letters, digits, dots and dashes alone.
  ssh "${ssh_target[@]}" "tar -C $remote_folder/$1 -xf -"
}

# The check on the host that builds needs Omni's own image: where no registry has it, the host is given the one of here.
hand_over_reader() {
  local here_id there_id
  if [ "$dry_run" = yes ]; then
    say "+ (the image $omni_image goes there, unless it is there)"
    return 0
  fi
  here_id=$("$builder" image inspect --format '{{ .Id }}' "$omni_image" 2>/dev/null) ||
    fail "$name: $omni_image is not here, and the check of what the host builds needs it: build.sh omni."
  # shellcheck disable=SC2029 # The image is named here, and quoted for the shell there.
  there_id=$(ssh "${ssh_target[@]}" "$(printf '%q ' "$builder" image inspect --format '{{ .Id }}' "$omni_image")" 2>/dev/null || true)
  [ "$here_id" != "$there_id" ] || return 0
  say "$name: sending $omni_image"
  # shellcheck disable=SC2029 # The builder is named here.
  "$builder" save "$omni_image" | ssh "${ssh_target[@]}" "$builder load"
}

# Sends recipes, and Omni's source for Omni's own image, to the host that builds, and goes on there.
build_elsewhere() {
  local flags=(--at-home)
  [ "$force" = no ] || flags+=(--force)
  [ "$push" = yes ] || flags+=(--no-push)
  [ "$recipe_choice" = auto ] || flags+=(--recipe "$recipe_choice")
  say "== $name: on ${ssh_target[*]}"
  run ssh "${ssh_target[@]}" "mkdir -p $remote_folder/images $remote_folder/omni"
  if [ "$dry_run" = yes ]; then
    say "+ (this folder goes to $remote_folder/images there)"
  else
    tar -C "$here" -cf - . | receive_there images
  fi
  if [ "$kind" = omni ]; then
    need_omni_source
    flags+=(--omni-source "$remote_folder/omni")
    [ "$dry_run" = yes ] ||
      tar -C "$omni_source" -cf - "${omni_parts[@]}" | receive_there omni
  fi
  if [ "$kind" != omni ] && [ "$builder" = docker ] && { [ -z "$push_to" ] || [ "$push" = no ]; }; then
    hand_over_reader
  fi
  run ssh "${ssh_target[@]}" "$(printf '%q ' "./$remote_folder/images/build.sh" "${flags[@]}" "$name")"
}

need_omni_source() {
  if [ "$dry_run" = yes ] && [ -z "$omni_source" ]; then
    omni_source=OMNI_SOURCE
    return 0
  fi
  [ -n "$omni_source" ] || fail "Omni's own image is built from Omni's repository: pass --omni-source DIR."
  local lock=package-lock.json part
  [ -f "$omni_source/$lock" ] || lock=npm-shrinkwrap.json
  omni_parts=("$lock" package.json omni src dist/console demo/omni-demo.gguf)
  for part in "${omni_parts[@]}"; do
    [ -e "$omni_source/$part" ] ||
      fail "$omni_source is not Omni's repository or package, or npm ci was not run in it: $part is looked for there."
  done
}

# Which recipe, and the folder that its COPY lines see.
choose_recipe() {
  file=$here/$folder/$recipe context=$here/$folder arguments=(--build-arg "OMNI_IMAGE=$omni_image")
  if [ "$kind" = omni ]; then
    need_omni_source
    context=$omni_source arguments=()
    [ "$builder" = docker ] || arguments+=(--ignorefile "$file.dockerignore")
  fi
  if [ -z "$owner_file" ] || [ "$recipe_choice" = omni ]; then
    [ -n "$recipe" ] || fail "$name: Omni has no recipe of its own for $kind."
    return 0
  fi
  if [ -f "$owner_file" ]; then
    file=$owner_file context=${owner_context:-$(dirname -- "$owner_file")}
    arguments=("${owner_arguments[@]}")
  elif [ "$recipe_choice" = owner ] || [ -z "$recipe" ]; then
    fail "$name: $owner_file is not here. Run build.sh where it is, or pass --recipe omni."
  else
    say "$name: $owner_file is not here; building Omni's recipe $folder/$recipe in its place."
  fi
}

# Mounts of other images and of secrets are BuildKit's: the old builder of Docker does not know them.
need_builder() {
  [ "$dry_run" = no ] || return 0
  command -v "$builder" >/dev/null || fail "$builder is not installed here."
  [ "$builder" != docker ] || docker buildx version >/dev/null 2>&1 ||
    fail "docker buildx is missing: install docker-buildx-plugin (docker.com) or docker-buildx (Debian, Ubuntu)."
}

# What an image was built from, as one number: the recipe, the check, the arguments, Omni's sources, and of an owner's
# folder names, sizes and times.
recipe_hash() {
  {
    cat -- "$file"
    [ -z "$verification" ] || cat -- "$here/$folder/$verification"
    printf '%s\n' "$context" "${arguments[@]}" "${network[@]}"
    if [ "$kind" = omni ] && [ -d "$omni_source" ]; then
      (cd -- "$omni_source" && find "${omni_parts[@]}" -type f -print0 |
        LC_ALL=C sort -z | xargs -0 sha256sum)
    elif [ "$file" = "$owner_file" ]; then
      find "$context" -type f -printf '%P %s %T@\n' | LC_ALL=C sort
    fi
  } | sha256sum | cut -d ' ' -f 1
}

# The recipe that the image under the tag was built from; nothing where there is none.
built_from() {
  case $builder in
  docker) docker image inspect --format '{{ index .Config.Labels "io.omni.recipe" }}' "$tag" 2>/dev/null ;;
  *) buildah inspect --type image --format '{{ index .OCIv1.Config.Labels "io.omni.recipe" }}' "$tag" 2>/dev/null ;;
  esac
}

push_image() {
  local command=(docker push "$tag")
  [ "$builder" = docker ] || command=(buildah push)
  if [ "$builder" = buildah ]; then
    [ "$insecure" = no ] || command+=(--tls-verify=false)
    command+=("$tag")
  fi
  run "${command[@]}" && return 0
  say "$name: the image is built and verified; only the push failed. Run build.sh again when the registry answers."
  if [ "$insecure" = yes ] && [ "$builder" = docker ]; then
    say "$push_to speaks plain HTTP, which Docker refuses unless /etc/docker/daemon.json has"
    say "  { \"insecure-registries\": [\"$push_to\"] }"
    say "and the daemon was restarted since."
  fi
  exit 1
}

# build, verify, tag, push: the tag that services use never names an image that was not looked into.
build_image() {
  if [ ${#ssh_target[@]} -gt 0 ] && [ "$at_home" = no ]; then
    build_elsewhere
    return
  fi
  local file context arguments hash candidate=$tag-unverified
  need_builder
  choose_recipe
  hash=$(recipe_hash)
  if [ "$force" = no ] && [ "$(built_from || true)" = "$hash" ]; then
    say "== $name: $tag is built and verified already"
  else
    say "== $name: building $tag from $file"
    run "$builder" build "${network[@]}" "${secrets[@]}" "${arguments[@]}" --label "io.omni.recipe=$hash" \
      -f "$file" -t "$candidate" "$context"
    if [ -n "$verification" ]; then
      say "== $name: verifying"
      local kept=(--output type=cacheonly)
      [ "$builder" = docker ] || kept=(-t omni-verification)
      run "$builder" build "${kept[@]}" --build-arg "IMAGE=$candidate" --build-arg "OMNI_IMAGE=$omni_image" \
        -f "$here/$folder/$verification" "$here/$folder" ||
        fail "$name: the check above failed; $tag is left as it was, what was built is $candidate. (If $omni_image is what is missing: build.sh omni.)"
    fi
    run "$builder" tag "$candidate" "$tag"
  fi
  if [ -n "$push_to" ] && [ "$push" = yes ]; then push_image; fi
}

# omni: asked for by gateway.
image_1() {
  name=omni
  kind=omni
  tag=omni/node:1.2.3
  builder=docker
  folder=omni
  recipe=Dockerfile
  verification=verify.Dockerfile
  owner_file=''
  owner_context=''
  push_to=''
  insecure=no
  ssh_target=()
  network=()
  owner_arguments=()
  secrets=()
  build_image
}

build_named() {
  case $1 in
  omni) image_1 ;;
  *) fail "There is no image named $1." ;;
  esac
}

[ ${#selected[@]} -gt 0 ] || selected=(omni)
for one in "${selected[@]}"; do build_named "$one"; done
