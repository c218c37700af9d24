import {
  BLOCK_ATTRIBUTES,
  COPIED_FILES,
  COPIED_LINKS,
  NAMED_FOLDERS,
  NAMED_ONLY,
  PCI_ATTRIBUTES,
  SOCKETS,
} from "./copied-paths.ts";

/** Bytes of a file, and of all of it. */
const MOST_OF_FILE = 64 << 10;
export const MOST_OF_COPY = 16 << 20;

/** Sections of a copy, in their order. */
export const SECTIONS = ["folders", "names", "sockets", "links", "files", "end"] as const;
export type Section = (typeof SECTIONS)[number];

/**
 * A program for a host's `sh` that prints what is looked at there, in base64. $1 begins the line before each section. Only
 * POSIX and what coreutils and busybox both have; files of /proc and /sys tell no size, so that `head` reads them.
 */
export const COPY_SCRIPT = `
export LC_ALL=C
files() { for f; do [ -f "$f" ] && [ -r "$f" ] && printf '%s\\0' "$f"; done; }
folders() { for f; do [ -d "$f" ] && printf '%s\\n' "$f"; done; }
names() { for f; do [ -e "$f" ] && [ ! -d "$f" ] && printf '%s\\n' "$f"; done; }
sockets() { for f; do [ -S "$f" ] && printf '%s\\n' "$f"; done; }
links() { for f; do [ -L "$f" ] && printf '%s\\0' "$f"; done; }
behind() { for f; do [ -e "$f" ] && readlink -f "$f"; done; }
pci=$(behind /sys/bus/pci/devices/*)
block=$(for b in /sys/class/block/*; do case \${b##*/} in ram*|loop[0-9]*) [ -s "$b/loop/backing_file" ] || continue ;; esac; behind "$b"; done)
{
echo "$1 folders"
folders ${NAMED_FOLDERS}
for d in $pci; do folders "$d" "$d"/pci_bus "$d"/drm "$d"/nvme "$d"/iommu; done
for d in $block; do folders "$d" "$d"/slaves "$d"/holders; done
echo "$1 names"
names ${NAMED_ONLY}
for d in $pci; do names "$d"/rom; done
echo "$1 sockets"
sockets ${SOCKETS}
echo "$1 links"
{ links ${COPIED_LINKS}
for d in $pci; do links "$d"/driver "$d"/iommu_group "$d"/subsystem "$d"/physfn "$d"/virtfn*; done
for d in $block; do links "$d"/device "$d"/subsystem "$d"/slaves/* "$d"/holders/*; done
} | xargs -0 ls -ld --
echo "$1 files"
{ files ${expanded(COPIED_FILES.join(" "))}
for d in $pci; do for a in ${PCI_ATTRIBUTES}; do files "$d/$a"; done; done
for d in $block; do for a in ${BLOCK_ATTRIBUTES}; do files "$d/$a"; done; done
} | xargs -0 sh -c 'head -v -c ${MOST_OF_FILE} -- "$@"; echo' sh
for d in $pci; do echo "==> $d/config <=="; head -c 64 "$d/config"; echo; done
echo "$1 end"
} 2>/dev/null | head -c ${MOST_OF_COPY} | base64
`;

/** Braces as bash expands them, which POSIX shells do not: `/a/{b,c}` to `/a/b /a/c`. */
function expanded(patterns: string): string {
  return patterns
    .split(" ")
    .flatMap((pattern): readonly string[] => {
      const match = /^([^{]*)\{([^}]*)\}(.*)$/.exec(pattern);
      if (match === null) return [pattern];
      const [, before = "", choices = "", after = ""] = match;
      return choices.split(",").flatMap((choice) => expanded(`${before}${choice}${after}`).split(" "));
    })
    .join(" ");
}
